import { isErrorStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const d14: RuleCheck = {
  rule: 'D14',
  what: 'Its completion handler fails on a request that was refused below, instead of taking back what it had done.',
  why: 'A refusal below is an everyday event. A driver that stumbles over it keeps state for what never came to be, or stops the host.',
  mend: 'In oidRequestComplete look at the status of every request that can be refused, and undo quietly what you did on its way down.',
  by: 'runtime',
  stages: ['clean-up-once'],
  exercised: (activity) => activity.failedBelow > 0,
  exercise:
    'let an extension below refuse what the extension forwarded (a forwarding extension has nobody below)',
  breaks: {
    about: 'takes it for impossible that a request it forwarded fails',
    type: 'filter',
    attach: () => ({
      oidRequestComplete({ oidName, status }) {
        if (isErrorStatus(status)) throw new Error(`${oidName} failed, which cannot be`);
      },
    }),
  },
  close: {
    about: 'counts what failed below',
    type: 'filter',
    attach(sw) {
      let failed = 0;
      return {
        oidRequestComplete({ status }) {
          if (isErrorStatus(status)) failed += 1;
        },
        pause: () => sw.log(`${failed} requests were refused below`),
      };
    },
  },
};
