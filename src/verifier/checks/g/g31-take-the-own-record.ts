import type { RuleCheck } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

export const g31: RuleCheck = {
  rule: 'G31',
  what: 'It saves records and does not take them back.',
  why: 'The state of the VM in the driver is gone after every save, restore and live migration, and the host logs a record without an owner.',
  mend: 'When ExtensionId is yours, copy the data, bind it to the PortId of the request, and complete with NDIS_STATUS_SUCCESS.',
  by: 'stage',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'saves a record and forwards every restore',
    type: 'filter',
    attach: () => ({ ...savesOneRecord(), restoreNic: () => 'forward' as const }),
  },
  close: {
    about: 'takes its record back, on whatever port it comes',
    type: 'filter',
    attach: () => savesOneRecord(),
  },
};
