import { structure } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

const STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

export const g18: RuleCheck = {
  rule: 'G18',
  what: 'It writes into a save request and forwards it.',
  why: 'The next extension below finds a record that is not its own in its buffer, and the switch may keep it.',
  mend: 'Decide first whether there is (more) data. Without any, forward the request as it came.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_SAVE') > 0,
  exercise: 'save a VM while the extension is enabled',
  breaks: {
    about: 'fills in its name before it looks whether there is data',
    type: 'filter',
    attach: () => ({
      saveNic({ request }) {
        STATE.view(request.bytes, 0).ExtensionFriendlyName = 'Sample';
        return 'forward';
      },
    }),
  },
  close: {
    about: 'reads the request and forwards it',
    type: 'filter',
    attach: (sw) => ({
      saveNic({ request }) {
        sw.log(`room for ${STATE.view(request.bytes, 0).SaveDataSize} bytes`);
        return 'forward';
      },
    }),
  },
};
