import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

const SUSPEND = new Set(['OID_SWITCH_NIC_SUSPEND', 'OID_SWITCH_NIC_RESUME']);

export const g45: RuleCheck = {
  rule: 'G45',
  what: 'It completes or fails the OIDs of suspend, resume and suspended migration.',
  why: 'They tell every extension that a NIC stands still. Who ends them keeps the others sending to a VM that does not run.',
  mend: 'Forward OIDs you do not know, these among them.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_SUSPEND') > 0,
  exercise: 'pause a VM with BehaviourOptions.suspendOids, from NDIS 6.50 on',
  breaks: {
    about: 'completes every OID it does not know',
    type: 'filter',
    attach: () => ({
      oidRequest: (request) =>
        SUSPEND.has(request.oidName) ? NdisStatus.NOT_SUPPORTED : 'forward',
    }),
  },
  close: {
    about: 'notes them and forwards',
    type: 'filter',
    attach: (sw) => ({
      oidRequest(request) {
        if (SUSPEND.has(request.oidName)) sw.log(request.oidName);
        return 'forward';
      },
    }),
  },
};
