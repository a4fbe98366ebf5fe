import type { CommandSpec } from '../command.ts';
import { EVERYWHERE, extensionFlags, PROFILE_FLAG, REPORT_FLAG } from './common-flags.ts';

/** The verb that verifies extensions. */
export const VERIFY_VERBS: readonly CommandSpec[] = [
  {
    words: ['verify'],
    summary: 'Drive an extension through the rule book and report each rule it breaks',
    detail:
      'Plays the stages (--list) with the extension between two witnesses, and reports each rule it breaks: what, why it hurts on a\nreal host, how to mend it, the bytes, and the stage and seed that play it again. Exit code 1 when it broke one.',
    arguments: [
      {
        name: 'extension',
        help: 'extension modules: .ts, .js, .mjs',
        many: true,
        optional: true,
      },
    ],
    flags: [
      { name: 'list', help: 'print the stages there are' },
      {
        name: 'explain',
        value: 'RULE',
        help: "what a rule asks, why, how to keep it; by number or Driver Verifier's name",
      },
      ...extensionFlags(''),
      { name: 'seed', value: 'TEXT', help: 'play this seed; with --seeds: SEED-1, SEED-2, …' },
      {
        name: 'seeds',
        value: 'N',
        range: [1, 1_000_000],
        help: 'play up to N seeds of each stage, until one fails; default 8 for races, else 1',
      },
      PROFILE_FLAG,
      {
        name: 'isolate',
        help: 'in a worker thread: what never returns, or eats all memory, becomes a finding',
      },
      {
        name: 'watchdog-ms',
        value: 'MS',
        range: [1, 3_600_000],
        help: 'with --isolate: how long a handler may run, default 1000',
      },
      {
        name: 'memory-mb',
        value: 'MB',
        range: [8, 65_536],
        help: 'with --isolate: memory it may have, default 128',
      },
      { name: 'coverage', help: 'list the rules that were not exercised, with what would' },
      {
        name: 'strict',
        help: 'warnings fail it too: exit code 1, not ok in TAP, a failure in JUnit',
      },
      {
        name: 'format',
        value: 'NAME',
        choices: ['text', 'tap'],
        help: 'what standard output gets, default text',
      },
      REPORT_FLAG,
      ...EVERYWHERE,
    ],
    examples: [
      'verify ./my-extension.ts',
      'verify ./my-extension.ts --coverage --report verify.sarif',
      'verify --explain B42',
    ],
    load: async () => (await import('../commands/verify.ts')).verify,
  },
];
