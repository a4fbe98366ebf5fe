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
  ...EVERYWHERE,
];

export const SWITCH_FLAG: FlagSpec = {
  name: 'switch',
  short: 's',
  value: 'SWITCH',
  required: true,
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
