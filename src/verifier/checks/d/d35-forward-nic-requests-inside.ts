import type { RuleCheck } from '../../rule-check.ts';

export const d35: RuleCheck = {
  rule: 'D35',
  what: 'It forwards a NIC_REQUEST after its handler has returned.',
  why: 'The switch guards the NICs the request names only while it goes down. Later, the VM or the adapter may be gone.',
  mend: 'Decide inside FilterOidRequest: forward there, or fail what may be failed. Leave the thinking to a worker that the request does not wait for.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_REQUEST') > 0,
  exercise: 'allocate hardware for a NIC while the extension is enabled',
  breaks: {
    about: 'forwards requests for queues when its worker has written them down',
    type: 'filter',
    attach: (sw) => ({
      nicRequest({ oidName, request }) {
        if (oidName !== 'OID_RECEIVE_FILTER_ALLOCATE_QUEUE') return 'forward';
        const pended = request.pend();
        sw.after(1, () => request.forward());
        return pended;
      },
    }),
  },
  close: {
    about: 'forwards requests for queues at once and has them written down later',
    type: 'filter',
    attach: (sw) => ({
      nicRequest({ oidName }) {
        sw.after(1, () => sw.log(oidName));
        return 'forward';
      },
    }),
  },
};
