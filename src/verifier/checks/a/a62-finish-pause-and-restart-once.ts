import type { RuleCheck } from '../../rule-check.ts';

export const a62: RuleCheck = {
  rule: 'A62',
  name: 'NdisFilterTimedPauseComplete',
  what: 'It begins to pause and never says that it has paused.',
  why: 'The whole stack waits: no extension can be enabled or disabled, the switch cannot be deleted, the host does not shut down.',
  mend: 'Finish a pause that was pending exactly once, whatever it waited for; give every wait an end.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.paused > 0,
  exercise: 'disable the extension on a switch',
  breaks: {
    about: 'waits in pause for a packet that never comes',
    type: 'filter',
    attach: () => ({ pause: () => new Promise<void>(() => undefined) }),
  },
  close: {
    about: 'finishes its pause after eleven seconds',
    type: 'filter',
    attach: (sw) => ({
      pause: () => new Promise<void>((done) => void sw.after(11_000, done)),
    }),
  },
};
