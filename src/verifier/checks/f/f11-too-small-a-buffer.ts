import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { STATUS_MOF } from '../../sample-classes.ts';

export const f11: RuleCheck = {
  rule: 'F11',
  what: 'It does not answer a feature status query with too little room with NDIS_STATUS_INVALID_LENGTH and the BytesNeeded that would do.',
  why: 'The switch asks again with what BytesNeeded says. With another status it gives up; with too small a number it asks in vain.',
  mend: 'When the data does not fit, set BytesNeeded to the parameters, the custom structure and the data together, and complete with NDIS_STATUS_INVALID_LENGTH.',
  by: 'stage',
  stages: ['feature-status'],
  exercised: (activity) => activity.statusAnswers > 0,
  exercise: 'ask for a status that the extension answers, with room for none of it',
  breaks: {
    about: 'says NDIS_STATUS_FAILURE when there is no room',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus(query) {
        if (query.feature !== 'Sample_PortStatusData') return 'forward';
        if (query.capacityBytes < 4) return NdisStatus.FAILURE;
        return query.respond({ Count: 1 });
      },
    }),
  },
  close: {
    about: 'lets respond() say how much it needs',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData' ? query.respond({ Count: 3 }) : 'forward',
    }),
  },
};
