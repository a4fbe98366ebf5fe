import type { CommandSpec } from '../command.ts';
import { EVERYWHERE } from './common-flags.ts';

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
        help: 'only these, with commas: veto, resources, callFails, storeFails, storeLate, messageLost, answerLost, messageTwice, messageLate, delay, restartStack, disableExtension, teardownPort, reorder; and throw, hang, twice, which no extension may do and only play when named',
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
      { name: 'stage', value: 'NAME', many: true, help: 'of an extension: only this stage' },
      {
        name: 'mof',
        value: 'FILE',
        help: "of an extension: classes beside what its definition's mof files bring",
      },
      {
        name: 'settings',
        value: 'FILE',
        help: 'of an extension: JSON with settings of its own policy classes, where the defaults are refused',
      },
      { name: 'param', value: 'NAME=VALUE', many: true, help: 'of a scenario: a parameter' },
      { name: 'seed', value: 'TEXT', help: 'seed of the world' },
      {
        name: 'profile',
        value: 'NAME',
        choices: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'],
        help: 'Windows version to be',
      },
      {
        name: 'report',
        value: 'FILE',
        many: true,
        help: 'write it to a file too: .html, .sarif, .xml (JUnit), .tap, .json, .txt',
      },
      ...EVERYWHERE,
    ],
    examples: [
      'sweep policies/scenarios/migrate-a-vm.yaml --budget 60',
      'sweep ./my-extension.ts --stage whole-life --report sweep.sarif',
    ],
    load: async () => (await import('../commands/sweep.ts')).sweep,
  },
];
