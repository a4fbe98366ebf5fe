import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, linkQuery, withReferences } from '../../sample-requests.ts';

export const d32: RuleCheck = {
  rule: 'D32',
  what: 'It sends a NIC_REQUEST to something else than an adapter below the external NIC: another port, or NIC index 0.',
  why: 'Index 0 is the team as a whole, behind which nobody answers; other ports have no hardware. The request fails, or the wrong adapter gets it.',
  mend: 'Name the external port and the index (1 and more) of an adapter you have seen connect.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.issues('OID_SWITCH_NIC_REQUEST') > 0,
  exercise: 'let the extension send a request to an adapter',
  breaks: {
    about: 'asks the external NIC itself for its link',
    type: 'filter',
    attach: (sw) =>
      asksFirst(sw, {
        nicStatus({ source: { portId }, statusCode }) {
          if (statusCode !== NdisStatus.LINK_STATE) return;
          const external = { portId, nicIndex: 0 };
          withReferences(sw, [external], () => void sw.nicRequest(linkQuery(external)));
        },
      }),
  },
  close: {
    about: 'asks the adapter whose link changed',
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
