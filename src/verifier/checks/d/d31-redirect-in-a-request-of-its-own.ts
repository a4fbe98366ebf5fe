import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, redirect } from '../../sample-requests.ts';

/** NDIS_SWITCH_NIC_OID_REQUEST.DestinationNicIndex, u16. */
const DESTINATION_NIC_INDEX = 20;

export const d31: RuleCheck = {
  rule: 'D31',
  what: 'It redirects a NIC_REQUEST by writing another destination into the one it received.',
  why: 'The structure belongs to the switch: it looks for the answer, and counts the resource, where it sent the request.',
  mend: 'Build an NDIS_SWITCH_NIC_OID_REQUEST of your own around a clone of the inner request, send that, and complete the original with its status.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_REQUEST') > 0,
  exercise: 'allocate hardware for a NIC while the extension is enabled',
  breaks: {
    about: 'writes the index of an adapter into requests for queues',
    type: 'forward',
    attach: () => ({
      nicRequest({ oidName, request }) {
        if (oidName === 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE') {
          request.bytes[DESTINATION_NIC_INDEX] = 1;
        }
        return 'forward';
      },
    }),
  },
  close: {
    about: 'sends requests for queues to an adapter in requests of its own',
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
