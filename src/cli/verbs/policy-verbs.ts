import type { CommandSpec, FlagSpec } from '../command.ts';
import { LIMIT_FLAG, SERVER, SWITCH_FLAG, SWITCH_OPTIONAL, TARGET_FLAGS } from './common-flags.ts';

const EXTENSION_ARGUMENT = { name: 'extension', help: 'extension, by id or name' } as const;
const PROPERTY_ARGUMENT = { name: 'property', help: 'property id' } as const;

const SETTINGS_FLAGS: readonly FlagSpec[] = [
  {
    name: 'set',
    value: 'NAME=VALUE',
    many: true,
    help: 'one member; arrays as a,b,c or a JSON array',
  },
  { name: 'settings', value: 'JSON', help: 'all members as one JSON object' },
  {
    name: 'file',
    short: 'f',
    value: 'FILE',
    help: 'all members from a JSON file; - is standard input',
  },
];

/** Nouns of policies: extensions, properties, feature status. */
export const POLICY_VERBS: readonly CommandSpec[] = [
  {
    words: ['extension', 'list'],
    summary: 'List the installed extensions, or the stack of a switch from top to bottom',
    arguments: [],
    flags: [SWITCH_OPTIONAL, ...SERVER],
    examples: ['extension list', 'extension list --switch TestSwitch'],
    load: async () => (await import('../commands/extension.ts')).list,
  },
  {
    words: ['extension', 'show'],
    aliases: ['get'],
    summary: 'Show an extension on a switch',
    arguments: [EXTENSION_ARGUMENT],
    flags: [SWITCH_FLAG, ...SERVER],
    examples: ['extension show "Port ACL" --switch TestSwitch'],
    load: async () => (await import('../commands/extension.ts')).show,
  },
  {
    words: ['extension', 'enable'],
    summary: 'Enable an extension on a switch',
    arguments: [EXTENSION_ARGUMENT],
    flags: [SWITCH_FLAG, ...SERVER],
    examples: ['extension enable "Port ACL" --switch TestSwitch'],
    load: async () => (await import('../commands/extension.ts')).enable,
  },
  {
    words: ['extension', 'disable'],
    summary: 'Disable an extension on a switch',
    arguments: [EXTENSION_ARGUMENT],
    flags: [SWITCH_FLAG, ...SERVER],
    examples: ['extension disable "Port ACL" --switch TestSwitch'],
    load: async () => (await import('../commands/extension.ts')).disable,
  },
  {
    words: ['extension', 'move'],
    aliases: ['order', 'reorder'],
    summary: 'Change the place of an extension among those of its type',
    arguments: [EXTENSION_ARGUMENT, { name: 'order', help: 'new place, 0 is nearest the top' }],
    flags: [SWITCH_FLAG, ...SERVER],
    examples: ['extension move "Port ACL" 0 --switch TestSwitch'],
    load: async () => (await import('../commands/extension.ts')).move,
  },
  {
    words: ['extension', 'require'],
    summary: 'Make a switch run only with this extension running',
    arguments: [EXTENSION_ARGUMENT],
    flags: [SWITCH_FLAG, { name: 'off', help: 'the switch may run without it again' }, ...SERVER],
    examples: [
      'extension require "Port ACL" --switch TestSwitch',
      'extension require "Port ACL" --switch TestSwitch --off',
    ],
    load: async () => (await import('../commands/extension.ts')).require,
  },
  {
    words: ['property', 'list'],
    summary: 'List the properties of a port, a switch or a VM adapter',
    arguments: [],
    flags: [...TARGET_FLAGS, LIMIT_FLAG, ...SERVER],
    examples: ['property list --switch TestSwitch --port web', 'property list --vm TestVm'],
    load: async () => (await import('../commands/property.ts')).list,
  },
  {
    words: ['property', 'show'],
    aliases: ['get'],
    summary: 'Show a property with its settings',
    arguments: [PROPERTY_ARGUMENT],
    flags: [...TARGET_FLAGS, ...SERVER],
    examples: ['property show 5d2b7a1e-0000-4000-8000-000000000001 --switch TestSwitch --port web'],
    load: async () => (await import('../commands/property.ts')).show,
  },
  {
    words: ['property', 'add'],
    aliases: ['create', 'new'],
    summary: 'Add a property to a port, a switch or a VM adapter',
    arguments: [],
    flags: [
      ...TARGET_FLAGS,
      { name: 'feature', value: 'FEATURE', required: true, help: 'class name or id' },
      ...SETTINGS_FLAGS,
      { name: 'id', value: 'GUID', help: 'PropertyInstanceId, default a new one' },
      ...SERVER,
    ],
    examples: [
      'property add --switch TestSwitch --port web --feature Fabrikam_PortCustomSettingData --set SettingIntA=100',
      'property add --vm TestVm --feature Fabrikam_PortCustomSettingData --set SettingIntA=100',
    ],
    load: async () => (await import('../commands/property.ts')).add,
  },
  {
    words: ['property', 'update'],
    aliases: ['set'],
    summary: 'Change the settings of a property',
    detail:
      '--set changes the named members and keeps the others, and fails when somebody else changed the property in between.\n--settings and --file are the whole new value: members left out take the default of the class.',
    arguments: [PROPERTY_ARGUMENT],
    flags: [
      ...TARGET_FLAGS,
      ...SETTINGS_FLAGS,
      {
        name: 'if-revision',
        value: 'N',
        range: [1, Number.MAX_SAFE_INTEGER],
        help: 'only when the property has this revision now',
      },
      ...SERVER,
    ],
    examples: [
      'property update 5d2b7a1e-0000-4000-8000-000000000001 --switch TestSwitch --port web --set SettingIntA=101',
    ],
    load: async () => (await import('../commands/property.ts')).update,
  },
  {
    words: ['property', 'delete'],
    aliases: ['remove'],
    summary: 'Remove a property',
    arguments: [PROPERTY_ARGUMENT],
    flags: [...TARGET_FLAGS, ...SERVER],
    examples: [
      'property delete 5d2b7a1e-0000-4000-8000-000000000001 --switch TestSwitch --port web',
    ],
    load: async () => (await import('../commands/property.ts')).remove,
  },
  {
    words: ['status', 'get'],
    aliases: ['show'],
    summary: 'Ask the extensions for a feature status of a port, a switch or a VM adapter',
    arguments: [],
    flags: [
      ...TARGET_FLAGS,
      { name: 'feature', value: 'FEATURE', required: true, help: 'class name or id' },
      ...SERVER,
    ],
    examples: [
      'status get --switch TestSwitch --port web --feature Fabrikam_CustomPortData',
      'status get --vm TestVm --feature Fabrikam_CustomPortData',
    ],
    load: async () => (await import('../commands/status.ts')).get,
  },
];
