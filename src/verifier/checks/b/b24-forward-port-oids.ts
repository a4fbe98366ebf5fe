import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const b24: RuleCheck = {
  rule: 'B24',
  what: 'It completes OID_SWITCH_PORT_UPDATED, PORT_TEARDOWN or PORT_DELETE itself instead of forwarding it.',
  why: 'Extensions below never learn that the port has gone: they keep its policies and references, and send to a port that is no more.',
  mend: "Return 'forward' from updatePort, teardownPort and deletePort whatever happens inside; release your own state and let the request go on.",
  by: 'runtime',
  exercised: (activity) =>
    activity.arrivals('OID_SWITCH_PORT_TEARDOWN') + activity.arrivals('OID_SWITCH_PORT_UPDATED') >
    0,
  exercise: 'delete a port, or give it another name, while the extension is enabled',
  breaks: {
    about: 'completes PORT_TEARDOWN with success',
    type: 'filter',
    attach: () => ({ teardownPort: () => NdisStatus.SUCCESS }),
  },
  close: {
    about: 'holds PORT_TEARDOWN for a while and then forwards it',
    type: 'filter',
    attach: (sw) => ({
      teardownPort(_port, request) {
        const pended = request.pend();
        sw.after(100, () => request.forward());
        return pended;
      },
    }),
  },
};
