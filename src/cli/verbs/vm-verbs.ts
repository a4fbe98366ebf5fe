import type { CommandSpec, FlagSpec } from '../command.ts';
import {
  ADAPTER_FLAG,
  ASCII_FLAG,
  LIMIT_FLAG,
  MTU_FLAG,
  NIC_CHANGE_FLAGS,
  SERVER,
  VM_FLAG,
} from './common-flags.ts';

const VM_ARGUMENT = { name: 'vm', help: 'VM, by id or name' } as const;
const VM_ARGUMENTS = { ...VM_ARGUMENT, help: 'VMs, by id or name', many: true } as const;
const REQUIRED_VM: FlagSpec = { ...VM_FLAG, required: true };
const ADAPTER_OF_VM: readonly FlagSpec[] = [REQUIRED_VM, ADAPTER_FLAG];
const MAC_FLAG: FlagSpec = {
  name: 'mac',
  value: 'MAC',
  help: 'static address, default a dynamic one of the pool 00-15-5d',
};

const REQUIRE_FLAG: FlagSpec = {
  name: 'require',
  value: 'FEATURE',
  many: true,
  help: 'feature the switch must offer, by class name or id: else it does not connect there (MandatoryFeatureId)',
};

/** Verbs that change the state of VMs: the same shape each. */
const STATE_VERBS: readonly CommandSpec[] = (
  [
    ['start', 'Start VMs: their ports, policies and NICs come'],
    ['stop', 'Turn VMs off: their NICs and ports go'],
    ['pause', 'Pause VMs in memory; their NICs stay connected', 'suspend'],
    ['resume', 'Let paused VMs go on'],
    ['save', 'Save VMs with the run-time data of the extensions'],
  ] as const
).map(([verb, summary, alias]) => ({
  words: ['vm', verb],
  ...(alias === undefined ? {} : { aliases: [alias] }),
  summary,
  arguments: [VM_ARGUMENTS],
  flags: SERVER,
  examples: [`vm ${verb} TestVm`],
  load: async () => (await import('../commands/vm.ts'))[verb],
}));

