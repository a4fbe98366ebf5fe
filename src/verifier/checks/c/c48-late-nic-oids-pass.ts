import { NdisStatus } from '../../../core/status.ts';
import type { ExtensionHandlers } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const c48: RuleCheck = {
  rule: 'C48',
  what: 'It fails or keeps an OID that the switch had issued before a NIC was disconnected and that arrives after it.',
  why: 'Such requests are on their way whenever a VM stops under load. Who fails them makes the switch report an error for a change that was right.',
  mend: "Forward what arrives for a NIC you do not know (any more): 'not found' in your own table is no error.",
  by: 'stage',
  stages: ['late-oids'],
  exercised: (activity) => activity.lateArrivals > 0,
  exercise: 'disconnect a NIC while a request for it is on its way',
  breaks: {
    about: 'fails an update of a NIC that is not in its table',
    type: 'filter',
    attach: () => nicTable((isKnown) => (isKnown ? 'forward' : NdisStatus.INVALID_PARAMETER)),
  },
  close: {
    about: 'forwards an update of a NIC that is not in its table',
    type: 'filter',
    attach: () => nicTable(() => 'forward'),
  },
};

function nicTable(onUpdate: (isKnown: boolean) => 'forward' | NdisStatus): ExtensionHandlers {
  const nics = new Set<string>();
  return {
    connectNic({ portId, index }) {
      nics.add(`${portId}/${index}`);
      return 'forward';
    },
    disconnectNic({ portId, index }) {
      nics.delete(`${portId}/${index}`);
      return 'forward';
    },
    updateNic: ({ portId, index }) => onUpdate(nics.has(`${portId}/${index}`)),
  };
}
