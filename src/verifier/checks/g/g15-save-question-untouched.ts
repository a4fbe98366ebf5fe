import { structure } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

const STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

export const g15: RuleCheck = {
  rule: 'G15',
  what: 'It changes Header, PortId, NicIndex or SaveDataOffset of a save request.',
  why: 'The switch finds the record by them; a changed offset makes it read other bytes than were saved, and the damage shows at restore only.',
  mend: 'Write ExtensionId, the friendly name, FeatureClassId, SaveDataSize and the data at SaveDataOffset; nothing else.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'keeps its index of the NIC in PortId',
    type: 'filter',
    attach: () =>
      savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).PortId = 99;
      }),
  },
  close: {
    about: 'saves its record and leaves the question as it is',
    type: 'filter',
    attach: () => savesOneRecord(),
  },
};
