import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const c40: RuleCheck = {
  rule: 'C40',
  what: 'It completes or fails OID_SWITCH_NIC_CONNECT, NIC_UPDATED, NIC_DISCONNECT or NIC_DELETE itself.',
  why: 'They tell what has happened and cannot be refused. Extensions below go on with a NIC that has gone, or never learn of one that is there.',
  mend: "Return 'forward' from connectNic, updateNic, disconnectNic and deleteNic whatever happens inside. The place to refuse a NIC is createNic.",
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_CONNECT') > 0,
  exercise: 'start and stop a VM while the extension is enabled',
  breaks: {
    about: 'refuses to connect a NIC for which it has no table entry left',
    type: 'filter',
    attach: () => ({ connectNic: () => NdisStatus.RESOURCES }),
  },
  close: {
    about: 'holds NIC_DISCONNECT until its queue is empty, then forwards it',
    type: 'filter',
    attach: (sw) => ({
      disconnectNic(_nic, request) {
        const pended = request.pend();
        sw.after(20, () => request.forward());
        return pended;
      },
    }),
  },
};
