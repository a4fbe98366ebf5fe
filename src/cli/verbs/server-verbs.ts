import type { CommandSpec } from '../command.ts';
import { SERVER } from './common-flags.ts';

/** Verbs that watch or drive a running server as a whole. */
export const SERVER_VERBS: readonly CommandSpec[] = [
  {
    words: ['trace'],
    summary: 'Print the OID requests and status indications of a running server',
    arguments: [],
    flags: [
      { name: 'follow', short: 'f', help: 'go on with new ones as they complete, until Ctrl-C' },
      {
        name: 'cluster',
        help: 'follow all hosts of the cluster, from now on until Ctrl-C; each line begins with the host',
      },
      {
        name: 'limit',
        short: 'n',
        value: 'N',
        range: [0, 1000],
        help: 'begin with the last N, default 20',
      },
      { name: 'oid', value: 'NAME', help: 'only this OID or indication' },
      { name: 'switch', short: 's', value: 'SWITCH', help: 'only this switch' },
      { name: 'verbose', short: 'v', help: 'with the decoded structure' },
      {
        name: 'save',
        value: 'FILE',
        help: 'write the whole trace to FILE instead, for extswitch replay; - is standard output',
      },
      { name: 'from', value: 'SNAPSHOT', help: 'with --save: begin with this snapshot' },
      ...SERVER,
    ],
    examples: [
      'trace --follow',
      'trace --save bug.jsonl',
      'trace --oid OID_SWITCH_PORT_PROPERTY_ADD --limit 5 --verbose',
      'trace --cluster',
    ],
    load: async () => (await import('../commands/trace.ts')).trace,
  },
  {
    words: ['oid', 'pending'],
    summary:
      'Show the OID requests in flight, as !ndiskd.oid does: where each one is, and for how long',
    arguments: [],
    flags: SERVER,
    examples: ['oid pending'],
    load: async () => (await import('../commands/oid.ts')).pending,
  },
  {
    words: ['batch'],
    summary: 'Make many changes in one request',
    detail:
      'The file is JSON: {"atomic":true,"operations":[{"method":"POST","path":"/v1/switches","body":{"name":"A"}}]}, or only\nthe list of operations. Exit code 1 when an operation failed.',
    arguments: [{ name: 'file', help: 'JSON file, or - for standard input' }],
    flags: [{ name: 'atomic', help: 'undo all of it when one operation is refused' }, ...SERVER],
    examples: ['batch --atomic changes.json'],
    load: async () => (await import('../commands/batch.ts')).batch,
  },
  {
    words: ['world', 'list'],
    summary: 'List the worlds of the server',
    arguments: [],
    flags: SERVER,
    examples: ['world list'],
    load: async () => (await import('../commands/world.ts')).list,
  },
  {
    words: ['world', 'create'],
    aliases: ['add', 'new'],
    summary: 'Create a world: a fabric of its own, in memory',
    arguments: [{ name: 'name', help: 'name of the world', optional: true }],
    flags: [
      { name: 'seed', value: 'TEXT', help: 'seed of its randomness' },
      {
        name: 'profile',
        value: 'NAME',
        choices: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'],
        help: 'Windows version to be, default ws2022',
      },
      {
        name: 'scheduling',
        value: 'HOW',
        choices: ['fifo', 'seeded'],
        help: 'operations that may overlap: one after the other, or in an order the seed picks',
      },
      {
        name: 'verifier',
        value: 'MODE',
        choices: ['off', 'observe', 'enforce'],
        help: "check its extensions while they work; default the server's",
      },
      {
        name: 'isolate',
        value: 'NAME',
        many: true,
        help: 'run this extension, or "all", in a worker thread; default the server\'s',
      },
      {
        name: 'behaviour',
        value: 'OPTIONS',
        help: 'where the documents leave a choice: validationPorts=short|standing, activation=first|last, transientRetries=N, saveOnStop=true, completeFailedRestore=false, internalNics=N, suspendOids=true',
      },
      ...SERVER,
    ],
    examples: [
      'world create test-1 --seed 42',
      'world create test-2 --scheduling seeded --behaviour transientRetries=3,activation=last',
    ],
    load: async () => (await import('../commands/world.ts')).create,
  },
  {
    words: ['world', 'reset'],
    summary: 'Empty a world: no switches, ports, properties or registered features',
    arguments: [{ name: 'name', help: 'name of the world', optional: true }],
    flags: SERVER,
    examples: ['world reset test-1'],
    load: async () => (await import('../commands/world.ts')).reset,
  },
  {
    words: ['world', 'delete'],
    aliases: ['remove'],
    summary: 'Delete a world',
    arguments: [{ name: 'name', help: 'name of the world' }],
    flags: SERVER,
    examples: ['world delete test-1'],
    load: async () => (await import('../commands/world.ts')).remove,
  },
  {
    words: ['openapi'],
    summary: 'Print the OpenAPI document of the server',
    arguments: [],
    flags: [{ name: 'output', short: 'o', value: 'FILE', help: 'write to FILE' }, ...SERVER],
    examples: ['openapi -o extswitch.openapi.json'],
    load: async () => (await import('../commands/openapi.ts')).openapi,
  },
];
