import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { forwardsWhole } from '../../sample-properties.ts';

export const e34: RuleCheck = {
  rule: 'E34',
  what: 'It takes a property of its own whose buffer is too short, or refuses it with another status than NDIS_STATUS_INVALID_LENGTH.',
  why: 'What lies behind the buffer is read as policy. On a real host that is other memory, or a stop.',
  mend: 'Compare PropertyBufferLength with the size of your structure; when it is less, set BytesNeeded and complete with NDIS_STATUS_INVALID_LENGTH.',
  by: 'stage',
  stages: ['odd-properties'],
  exercised: (activity) => activity.oddProperties > 0,
  exercise: 'register a policy class of the extension',
  breaks: {
    about: 'takes whatever length its policy has',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({ addPortProperty: () => 'forward' as const }),
  },
  close: {
    about: 'looks at the length of its policy first',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({ addPortProperty: forwardsWhole }),
  },
};
