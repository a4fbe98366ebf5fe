import type { RuleCheck } from '../../rule-check.ts';

export const a72: RuleCheck = {
  rule: 'A72',
  what: 'It throws when NetEventSwitchActivate, or another plug-and-play event, reaches it.',
  why: 'Such events cannot be refused; the driver goes on without the lists it should have built.',
  mend: 'Catch what can fail inside, keep working with what you have, and query again later.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.attached > 0,
  exercise: 'enable the extension on a switch',
  breaks: {
    about: 'throws in activate when a list is empty',
    type: 'filter',
    attach: () => ({
      activate() {
        throw new Error('no ports');
      },
    }),
  },
  close: {
    about: 'logs in activate that a list is empty',
    type: 'filter',
    attach: (sw) => ({
      activate() {
        if (sw.parameters().isActive && sw.ports().length === 0) sw.log('no ports yet');
      },
    }),
  },
};
