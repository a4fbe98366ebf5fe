import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

export const g20: RuleCheck = {
  rule: 'G20',
  what: 'It completes or fails OID_SWITCH_NIC_SAVE_COMPLETE.',
  why: 'Extensions below never learn that the save has ended: their next save begins in the middle of the last one.',
  mend: "Return 'forward' from saveNicComplete.",
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_SAVE_COMPLETE') > 0,
  exercise: 'save a VM while the extension is enabled',
  breaks: {
    about: 'says thank you for SAVE_COMPLETE',
    type: 'filter',
    attach: () => ({ saveNicComplete: () => NdisStatus.SUCCESS }),
  },
  close: {
    about: 'ends its own save and forwards',
    type: 'filter',
    attach: () => savesOneRecord(),
  },
};
