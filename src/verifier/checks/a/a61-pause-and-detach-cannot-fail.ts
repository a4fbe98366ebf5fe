import type { RuleCheck } from '../../rule-check.ts';

export const a61: RuleCheck = {
  rule: 'A61',
  what: 'It throws in pause or detach.',
  why: 'Neither can be refused: the stack goes on without waiting, and what the driver had not finished is left behind.',
  mend: 'Catch what can fail inside, log it, and return. In detach release everything whatever happens.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.paused > 0,
  exercise: 'disable the extension on a switch',
  breaks: {
    about: 'throws in pause when its queue is not empty',
    type: 'filter',
    attach: () => ({
      pause() {
        throw new Error('the queue is not empty');
      },
    }),
  },
  close: {
    about: 'takes its time in pause',
    type: 'filter',
    attach: (sw) => ({
      pause: () => new Promise<void>((done) => void sw.after(30, done)),
    }),
  },
};
