import type { CommandSpec } from '../command.ts';
import { EVERYWHERE, extensionFlags, PROFILE_FLAG, REPORT_FLAG } from './common-flags.ts';

/** The verb that fails every fault site once. */
export const SWEEP_VERBS: readonly CommandSpec[] = [
  {
    words: ['sweep'],
    summary: 'Fail everything that can fail in a scenario, one at a time, until none is left',
    detail:
      'Plays a scenario file, or the stages of verify with an extension, again for every place where something can fail and every\neffect the rules allow there, and reports what was mishandled with the command that plays exactly that fault. Exit code 1 when\nsomething was.',
    arguments: [{ name: 'file', help: 'a scenario (.yaml, .json, .ts) or an extension module' }],
    flags: [
      { name: 'list', help: 'print the faults it begins with, and play none' },
      { name: 'only', value: 'FAULT', help: 'play only this one, as a report names it' },
      {
        name: 'effects',
        value: 'LIST',
        help: 'only these, with commas: veto, resources, callFails, storeFails, storeLate, crash, crashAnswered, messageLost, answerLost, messageTwice, messageLate, delay, restartStack, disableExtension, toggleExtension, teardownPort, deleteSwitch, reorder; and throw, hang, twice, which no extension may do and only play when named',
      },
      { name: 'site', value: 'TEXT', help: 'only places whose name has this in it' },
      {
        name: 'attempts',
        value: 'N',
        range: [1, 1_000_000],
        help: 'how many places of one kind are failed, default 2',
      },
      {
        name: 'budget',
        value: 'SECONDS',
        range: [1, 1_000_000],
        help: 'begin no run after this; what differs most is played first',
      },
      { name: 'max-runs', value: 'N', range: [1, 100_000_000], help: 'no more runs than this' },
      {
        name: 'jobs',
        value: 'N',
        range: [1, 64],
        help: 'threads that sweep cells or stages side by side, default 1; the report is the same',
      },
      ...extensionFlags('of an extension: '),
      { name: 'param', value: 'NAME=VALUE', many: true, help: 'of a scenario: a parameter' },
      { name: 'seed', value: 'TEXT', help: 'seed of the world' },
      { ...PROFILE_FLAG, help: 'Windows version to be, default ws2022, or what the scenario says' },
      REPORT_FLAG,
      ...EVERYWHERE,
    ],
    examples: [
      'sweep policies/scenarios/migrate-a-vm.yaml --budget 60',
      'sweep ./my-extension.ts --stage whole-life --report sweep.sarif',
    ],
    load: async () => (await import('../commands/sweep.ts')).sweep,
  },
];
