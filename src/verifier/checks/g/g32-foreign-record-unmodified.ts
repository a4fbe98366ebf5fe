import { structure } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

const STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

export const g32: RuleCheck = {
  rule: 'G32',
  what: 'It changes a restore record of another extension, or ends it.',
  why: 'The owner gets other data than it saved, or none.',
  mend: 'Forward a record whose ExtensionId is not yours, as it came.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_RESTORE') > 0,
  exercise: 'restore a saved VM while the extension is enabled',
  breaks: {
    about: 'marks every record as seen',
    type: 'filter',
    attach: () => ({
      restoreNic({ request }) {
        STATE.view(request.bytes, 0).FeatureClassId = '11111111-2222-3333-4444-555555555555';
        return 'forward';
      },
    }),
  },
  close: {
    about: 'reads every record and forwards it',
    type: 'filter',
    attach: (sw) => ({
      restoreNic(state) {
        sw.log(`a record of ${state.extensionFriendlyName}, ${state.data.length} bytes`);
        return 'forward';
      },
    }),
  },
};