/** Nouns `vm` and `vm adapter`. */
export const VM_VERBS: readonly CommandSpec[] = [
  {
    words: ['vm', 'list'],
    summary: 'List the VMs',
    arguments: [],
    flags: [LIMIT_FLAG, ...SERVER],
    examples: ['vm list'],
    load: async () => (await import('../commands/vm.ts')).list,
  },
  {
    words: ['vm', 'show'],
    aliases: ['get'],
    summary: 'Draw a VM with its adapters and every name their connections have',
    arguments: [VM_ARGUMENT],
    flags: [ASCII_FLAG, ...SERVER],
    examples: ['vm show TestVm'],
    load: async () => (await import('../commands/vm.ts')).show,
  },
  {
    words: ['vm', 'create'],
    aliases: ['add', 'new'],
    summary: 'Create a VM with its network adapters; it is off',
    arguments: [{ name: 'name', help: 'name of the VM' }],
    flags: [
      {
        name: 'switch',
        short: 's',
        value: 'SWITCH',
        many: true,
        help: 'an adapter on this switch',
      },
      {
        name: 'adapter',
        value: 'NAME,…',
        many: true,
        help: 'an adapter: its name, then switch=…, mac=…, type=synthetic|emulated, mtu=…, requires=FEATURE (repeatable)',
      },
      ...SERVER,
    ],
    examples: [
      'vm create TestVm --switch TestSwitch',
      'vm create Router --adapter lan,switch=Inside --adapter wan,switch=Outside,mtu=9000',
    ],
    load: async () => (await import('../commands/vm.ts')).create,
  },
  ...STATE_VERBS,
  {
    words: ['vm', 'restore'],
    summary: 'Restore a saved VM; the extensions get their run-time data back',
    arguments: [VM_ARGUMENT],
    flags: SERVER,
    examples: ['vm restore TestVm'],
    load: async () => (await import('../commands/vm.ts')).restore,
  },
  {
    words: ['vm', 'delete'],
    aliases: ['remove'],
    summary: 'Delete a VM that is off or saved, with its adapters and their policies',
    arguments: [VM_ARGUMENT],
    flags: SERVER,
    examples: ['vm delete TestVm'],
    load: async () => (await import('../commands/vm.ts')).remove,
  },
  {
    words: ['vm', 'adapter', 'list'],
    summary: 'List the network adapters of a VM',
    arguments: [],
    flags: [REQUIRED_VM, ...SERVER],
    examples: ['vm adapter list --vm TestVm'],
    load: async () => (await import('../commands/vm-adapter.ts')).list,
  },
  {
    words: ['vm', 'adapter', 'show'],
    aliases: ['get'],
    summary: 'Show a network adapter with every name its connection has',
    arguments: [],
    flags: [...ADAPTER_OF_VM, ASCII_FLAG, ...SERVER],
    examples: ['vm adapter show --vm TestVm'],
    load: async () => (await import('../commands/vm-adapter.ts')).show,
  },
  {
    words: ['vm', 'adapter', 'add'],
    aliases: ['create', 'new'],
    summary: 'Add a network adapter to a VM, also while it runs',
    arguments: [{ name: 'name', help: 'name of the adapter', optional: true }],
    flags: [
      REQUIRED_VM,
      {
        name: 'switch',
        short: 's',
        value: 'SWITCH',
        help: 'switch to connect it to, by id or name; default none',
      },
      MAC_FLAG,
      {
        name: 'type',
        value: 'TYPE',
        choices: ['synthetic', 'emulated'],
        help: 'kind of adapter, default synthetic',
      },
      MTU_FLAG,
      REQUIRE_FLAG,
      ASCII_FLAG,
      ...SERVER,
    ],
    examples: ['vm adapter add eth1 --vm TestVm --switch TestSwitch'],
    load: async () => (await import('../commands/vm-adapter.ts')).add,
  },
  {
    words: ['vm', 'adapter', 'set'],
    aliases: ['update'],
    summary: 'Change name, addresses, MTU or required features of a network adapter',
    detail:
      'While it is connected, the extensions see OID_SWITCH_NIC_UPDATED, and it must stay where what it requires is offered.',
    arguments: [],
    flags: [
      ...ADAPTER_OF_VM,
      ...NIC_CHANGE_FLAGS,
      { ...REQUIRE_FLAG, help: `${REQUIRE_FLAG.help}; all of them, those of before go` },
      { name: 'require-none', help: 'require no features any more' },
      ASCII_FLAG,
      ...SERVER,
    ],
    examples: [
      'vm adapter set --vm TestVm --mtu 9000',
      'vm adapter set --vm TestVm --require Fabrikam_PortCustomSettingData',
    ],
    load: async () => (await import('../commands/vm-adapter.ts')).set,
  },
  {
    words: ['vm', 'adapter', 'connect'],
    summary: 'Connect a network adapter to a switch, or move it there with its policies',
    arguments: [],
    flags: [
      ...ADAPTER_OF_VM,
      {
        name: 'switch',
        short: 's',
        value: 'SWITCH',
        required: true,
        help: 'switch, by id or name',
      },
      ASCII_FLAG,
      ...SERVER,
    ],
    examples: ['vm adapter connect --vm TestVm --switch TestSwitch'],
    load: async () => (await import('../commands/vm-adapter.ts')).connectAdapter,
  },
  {
    words: ['vm', 'adapter', 'disconnect'],
    summary: 'Disconnect a network adapter from its switch; its policies stay with it',
    arguments: [],
    flags: [...ADAPTER_OF_VM, ASCII_FLAG, ...SERVER],
    examples: ['vm adapter disconnect --vm TestVm'],
    load: async () => (await import('../commands/vm-adapter.ts')).disconnect,
  },
  {
    words: ['vm', 'adapter', 'assign-vf'],
    summary: 'Give a network adapter a virtual function of the uplink (SR-IOV)',
    arguments: [],
    flags: [...ADAPTER_OF_VM, ASCII_FLAG, ...SERVER],
    examples: ['vm adapter assign-vf --vm TestVm'],
    load: async () => (await import('../commands/vm-adapter.ts')).assignVf,
  },
  {
    words: ['vm', 'adapter', 'remove-vf'],
    summary: 'Take the virtual function of a network adapter back',
    arguments: [],
    flags: [...ADAPTER_OF_VM, ...SERVER],
    examples: ['vm adapter remove-vf --vm TestVm'],
    load: async () => (await import('../commands/vm-adapter.ts')).removeVf,
  },
  {
    words: ['vm', 'adapter', 'remove'],
    aliases: ['delete'],
    summary: 'Remove a network adapter with its policies, also while the VM runs',
    arguments: [],
    flags: [...ADAPTER_OF_VM, ...SERVER],
    examples: ['vm adapter remove --vm TestVm --adapter eth1'],
    load: async () => (await import('../commands/vm-adapter.ts')).remove,
  },
];
