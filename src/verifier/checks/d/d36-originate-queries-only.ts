import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { asksFirst, linkQuery, withReferences } from '../../sample-requests.ts';

/** OID_GEN_CURRENT_PACKET_FILTER (ntddndis.h); NDIS_PACKET_TYPE_PROMISCUOUS. */
const PACKET_FILTER = 0x0001010e;
const PROMISCUOUS = Uint8Array.of(0x20, 0, 0, 0);

export const d36: RuleCheck = {
  rule: 'D36',
  what: 'It is a capturing or filtering extension and originates a NIC_REQUEST that is no query.',
  why: 'The adapters belong to the forwarding extension. Somebody above who sets them up pulls the ground from under it.',
  mend: 'Ask adapters, do not set them. A driver that has to set them is a forwarding extension.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.issues('OID_SWITCH_NIC_REQUEST') > 0,
  exercise: 'let a capturing or filtering extension send a request to an adapter',
  breaks: {
    about: 'is a filter and makes an adapter promiscuous when its link comes up',
    type: 'filter',
    attach: (sw) =>
      asksFirst(sw, {
        nicStatus({ source, statusCode }) {
          if (statusCode !== NdisStatus.LINK_STATE) return;
          const request = { requestType: 'set', oid: PACKET_FILTER, input: PROMISCUOUS } as const;
          const send = () => void sw.nicRequest({ ...request, destination: source });
          withReferences(sw, [source], send);
        },
      }),
  },
  close: {
    about: 'is a filter and asks an adapter for its link',
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
