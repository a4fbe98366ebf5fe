import { structure } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { SAMPLE_ID } from '../../rule-check.ts';
import { savesOneRecord } from '../../sample-savers.ts';

const STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

export const g13: RuleCheck = {
  rule: 'G13',
  what: 'It saves a record with the ExtensionId of somebody else, or without a friendly name.',
  why: 'At restore every extension looks for its own id. A record under a wrong one goes to the wrong driver, or to nobody, and the data is lost.',
  mend: 'Write the GUID of your extension (NetCfgInstanceId of the INF) and its friendly name into every record; state.save() does.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'writes a GUID of its service into ExtensionId',
    type: 'filter',
    attach: () =>
      savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).ExtensionId = '11111111-2222-3333-4444-555555555555';
      }),
  },
  close: {
    about: 'writes the GUID of the extension a second time by hand',
    type: 'filter',
    attach: () =>
      savesOneRecord(({ request }) => {
        STATE.view(request.bytes, 0).ExtensionId = SAMPLE_ID;
      }),
  },
};
