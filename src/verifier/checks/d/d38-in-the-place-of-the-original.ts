import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, redirect } from '../../sample-requests.ts';

export const d38: RuleCheck = {
  rule: 'D38',
  what: 'It originates a hardware-offload request that nobody above has asked, or forwards the original as well, or ends it with another status than its own one had.',
  why: 'Resources of the adapter are counted above. One that is allocated twice is never given back; one that is thought to be there is not.',
  mend: 'Originate such a request only while you filter the same one; do not forward that, and complete it with the status and the answer of yours.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.redirected > 0,
  exercise: 'let the extension redirect a hardware request of a VM',
  breaks: {
    about: 'asks an adapter for a queue, and lets the request from above go on too',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        nicRequest(request) {
          if (request.oidName === 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE') void redirect(sw, request);
          return 'forward';
        },
      }),
  },
  close: {
    about: 'asks an adapter for a queue and ends the request from above as that ended',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        nicRequest: (request) =>
          request.oidName === 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE'
            ? redirect(sw, request)
            : 'forward',
      }),
  },
};
