import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const g34: RuleCheck = {
  rule: 'G34',
  what: 'It completes or fails OID_SWITCH_NIC_RESTORE_COMPLETE.',
  why: 'Extensions below wait for the end of a restore that has ended, and keep the NIC in its old state.',
  mend: "Return 'forward' from restoreNicComplete.",
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_RESTORE_COMPLETE') > 0,
  exercise: 'restore a saved VM while the extension is enabled',
  breaks: {
    about: 'refuses RESTORE_COMPLETE when its record has not come',
    type: 'filter',
    attach: () => ({ restoreNicComplete: () => NdisStatus.FAILURE }),
  },
  close: {
    about: 'ends its own restore and forwards',
    type: 'filter',
    attach: (sw) => ({
      restoreNicComplete({ portId }) {
        sw.log(`port ${portId} has its state back`);
        return 'forward';
      },
    }),
  },
};
