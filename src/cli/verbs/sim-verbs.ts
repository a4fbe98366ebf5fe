import type { CommandSpec } from '../command.ts';
import { EVERYWHERE, SERVER } from './common-flags.ts';

const SNAPSHOT = { name: 'snapshot', help: 'name of the snapshot' } as const;

/** Verbs that drive the simulation: time, snapshots, replay. */
export const SIM_VERBS: readonly CommandSpec[] = [
  {
    words: ['sim', 'time'],
    summary: 'Show the virtual time of a world, stop it, move it, or let it run again',
    detail:
      'stop: time stands still. warp: it moves by --by milliseconds, timers fire in order, and the command ends when all they set\noff is done. resume: it goes on at the pace of the wall from where it stands.',
    arguments: [{ name: 'verb', help: 'stop, warp or resume; left out: show', optional: true }],
    flags: [
      {
        name: 'by',
        value: 'MS',
        range: [0, 31_536_000_000],
        help: 'with warp: virtual milliseconds',
      },
      ...SERVER,
    ],
    examples: ['sim time', 'sim time stop', 'sim time warp --by 12000', 'sim time resume'],
    load: async () => (await import('../commands/sim.ts')).time,
  },
  {
    words: ['sim', 'snapshot', 'create'],
    aliases: ['add', 'new'],
    summary: 'Keep this moment of a world under a name',
    arguments: [{ ...SNAPSHOT, optional: true }],
    flags: SERVER,
    examples: ['sim snapshot create before'],
    load: async () => (await import('../commands/sim.ts')).create,
  },
  {
    words: ['sim', 'snapshot', 'list'],
    summary: 'List the snapshots of a world',
    arguments: [],
    flags: SERVER,
    examples: ['sim snapshot list'],
    load: async () => (await import('../commands/sim.ts')).list,
  },
  {
    words: ['sim', 'snapshot', 'restore'],
    summary: 'Make a world what it was: what came since is gone',
    arguments: [SNAPSHOT],
    flags: SERVER,
    examples: ['sim snapshot restore before'],
    load: async () => (await import('../commands/sim.ts')).restore,
  },
  {
    words: ['sim', 'snapshot', 'fork'],
    summary: 'Make a new world, in memory, that begins as a snapshot of this one',
    arguments: [SNAPSHOT, { name: 'name', help: 'name of the new world', optional: true }],
    flags: SERVER,
    examples: ['sim snapshot fork before experiment'],
    load: async () => (await import('../commands/sim.ts')).fork,
  },
  {
    words: ['sim', 'snapshot', 'delete'],
    aliases: ['remove'],
    summary: 'Forget a snapshot',
    arguments: [SNAPSHOT],
    flags: SERVER,
    examples: ['sim snapshot delete before'],
    load: async () => (await import('../commands/sim.ts')).remove,
  },
  {
    words: ['replay'],
    summary: 'Play a saved trace against an extension, and tell what this version does otherwise',
    detail:
      'The file is what extswitch trace --save wrote. The same OIDs go down in the same order with the same bytes at the same\nvirtual time, on switches that are as they were; extensions below answer as they did. For each request: verdict, status,\noutput, and what the extension issued itself. Exit code 1 when anything differs.',
    arguments: [{ name: 'file', help: 'saved trace, or - for standard input' }],
    flags: [
      {
        name: 'extension',
        short: 'e',
        value: 'PATH',
        help: 'extension module to play it against: .ts, .js, .mjs',
      },
      {
        name: 'in-place-of',
        value: 'ID',
        help: 'extension in the trace whose place it takes, when it has another id',
      },
      ...EVERYWHERE,
    ],
    examples: ['replay bug.jsonl --extension ./v2.ts'],
    load: async () => (await import('../commands/replay.ts')).replay,
  },
];
