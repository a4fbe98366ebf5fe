import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const d23: RuleCheck = {
  rule: 'D23',
  what: 'It fails a request that no extension may fail, such as a change of a multicast list.',
  why: 'The change has happened already, or has nobody who could take it back: the switch goes on, and the driver is the only one who believes otherwise.',
  mend: 'Fail only creation of ports and NICs, policies, and allocations of hardware. Forward the rest, also when you cannot use it.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.arrivals('OID_802_3_') > 0,
  exercise: 'change the multicast list of a NIC',
  breaks: {
    about: 'refuses multicast addresses because its table is full',
    type: 'forward',
    attach: () => ({
      nicRequest: ({ oidName }) =>
        oidName === 'OID_802_3_ADD_MULTICAST_ADDRESS' ? NdisStatus.RESOURCES : 'forward',
    }),
  },
  close: {
    about: 'keeps the multicast addresses of each NIC and forwards them',
    type: 'forward',
    attach() {
      const lists = new Map<number, Set<string>>();
      return {
        nicRequest({ oidName, source, data }) {
          const list = lists.get(source.portId) ?? new Set();
          lists.set(source.portId, list);
          const address = Buffer.from(data).toString('hex');
          if (oidName === 'OID_802_3_ADD_MULTICAST_ADDRESS') list.add(address);
          else if (oidName === 'OID_802_3_DELETE_MULTICAST_ADDRESS') list.delete(address);
          return 'forward';
        },
      };
    },
  },
};
