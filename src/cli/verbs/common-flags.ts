import type { FlagSpec } from '../command.ts';

/** Flags every verb has. */
export const EVERYWHERE: readonly FlagSpec[] = [
  { name: 'json', help: 'print JSON for machines' },
  { name: 'help', short: 'h', help: 'print this help' },
];

/** Address a client talks to when nothing else is said. */
export const DEFAULT_URL = 'http://127.0.0.1:4630';

/** Flags of the verbs that talk to a running server. */
export const SERVER: readonly FlagSpec[] = [
  {
    name: 'url',
    value: 'URL',
    env: 'EXTSWITCH_URL',
    help: `address of the server, default ${DEFAULT_URL}`,
  },
  { name: 'token', value: 'TOKEN', env: 'EXTSWITCH_TOKEN', help: 'bearer token of the server' },
  {
    name: 'world',
    value: 'NAME',
    env: 'EXTSWITCH_WORLD',
    help: 'world to work in, default "default"',
  },
  {
    name: 'on',
    value: 'HOST',
    env: 'EXTSWITCH_ON',
    help: 'host of the cluster to work on, whichever of them --url is',
  },
  ...EVERYWHERE,
];

export const SWITCH_FLAG: FlagSpec = {
  name: 'switch',
  short: 's',
  value: 'SWITCH',
  required: true,
  help: 'switch, by id or name',
};

/** The same where it may be left out. */
export const SWITCH_OPTIONAL: FlagSpec = {
  name: 'switch',
  short: 's',
  value: 'SWITCH',
  help: 'switch, by id or name',
};

export const PORT_FLAG: FlagSpec = {
  name: 'port',
  short: 'p',
  value: 'PORT',
  help: 'port, by id, number or name; without it the switch itself is meant',
};

export const LIMIT_FLAG: FlagSpec = {
  name: 'limit',
  value: 'N',
  range: [1, 10_000_000],
  help: 'print at most N, default all',
};

/** Beside {@link SWITCH_FLAG} and {@link PORT_FLAG}, as -VMName is beside -SwitchName. */
export const VM_FLAG: FlagSpec = { name: 'vm', value: 'VM', help: 'VM, by id or name' };

export const ADAPTER_FLAG: FlagSpec = {
  name: 'adapter',
  value: 'ADAPTER',
  help: 'network adapter of the VM, by id or name; not needed when it has only one',
};

/** Whose policies: a switch or a port of it, or an adapter of a VM, as -SwitchName and -VMName (management.md 4). */
export const TARGET_FLAGS: readonly FlagSpec[] = [
  SWITCH_OPTIONAL,
  PORT_FLAG,
  VM_FLAG,
  ADAPTER_FLAG,
];

export const ASCII_FLAG: FlagSpec = {
  name: 'ascii',
  help: 'draw with ASCII; also done where the locale is not UTF-8',
};

export const MTU_FLAG: FlagSpec = {
  name: 'mtu',
  value: 'BYTES',
  range: [68, 65_535],
  help: 'largest frame payload',
};

/** What NIC_UPDATED may change (rule C29). */
export const NIC_CHANGE_FLAGS: readonly FlagSpec[] = [
  { name: 'name', value: 'NAME', help: 'friendly name' },
  { name: 'mac', value: 'MAC', help: 'permanent address' },
  { name: 'vm-mac', value: 'MAC', help: 'address the guest set' },
  MTU_FLAG,
  { name: 'numa-node', value: 'N', range: [0, 65_535], help: 'NUMA node' },
];

/** Flags of what plays an extension or a scenario again and again, and tells what it found. */
export const PROFILE_FLAG: FlagSpec = {
  name: 'profile',
  value: 'NAME',
  choices: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'],
  help: 'Windows version to be, default ws2022',
};

export const REPORT_FLAG: FlagSpec = {
  name: 'report',
  value: 'FILE',
  many: true,
  help: 'write it to a file too: .html, .sarif, .xml (JUnit), .tap, .json, .txt',
};

/** What `verify` and `sweep` are told of an extension; `of` begins each help. */
export const extensionFlags = (of: string): readonly FlagSpec[] => [
  { name: 'stage', value: 'NAME', many: true, help: `${of}play only this stage` },
  {
    name: 'mof',
    value: 'FILE',
    help: `${of}classes beside what its definition's mof files bring`,
  },
  {
    name: 'settings',
    value: 'FILE',
    help: `${of}JSON with settings of its own policy classes, {"Class": {"Member": 1}}, where the defaults are refused`,
  },
];
