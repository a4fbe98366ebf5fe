import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const b28: RuleCheck = {
  rule: 'B28',
  what: 'It completes OID_SWITCH_PORT_CREATE with success instead of forwarding it.',
  why: 'Nobody below hears of the port. They meet NICs, policies and packets of a port that does not exist for them.',
  mend: 'Forward PORT_CREATE, or refuse it with NDIS_STATUS_DATA_NOT_ACCEPTED; there is nothing in between.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_CREATE') > 0,
  exercise: 'create a port while the extension is enabled',
  breaks: {
    about: 'says yes to a port where it should pass it on',
    type: 'filter',
    attach: () => ({ createPort: () => NdisStatus.SUCCESS }),
  },
  close: {
    about: 'holds PORT_CREATE while it prepares, then forwards it',
    type: 'filter',
    attach: (sw) => ({
      createPort(_port, request) {
        const pended = request.pend();
        sw.after(5, () => request.forward());
        return pended;
      },
    }),
  },
};
