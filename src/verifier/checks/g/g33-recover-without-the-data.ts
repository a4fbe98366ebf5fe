import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

export const g33: RuleCheck = {
  rule: 'G33',
  what: 'It fails the restore of a record of its own that it cannot read.',
  why: 'A failed record fails the whole restore, and the VM does not start: for data that the driver could have built anew.',
  mend: 'Log what is wrong, start from the state of a new NIC, and complete with success. Fail only when the VM must not run without the data.',
  by: 'stage',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'refuses a record that does not have its four bytes',
    type: 'filter',
    attach: () => ({
      ...savesOneRecord(),
      restoreNic: (state) => {
        if (!state.isMine) return 'forward';
        return state.data.length === 4 ? NdisStatus.SUCCESS : NdisStatus.FAILURE;
      },
    }),
  },
  close: {
    about: 'starts anew with a record it cannot read',
    type: 'filter',
    attach: (sw) => ({
      ...savesOneRecord(),
      restoreNic: (state) => {
        if (!state.isMine) return 'forward';
        if (state.data.length !== 4) sw.log('the record cannot be read: starting anew');
        return NdisStatus.SUCCESS;
      },
    }),
  },
};
