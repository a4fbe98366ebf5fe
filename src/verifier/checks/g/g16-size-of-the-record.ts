import { structure } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

const STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

export const g16: RuleCheck = {
  rule: 'G16',
  what: 'It reports another SaveDataSize than the bytes it wrote.',
  why: 'What is said to be there and is not is kept with the VM and given back at restore: memory of the host, or zeros, for state.',
  mend: 'Set SaveDataSize to the bytes of this record; state.save() does.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'reports the room it was given, and some, for its size',
    type: 'filter',
    attach: () =>
      savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).SaveDataSize = 60_000;
      }),
  },
  close: {
    about: 'reports what it wrote',
    type: 'filter',
    attach: () =>
      savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).SaveDataSize = 4;
      }),
  },
};
