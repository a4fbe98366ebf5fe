import type { RuleCheck } from '../../rule-check.ts';

export const d6: RuleCheck = {
  rule: 'D6',
  name: 'NdisTimedOidComplete',
  what: 'It keeps a request and never completes or forwards it, throws instead of an answer, or answers with what is no status.',
  why: 'The next request waits for this one. VMs that start or stop, and the management service with them, stand still until the host is restarted.',
  mend: 'On every way through your handler, errors and timeouts included, complete or forward the request exactly once, within 12 seconds.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_') > 0,
  exercise: 'let any request reach the extension',
  breaks: {
    about: 'waits with NIC_DELETE for a worker that never comes',
    type: 'filter',
    attach: () => ({ deleteNic: (_nic, request) => request.pend() }),
  },
  close: {
    about: 'holds NIC_DELETE for eleven seconds and then forwards it',
    type: 'filter',
    attach: (sw) => ({
      deleteNic(_nic, request) {
        const pended = request.pend();
        sw.after(11_000, () => request.forward());
        return pended;
      },
    }),
  },
};
