import { NdisStatus } from '../../../core/status.ts';
import type { ExtensionHandlers, NicAddress, SwitchContext } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { addressOf, asksFirst, linkQuery, vmNics, withReferences } from '../../sample-requests.ts';

export const d33: RuleCheck = {
  rule: 'D33',
  what: 'It sends a NIC_REQUEST on behalf of a partition whose NIC it does not hold a reference on.',
  why: 'The VM may stop while the request is on its way. What the adapter then hands out belongs to a NIC that is gone.',
  mend: 'Reference the source NIC as well as the destination before you send, and give both back when the request has ended. Requests for your own purpose have source 0/0.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.issues('OID_SWITCH_NIC_REQUEST') > 0,
  exercise: 'let the extension send a request on behalf of a VM',
  breaks: {
    about: 'asks an adapter in the name of each VM and references the adapter only',
    type: 'forward',
    attach: (sw) => asker(sw, (adapter) => [adapter]),
  },
  close: {
    about: 'asks an adapter in the name of each VM and references both',
    type: 'forward',
    attach: (sw) => asker(sw, (adapter, vm) => [adapter, vm]),
  },
};

function asker(
  sw: SwitchContext,
  referenced: (adapter: NicAddress, vm: NicAddress) => readonly NicAddress[],
): ExtensionHandlers {
  return asksFirst(sw, {
    nicStatus({ source, statusCode }) {
      if (statusCode !== NdisStatus.LINK_STATE) return;
      for (const vm of vmNics(sw).map(addressOf)) {
        withReferences(sw, referenced(source, vm), () => void sw.nicRequest(linkQuery(source, vm)));
      }
    },
  });
}
