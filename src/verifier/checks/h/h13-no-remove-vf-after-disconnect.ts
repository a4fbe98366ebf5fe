import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { removesVfs } from '../../sample-indications.ts';
import { asksFirst } from '../../sample-requests.ts';

export const h13: RuleCheck = {
  rule: 'H13',
  what: 'It raises REMOVE_VF for a NIC that is disconnected.',
  why: 'The switch has taken the virtual function back itself by then; the number may be that of another VM’s.',
  mend: 'Forget the virtual function of a NIC in disconnectNic, and with it what you had in mind to do about it.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) =>
    activity.vfRemovals > 0 && activity.arrivals('OID_SWITCH_NIC_DISCONNECT') > 0,
  exercise: 'let the extension take a virtual function back, then stop the VM',
  breaks: {
    about: 'takes the virtual function of a NIC back when that is deleted',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        deleteNic({ portId, index, type }) {
          if (type !== 'synthetic') return 'forward';
          const destination = { portId, nicIndex: index };
          sw.indicateNicStatus({ destination, statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF });
          return 'forward';
        },
      }),
  },
  close: {
    about: 'takes virtual functions back while their NICs are connected',
    type: 'forward',
    attach: (sw) => removesVfs(sw, ({ vfAssigned }) => vfAssigned),
  },
};
