import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const d40: RuleCheck = {
  rule: 'D40',
  name: 'NdisOidComplete',
  what: 'It fails a request that gives hardware back or ends its allocation: CLEAR_FILTER, FREE_QUEUE, QUEUE_ALLOCATION_COMPLETE, DELETE_VPORT, FREE_VF.',
  why: 'There is nothing to be done about such a failure: the resource is lost until the host restarts.',
  mend: 'Forward releases whatever your own tables say. What you want to prevent, prevent at the allocation.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) =>
    activity.arrivals('OID_NIC_SWITCH_FREE_VF') +
      activity.arrivals('OID_NIC_SWITCH_DELETE_VPORT') +
      activity.arrivals('OID_RECEIVE_FILTER_FREE_QUEUE') +
      activity.arrivals('OID_RECEIVE_FILTER_CLEAR_FILTER') >
    0,
  exercise: 'take a virtual function or a queue from a NIC while the extension is enabled',
  breaks: {
    about: 'fails the release of a virtual function that is not in its table',
    type: 'forward',
    attach: () => ({
      nicRequest: ({ oidName }) =>
        oidName === 'OID_NIC_SWITCH_FREE_VF' ? NdisStatus.INVALID_PARAMETER : 'forward',
    }),
  },
  close: {
    about: 'notes the release of a virtual function that is not in its table',
    type: 'forward',
    attach: (sw) => ({
      nicRequest({ oidName }) {
        if (oidName === 'OID_NIC_SWITCH_FREE_VF') sw.log('freed one that is not known');
        return 'forward';
      },
    }),
  },
};
