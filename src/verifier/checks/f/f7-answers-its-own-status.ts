import type { RuleCheck } from '../../rule-check.ts';
import { STATUS_MOF } from '../../sample-classes.ts';

export const f7: RuleCheck = {
  rule: 'F7',
  what: 'It answers a feature status query for an id that is not its own, or never answers one that its MOF file says it has.',
  why: 'The first one hides the status of another vendor and gives the administrator data of the wrong class. The second leaves a status that can be asked for and never comes.',
  mend: 'Compare FeatureStatusId with your own ids; answer those, forward every other.',
  by: 'stage',
  stages: ['feature-status'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_FEATURE_STATUS_QUERY') > 0,
  exercise: 'ask for a feature status while the extension is enabled',
  breaks: {
    about: 'answers every status query with its own data',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) => query.respondRaw(Uint8Array.of(1, 0, 0, 0)),
    }),
  },
  close: {
    about: 'answers its own status and forwards the others',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData' ? query.respond({ Count: 1 }) : 'forward',
    }),
  },
};
