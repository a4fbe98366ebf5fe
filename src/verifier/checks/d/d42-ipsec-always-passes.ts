import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const d42: RuleCheck = {
  rule: 'D42',
  what: 'It fails a request for IPsec offload.',
  why: 'The guest has its security association in the adapter already. When its change or end does not arrive, it encrypts with keys that should be gone.',
  mend: 'Forward OID_TCP_TASK_IPSEC_OFFLOAD_V2_*; an adapter that cannot do it says so itself.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.arrivals('OID_TCP_TASK_IPSEC_OFFLOAD_V2') > 0,
  exercise: 'change an IPsec association of a NIC while the extension is enabled',
  breaks: {
    about: 'refuses the update of an association because it knows none',
    type: 'forward',
    attach: () => ({
      nicRequest: ({ oidName }) =>
        oidName === 'OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA' ? NdisStatus.FAILURE : 'forward',
    }),
  },
  close: {
    about: 'lets the adapter refuse it',
    type: 'forward',
    attach(sw) {
      return {
        nicRequest({ oidName }) {
          sw.log(`${oidName} is for the adapter to answer`);
          return 'forward';
        },
      };
    },
  },
};
