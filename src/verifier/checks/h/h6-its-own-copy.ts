import type { RuleCheck } from '../../rule-check.ts';
import { ownCopy } from '../../sample-indications.ts';

export const h6: RuleCheck = {
  rule: 'H6',
  what: 'It changes the bytes of a status indication that it received.',
  why: 'The structure belongs to the adapter below. Components that keep a pointer to it see another status than was raised.',
  mend: 'Raise a copy with NdisFIndicateStatus and swallow the original.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.sawIndications > 0,
  exercise: 'let an adapter below the switch indicate a status',
  breaks: {
    about: 'writes into the link state that the team is still connected',
    type: 'forward',
    attach: () => ({
      nicStatus({ data }) {
        data[4] = 1;
        return 'forward';
      },
    }),
  },
  close: {
    about: 'raises a copy that says so, and swallows the original',
    type: 'forward',
    attach: (sw) =>
      ownCopy(
        sw,
        ({ portId }) => ({ portId, nicIndex: 0 }),
        (data) => data.fill(1, 4, 5),
      ),
  },
};
