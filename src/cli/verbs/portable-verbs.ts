import type { CommandSpec, FlagSpec } from '../command.ts';
import { SERVER } from './common-flags.ts';

const OUTPUT: readonly FlagSpec[] = [
  { name: 'output', short: 'o', value: 'FILE', help: 'write to FILE instead of standard output' },
  {
    name: 'format',
    value: 'FORMAT',
    choices: ['json', 'msgpack'],
    help: 'default msgpack for a FILE that ends in .msgpack or .mpk, else json',
  },
];

const FILE_ARGUMENT = {
  name: 'file',
  help: 'document, JSON or MessagePack, or a dump of a Hyper-V host; - is standard input',
} as const;

const IMPORT: readonly FlagSpec[] = [
  {
    name: 'switch',
    value: 'NAME=SWITCH',
    many: true,
    help: 'adapters on switch NAME of the document go to SWITCH here, default the same name',
  },
  {
    name: 'ids',
    value: 'IDS',
    choices: ['fresh', 'keep'],
    help: 'fresh: new ids; keep: those of the document, refused when one is taken; default fresh',
  },
];

/** Export and import of VMs and switches. */
export const PORTABLE_VERBS: readonly CommandSpec[] = [
  {
    words: ['vm', 'export'],
    summary: 'Write a VM with its policies and kept run-time data as one document',
    arguments: [{ name: 'vm', help: 'VM, by id or name' }],
    flags: [...OUTPUT, ...SERVER],
    examples: ['vm export TestVm -o TestVm.json'],
    load: async () => (await import('../commands/portable.ts')).exportVm,
  },
  {
    words: ['vm', 'import'],
    summary: 'Import the VMs of a document, off or saved: all of them, or none',
    arguments: [FILE_ARGUMENT],
    flags: [
      ...IMPORT,
      { name: 'name', value: 'NAME', help: 'name of the VM here; only with one VM' },
      ...SERVER,
    ],
    examples: ['vm import TestVm.json', 'vm import TestVm.json --switch Old=New --name Copy'],
    load: async () => (await import('../commands/portable.ts')).importVm,
  },
  {
    words: ['switch', 'export'],
    summary: 'Write a switch with its extensions, policies and host ports as one document',
    arguments: [{ name: 'switch', help: 'switch, by id or name' }],
    flags: [{ name: 'vms', help: 'also the VMs that are configured for it' }, ...OUTPUT, ...SERVER],
    examples: ['switch export TestSwitch --vms -o TestSwitch.json'],
    load: async () => (await import('../commands/portable.ts')).exportSwitch,
  },
  {
    words: ['switch', 'import'],
    summary: 'Import the switches of a document with their VMs: all of it, or nothing',
    arguments: [FILE_ARGUMENT],
    flags: [
      ...IMPORT,
      { name: 'name', value: 'NAME', help: 'name of the switch here; only with one switch' },
      ...SERVER,
    ],
    examples: ['switch import TestSwitch.json', 'switch import hyper-v-host.json'],
    load: async () => (await import('../commands/portable.ts')).importSwitch,
  },
];
