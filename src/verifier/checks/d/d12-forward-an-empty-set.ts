import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { OidRequest } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';

const ADD = OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code;

export const d12: RuleCheck = {
  rule: 'D12',
  what: 'It fails a set with an empty buffer instead of forwarding it.',
  why: 'Nothing was asked of it. Who refuses it stands in the way of whatever component below gives such a request a meaning.',
  mend: 'When InformationBufferLength is 0, forward before you look at anything else.',
  by: 'stage',
  stages: ['malformed-properties'],
  exercised: (activity) => activity.emptySets > 0,
  exercise: 'send the extension a set with an empty buffer',
  breaks: {
    about: 'refuses a policy that has no bytes',
    type: 'filter',
    attach: () => ({
      oidRequest: (request) => (isEmptyPolicy(request) ? NdisStatus.INVALID_PARAMETER : 'forward'),
    }),
  },
  close: {
    about: 'notes a policy that has no bytes and forwards it',
    type: 'filter',
    attach: (sw) => ({
      oidRequest(request) {
        if (isEmptyPolicy(request)) sw.log('a policy without bytes');
        return 'forward';
      },
    }),
  },
};

const isEmptyPolicy = ({ oid, bytes }: OidRequest): boolean => oid === ADD && bytes.length === 0;
