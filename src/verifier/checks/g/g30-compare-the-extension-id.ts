import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

export const g30: RuleCheck = {
  rule: 'G30',
  what: 'It takes a restore record of another extension for its own.',
  why: 'The other extension never gets its data back, and this one works with bytes it cannot read.',
  mend: 'Compare ExtensionId of the record with your own GUID before anything else.',
  by: 'stage',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_RESTORE') > 0,
  exercise: 'restore a saved VM while the extension is enabled',
  breaks: {
    about: 'takes whatever record comes',
    type: 'filter',
    attach: () => ({ restoreNic: () => NdisStatus.SUCCESS }),
  },
  close: {
    about: 'takes its own records',
    type: 'filter',
    attach: () => savesOneRecord(),
  },
};
