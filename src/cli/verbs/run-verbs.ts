import type { CommandSpec } from '../command.ts';
import { EVERYWHERE } from './common-flags.ts';

/** The verb that plays scenario files and life cycles. */
export const RUN_VERBS: readonly CommandSpec[] = [
  {
    words: ['run'],
    summary: 'Play scenario files, or the life cycles that broke real extensions',
    detail:
      'A path, folder or pattern plays scenario files (docs/howto/script-a-scenario.md): TAP with a test point for each scenario and\ncell of its matrix, its steps as a subtest. A name plays a life cycle: a sequence of events with its public origin\n(docs/howto/life-cycles.md), with the bundled extensions unless --extension names others. Exit code 1 when one failed; its\ndiagnostics name the seed that plays the same again.',
    arguments: [
      {
        name: 'file-or-name',
        help: 'scenario files (.yaml, .yml, .json, .ts, .js), folders of them, or life cycles; see --list',
        many: true,
        optional: true,
      },
    ],
    flags: [
      { name: 'list', help: 'print the life cycles there are, with what broke and where' },
      { name: 'all', help: 'run every life cycle' },
      {
        name: 'extension',
        value: 'PATH',
        many: true,
        help: 'extension module to run life cycles with: .ts, .js, .mjs',
      },
      {
        name: 'settings',
        value: 'FILE',
        help: 'JSON with settings of its own policy classes, {"Class": {"Member": 1}}, where the defaults are refused',
      },
      {
        name: 'seed',
        value: 'TEXT',
        help: 'run this seed, over that of the file; with --seeds: SEED-1, SEED-2, …',
      },
      {
        name: 'seeds',
        value: 'N',
        range: [1, 1_000_000],
        help: 'run up to N seeds, until one fails; default 8 for races, else 1',
      },
      {
        name: 'profile',
        value: 'NAME',
        choices: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025', 'all'],
        help: 'Windows version to be, default ws2022; scenarios: over that of the file, all plays them once for each',
      },
      {
        name: 'parallel',
        value: 'N',
        range: [1, 64],
        help: 'play up to N scenarios at once, default 1; the results are the same',
      },
      {
        name: 'store',
        value: 'STORE',
        help: 'memory (default), or nats://server[,server…][/name]: hosts are members of a cluster of their own, which goes with the run unless it has a name',
      },
      {
        name: 'report',
        value: 'FILE',
        many: true,
        help: 'write what came of the scenarios: .html a timeline, .xml JUnit, .json',
      },
      {
        name: 'all-lines',
        help: 'reports: every line of the timelines of scenarios that passed, however long',
      },
      {
        name: 'param',
        value: 'NAME=VALUE',
        many: true,
        help: 'value of a parameter of the scenarios, as YAML',
      },
      ...EVERYWHERE,
    ],
    examples: [
      'run policies/scenarios/life-of-a-vm.yaml',
      'run policies/scenarios --report report.html --parallel 2',
      'run evacuation.yaml --param vms=100 --profile all',
      'run --list',
      'run --all --extension ./fabrikam.ts',
      'run vms-stop-together --extension ./fabrikam.ts --seeds 1000',
      'run vms-stop-together --extension ./fabrikam.ts --seed life-cycle-17',
    ],
    load: async () => (await import('../commands/run.ts')).run,
  },
];
