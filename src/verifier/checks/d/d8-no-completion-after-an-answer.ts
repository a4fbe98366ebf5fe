import type { RuleCheck } from '../../rule-check.ts';

export const d8: RuleCheck = {
  rule: 'D8',
  name: 'NdisOidDoubleComplete',
  what: 'It completes a request that it has answered already.',
  why: 'The request may be another one by then, or freed memory: NDIS completes what nobody asked, or the host stops.',
  mend: 'Either return a final answer from the handler, or pend and complete once later. Clear your pointer to the request in the same step.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_') > 0,
  exercise: 'let any request reach the extension',
  breaks: {
    about: 'forwards PORT_DELETE at once, and again when its worker has cleaned up',
    type: 'filter',
    attach: (sw) => ({
      deletePort(_port, request) {
        sw.after(1, () => request.forward());
        return 'forward';
      },
    }),
  },
  close: {
    about: 'pends PORT_DELETE and forwards it once, when its worker has cleaned up',
    type: 'filter',
    attach: (sw) => ({
      deletePort(_port, request) {
        const pended = request.pend();
        sw.after(1, () => request.forward());
        return pended;
      },
    }),
  },
};
