import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { ownCopy } from '../../sample-indications.ts';
import { asksFirst } from '../../sample-requests.ts';

export const h9: RuleCheck = {
  rule: 'H9',
  what: 'It raises an indication without a reference on the NIC that this names.',
  why: 'The NIC may be taken away between your look at it and the call: the switch indicates the status of memory that is freed.',
  mend: 'Reference the NIC, raise the indication only when that succeeded, and dereference it when NdisFIndicateStatus has returned.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.indicated > 0,
  exercise: 'let the extension raise an indication',
  breaks: {
    about: 'raises its copy of a status without further ado',
    type: 'forward',
    attach: (sw) =>
      asksFirst(sw, {
        nicStatus({ source, statusCode, data }) {
          if (statusCode !== NdisStatus.LINK_STATE) return 'forward';
          sw.indicateNicStatus({ source: { ...source, nicIndex: 0 }, statusCode, data });
          return 'drop';
        },
      }),
  },
  close: {
    about: 'raises its copy of a status with a reference held meanwhile',
    type: 'forward',
    attach: (sw) => ownCopy(sw, ({ portId }) => ({ portId, nicIndex: 0 })),
  },
};
