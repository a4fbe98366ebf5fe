import type { RuleCheck } from '../../rule-check.ts';
import { STATUS_MOF } from '../../sample-classes.ts';

/** NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS: a byte of FeatureStatusInstanceId. */
const INSTANCE = 40;

export const f10: RuleCheck = {
  rule: 'F10',
  what: 'It changes other members of a feature status query than the version, the length and the data.',
  why: 'Whoever asked finds an answer to a question that was not asked, and cannot tell what it belongs to.',
  mend: 'Write FeatureStatusVersion, the length in the custom structure, and the data behind it; nothing else.',
  by: 'runtime',
  stages: ['feature-status'],
  exercised: (activity) => activity.statusAnswers > 0,
  exercise: 'ask for a status that the extension answers',
  breaks: {
    about: 'puts an id of its own into the instance id of the question',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus(query) {
        if (query.feature !== 'Sample_PortStatusData') return 'forward';
        query.request.bytes[INSTANCE] = 0x77;
        return query.respond({ Count: 1 });
      },
    }),
  },
  close: {
    about: 'writes the answer and nothing else',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData' ? query.respond({ Count: 2 }) : 'forward',
    }),
  },
};
