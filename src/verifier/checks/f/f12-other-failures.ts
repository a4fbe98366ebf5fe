import { OIDS } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus, statusName } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { STATUS_MOF } from '../../sample-classes.ts';

const QUERIES: readonly number[] = [
  OIDS.OID_SWITCH_PORT_FEATURE_STATUS_QUERY.code,
  OIDS.OID_SWITCH_FEATURE_STATUS_QUERY.code,
];
/** BUFFER_TOO_SHORT is taken for INVALID_LENGTH (OP-32); a stage reports it as F11. */
const ALLOWED: readonly number[] = [
  NdisStatus.FAILURE,
  NdisStatus.INVALID_LENGTH,
  NdisStatus.BUFFER_TOO_SHORT,
];

export const f12: RuleCheck = {
  rule: 'F12',
  what: 'It fails a feature status query with another status than NDIS_STATUS_FAILURE (or INVALID_LENGTH for room).',
  why: 'Management knows these two. Others are taken for a defect of the switch, or for an id that nobody has.',
  mend: 'Complete with NDIS_STATUS_FAILURE when you cannot give the status now, whatever the reason.',
  by: 'watch',
  stages: ['feature-status'],
  watch: ({ report }) => ({
    ended(request, answer) {
      if (!QUERIES.includes(request.oid)) return;
      if (!isErrorStatus(answer) || ALLOWED.includes(answer)) return;
      report({ message: `failed a feature status query with ${statusName(answer)}`, request });
    },
  }),
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_FEATURE_STATUS_QUERY') > 0,
  exercise: 'ask for a feature status while the extension is enabled',
  breaks: {
    about: 'says NDIS_STATUS_RESOURCES when it has no counters yet',
    type: 'filter',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData' ? NdisStatus.RESOURCES : 'forward',
    }),
  },
  close: {
    about: 'says NDIS_STATUS_FAILURE the first time, when it has no counters yet',
    type: 'filter',
    mof: STATUS_MOF,
    attach() {
      let asked = 0;
      return {
        queryPortFeatureStatus(query) {
          if (query.feature !== 'Sample_PortStatusData') return 'forward';
          asked += 1;
          return asked === 1 ? NdisStatus.FAILURE : query.respond({ Count: asked });
        },
      };
    },
  },
};
