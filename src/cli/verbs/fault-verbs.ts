import type { CommandSpec, FlagSpec } from '../command.ts';
import { SERVER } from './common-flags.ts';

const FAULT = { name: 'fault', help: 'id of the fault rule' } as const;

const AT: FlagSpec = {
  name: 'at',
  value: 'PLACE',
  choices: ['oid', 'call', 'store', 'message'],
  help: "a request at an extension or the miniport edge, an extension's call, a write, a message to another host",
};

const EFFECT: FlagSpec = {
  name: 'effect',
  value: 'EFFECT',
  choices: ['status', 'throw', 'hang', 'delay', 'twice', 'fail', 'lost', 'lostAnswer', 'act'],
  help: 'what happens there',
};

/** Members of a rule beside its id; all but place and effect may be left out. */
const RULE: readonly FlagSpec[] = [
  { name: 'extension', short: 'e', value: 'EXTENSION', help: 'name or id, or miniportEdge' },
  { name: 'oid', value: 'OID', help: 'name of an OID' },
  {
    name: 'request-type',
    value: 'TYPE',
    choices: ['query', 'set', 'method'],
    help: 'only requests of this type',
  },
  { name: 'switch', short: 's', value: 'SWITCH', help: 'name of a switch' },
  { name: 'port-id', value: 'N', range: [0, 0xffff_ffff], help: 'port id on the switch' },
  {
    name: 'call',
    value: 'CALL',
    choices: ['referencePort', 'referenceNic', 'request', 'nicRequest'],
    help: 'which call of an extension',
  },
  { name: 'message', value: 'MESSAGE', help: 'which message of a migration, e.g. take' },
  { name: 'to', value: 'HOST', help: 'only messages to this host' },
  { name: 'status', value: 'STATUS', help: 'NDIS_STATUS, default NDIS_STATUS_RESOURCES' },
  {
    name: 'act',
    value: 'ACT',
    choices: ['disableExtension', 'restartStack', 'teardownPort', 'deleteSwitch'],
    help: 'with the effect act: what is done to the switch, extension or port',
  },
  {
    name: 'delay-ms',
    value: 'MS',
    range: [0, 31_536_000_000],
    help: 'with delay: virtual milliseconds, default 1,000',
  },
  {
    name: 'nth',
    value: 'N',
    range: [1, Number.MAX_SAFE_INTEGER],
    help: 'the first match that is hit, default 1',
  },
  {
    name: 'times',
    value: 'N',
    range: [1, Number.MAX_SAFE_INTEGER],
    help: 'how many matches are hit, default all; of an act 1',
  },
  { name: 'probability', value: 'P', help: 'from 0 to 1, default 1; seeded by the world' },
];

/** Verbs of faults on purpose. */
export const FAULT_VERBS: readonly CommandSpec[] = [
  {
    words: ['fault', 'add'],
    aliases: ['create', 'new'],
    summary: 'Make something fail on purpose',
    detail:
      'What is left out matches everything. Effects: at oid status, throw, hang, delay, twice; at call status; at store fail,\ndelay; at message lost, lostAnswer, twice, delay; act anywhere.',
    arguments: [],
    flags: [
      { name: 'id', value: 'ID', help: 'name of the rule, default fault-1, …' },
      { ...AT, required: true },
      { ...EFFECT, required: true },
      ...RULE,
      ...SERVER,
    ],
    examples: [
      'fault add --at oid --oid OID_SWITCH_PORT_CREATE --effect status --times 1',
      'fault add --at store --effect fail --nth 3 --times 1',
      'fault add --at oid -e mac-forward --effect delay --delay-ms 500 --probability 0.1',
    ],
    load: async () => (await import('../commands/fault.ts')).add,
  },
  {
    words: ['fault', 'list'],
    summary: 'List fault rules with their matches and hits',
    arguments: [],
    flags: SERVER,
    examples: ['fault list'],
    load: async () => (await import('../commands/fault.ts')).list,
  },
  {
    words: ['fault', 'update'],
    summary: 'Change a fault rule while it is in force; its counts go on',
    arguments: [FAULT],
    flags: [
      AT,
      EFFECT,
      ...RULE,
      { name: 'unset', value: 'FLAG', many: true, help: 'take this one away, e.g. times' },
      ...SERVER,
    ],
    examples: ['fault update fault-1 --probability 0', 'fault update fault-1 --unset times'],
    load: async () => (await import('../commands/fault.ts')).update,
  },
  {
    words: ['fault', 'remove'],
    aliases: ['delete'],
    summary: 'Remove a fault rule',
    arguments: [FAULT],
    flags: SERVER,
    examples: ['fault remove fault-1'],
    load: async () => (await import('../commands/fault.ts')).remove,
  },
  {
    words: ['fault', 'clear'],
    summary: 'Remove all fault rules',
    arguments: [],
    flags: SERVER,
    examples: ['fault clear'],
    load: async () => (await import('../commands/fault.ts')).clear,
  },
];
