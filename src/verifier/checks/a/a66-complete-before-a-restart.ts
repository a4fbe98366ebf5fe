import type { RuleCheck } from '../../rule-check.ts';

export const a66: RuleCheck = {
  rule: 'A66',
  what: 'It asks for a restart of the stack and goes on holding a request.',
  why: 'The restart waits for the request, the request for the restart: the switch stands still until somebody pulls the driver out.',
  mend: 'Complete or forward what you hold before you call NdisFRestartFilter, or soon after.',
  by: 'runtime',
  stages: ['held-at-restart'],
  exercised: (activity) => activity.restarts > 0 && activity.pended > 0,
  exercise: 'let the extension hold a request when it asks for a restart of the stack',
  breaks: {
    about: 'asks for a restart inside a request that it keeps',
    type: 'filter',
    attach: (sw) => ({
      updateSwitchProperty({ request }) {
        sw.restartStack();
        return request.pend();
      },
    }),
  },
  close: {
    about: 'asks for a restart and then lets the request go',
    type: 'filter',
    attach: (sw) => ({
      updateSwitchProperty({ request }) {
        sw.restartStack();
        const pended = request.pend();
        sw.after(10, () => request.forward());
        return pended;
      },
    }),
  },
};
