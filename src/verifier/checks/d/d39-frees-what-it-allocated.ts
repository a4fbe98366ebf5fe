import type { NicOidRequest } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, redirect } from '../../sample-requests.ts';

/** NDIS_NIC_SWITCH_FREE_VF_PARAMETERS.VFId, u16. */
const VF_ID = 8;

export const d39: RuleCheck = {
  rule: 'D39',
  what: 'It frees a virtual function, VPort, queue or filter that it did not allocate.',
  why: 'Somebody else uses it: a VM loses its network in the middle of its work, and the adapter hands the same thing out again.',
  mend: 'Keep what you allocated yourself and free only that. In the place of a request from above, free exactly what it names.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.redirected > 0,
  exercise: 'let the extension redirect a release of hardware',
  breaks: {
    about: 'counts virtual functions in another order than the adapter and frees the wrong one',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        nicRequest(request) {
          if (!isFree(request)) return 'forward';
          const input = request.data.slice();
          input[VF_ID] = (input[VF_ID] ?? 0) ^ 1;
          return redirect(sw, request, { input });
        },
      }),
  },
  close: {
    about: 'frees the virtual function that the request names',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        nicRequest: (request) => (isFree(request) ? redirect(sw, request) : 'forward'),
      }),
  },
};

const isFree = ({ oidName }: NicOidRequest): boolean => oidName === 'OID_NIC_SWITCH_FREE_VF';
