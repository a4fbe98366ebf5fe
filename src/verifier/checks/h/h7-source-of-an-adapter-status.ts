import type { RuleCheck } from '../../rule-check.ts';
import { ownCopy } from '../../sample-indications.ts';

export const h7: RuleCheck = {
  rule: 'H7',
  what: 'It raises an adapter’s status with another source than the external port and NIC index 0.',
  why: 'Drivers above know one adapter, the external NIC. A status of anything else is for nobody, and gets lost.',
  mend: 'Set SourcePortId to the external port, SourceNicIndex to 0 and the destination to 0/0.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.indicated > 0,
  exercise: 'let the extension raise a status in the place of an adapter',
  breaks: {
    about: 'raises its copy of a status in the name of the adapter',
    type: 'forward',
    attach: (sw) => ownCopy(sw, (source) => source),
  },
  close: {
    about: 'raises its copy of a status in the name of the external NIC',
    type: 'forward',
    attach: (sw) => ownCopy(sw, ({ portId }) => ({ portId, nicIndex: 0 })),
  },
};
