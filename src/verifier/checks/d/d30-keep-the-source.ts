import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, redirect } from '../../sample-requests.ts';

export const d30: RuleCheck = {
  rule: 'D30',
  what: 'It redirects a NIC_REQUEST with another source port or NIC than it came with.',
  why: 'The adapter books the resource on that source. When the VM goes, it is not given back, or another VM loses its own.',
  mend: 'Copy SourcePortId and SourceNicIndex of the request you filter into the one you send.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.redirected > 0,
  exercise: 'let the extension redirect a hardware request of a VM',
  breaks: {
    about: 'sends the requests of VMs to an adapter in its own name',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        nicRequest: (request) => redirect(sw, request, { source: { portId: 0, nicIndex: 0 } }),
      }),
  },
  close: {
    about: 'sends the requests of VMs to an adapter with the source they came with',
    type: 'forward',
    attach: (sw) => asksFirst(sw, { nicRequest: (request) => redirect(sw, request) }),
  },
};
