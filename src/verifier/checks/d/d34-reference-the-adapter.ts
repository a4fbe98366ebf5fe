import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, linkQuery, withReferences } from '../../sample-requests.ts';

export const d34: RuleCheck = {
  rule: 'D34',
  what: 'It sends a NIC_REQUEST to an adapter without a reference on it.',
  why: 'Adapters are unplugged and teams taken apart under load. Without the reference the adapter is gone before the request arrives.',
  mend: 'Call ReferenceSwitchNic before NdisFOidRequest, do not send when it fails, and dereference the same pair when the request has ended.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.issues('OID_SWITCH_NIC_REQUEST') > 0,
  exercise: 'let the extension send a request to an adapter',
  breaks: {
    about: 'asks the adapter whose link changed without further ado',
    type: 'filter',
    attach: (sw) =>
      asksFirst(sw, {
        nicStatus({ source, statusCode }) {
          if (statusCode === NdisStatus.LINK_STATE) void sw.nicRequest(linkQuery(source));
        },
      }),
  },
  close: {
    about: 'asks it with a reference held meanwhile',
    type: 'filter',
    attach: (sw) =>
      asksFirst(sw, {
        nicStatus({ source, statusCode }) {
          if (statusCode !== NdisStatus.LINK_STATE) return;
          withReferences(sw, [source], () => void sw.nicRequest(linkQuery(source)));
        },
      }),
  },
};
