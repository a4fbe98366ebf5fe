import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const c38: RuleCheck = {
  rule: 'C38',
  what: 'It completes OID_SWITCH_NIC_CREATE with success instead of forwarding it.',
  why: 'Nobody below hears of the NIC, and then gets its connect, its packets and its deletion.',
  mend: 'Forward NIC_CREATE, or refuse it with NDIS_STATUS_DATA_NOT_ACCEPTED; there is nothing in between.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_CREATE') > 0,
  exercise: 'start a VM while the extension is enabled',
  breaks: {
    about: 'says yes to a NIC where it should pass it on',
    type: 'filter',
    attach: () => ({ createNic: () => NdisStatus.SUCCESS }),
  },
  close: {
    about: 'holds NIC_CREATE while it prepares, then forwards it',
    type: 'filter',
    attach: (sw) => ({
      createNic(_nic, request) {
        const pended = request.pend();
        sw.after(5, () => request.forward());
        return pended;
      },
    }),
  },
};
