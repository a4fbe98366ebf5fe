import type { CommandSpec } from '../command.ts';
import { EVERYWHERE } from './common-flags.ts';

/** The verb that plays life cycles. */
export const RUN_VERBS: readonly CommandSpec[] = [
  {
    words: ['run'],
    summary: 'Play the life cycles that broke real extensions',
    detail:
      'Each is a named sequence of events with its public origin; docs/howto/life-cycles.md has them all. Prints TAP, one test\npoint for each life cycle and extension. Without --extension the bundled extensions are run. Exit code 1 when one failed;\nits diagnostics name the seed that plays the same again.',
    arguments: [
      { name: 'name', help: 'life cycles to run; see --list', many: true, optional: true },
    ],
    flags: [
      { name: 'list', help: 'print the life cycles there are, with what broke and where' },
      { name: 'all', help: 'run every one' },
      {
        name: 'extension',
        value: 'PATH',
        many: true,
        help: 'extension module to run them with: .ts, .js, .mjs',
      },
      {
        name: 'settings',
        value: 'FILE',
        help: 'JSON with settings of its own policy classes, {"Class": {"Member": 1}}, where the defaults are refused',
      },
      { name: 'seed', value: 'TEXT', help: 'run this seed; with --seeds: SEED-1, SEED-2, …' },
      {
        name: 'seeds',
        value: 'N',
        range: [1, 1_000_000],
        help: 'run up to N seeds, until one fails; default 8 for races, else 1',
      },
      {
        name: 'profile',
        value: 'NAME',
        choices: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'],
        help: 'Windows version to be, default ws2022',
      },
      ...EVERYWHERE,
    ],
    examples: [
      'run --list',
      'run --all --extension ./fabrikam.ts',
      'run vms-stop-together --extension ./fabrikam.ts --seeds 1000',
      'run vms-stop-together --extension ./fabrikam.ts --seed life-cycle-17',
    ],
    load: async () => (await import('../commands/run.ts')).runLifeCycles,
  },
];
