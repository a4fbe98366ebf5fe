import { NdisStatus } from '../../../core/status.ts';
import type { NicOidRequest, Verdict } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const d41: RuleCheck = {
  rule: 'D41',
  what: 'It is a capturing or filtering extension and refuses ALLOCATE_VF, CREATE_VPORT, ALLOCATE_QUEUE or SET_FILTER.',
  why: 'Whether traffic may bypass the switch is for the forwarding extension to say. A VM stays slow, and nobody finds the reason where it is looked for.',
  mend: 'Leave the refusal to the forwarding extension, or be one.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.arrivals('OID_NIC_SWITCH_ALLOCATE_VF') > 0,
  exercise: 'assign a virtual function to a NIC while the extension is enabled',
  breaks: {
    about: 'is a filter and refuses virtual functions to see all packets',
    type: 'filter',
    attach: () => ({ nicRequest: refuseVf }),
  },
  close: {
    about: 'is a forwarding extension and refuses virtual functions to see all packets',
    type: 'forward',
    attach: () => ({ nicRequest: refuseVf }),
  },
};

function refuseVf({ oidName }: NicOidRequest): Verdict {
  return oidName === 'OID_NIC_SWITCH_ALLOCATE_VF' ? NdisStatus.FAILURE : 'forward';
}
