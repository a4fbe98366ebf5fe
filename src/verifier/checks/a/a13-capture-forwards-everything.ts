import { OIDS, oidName } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus, statusName } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF, STATUS_MOF } from '../../sample-classes.ts';

/** OP-2: what a capturing extension may own. Vetoes are A17 and E36. */
const OWNED: readonly number[] = [
  OIDS.OID_SWITCH_PORT_FEATURE_STATUS_QUERY.code,
  OIDS.OID_SWITCH_FEATURE_STATUS_QUERY.code,
  OIDS.OID_SWITCH_NIC_SAVE.code,
  OIDS.OID_SWITCH_NIC_RESTORE.code,
];

export const a13: RuleCheck = {
  rule: 'A13',
  what: 'It is a capturing extension and ends a request instead of forwarding it.',
  why: 'Capturing extensions stand above all others and only watch. What one of them ends, nobody below ever sees.',
  mend: 'Forward every request. A capturing extension may answer only what is its own: its feature status, its run-time data. What is to decide belongs into a filter.',
  by: 'watch',
  stages: ['whole-life'],
  watch: ({ module, report }) => ({
    ended(request, answer) {
      if (module.type !== 'capture' || isErrorStatus(answer)) return;
      if (OWNED.includes(request.oid)) return;
      const message = `is a capturing extension and completed ${oidName(request.oid)} with ${statusName(answer)}`;
      report({ message, request });
    },
  }),
  exercised: (activity) => activity.arrivals('OID_') > 0,
  exercise: 'enable the extension on a switch',
  breaks: {
    about: 'is a capture and answers a policy of its own class',
    type: 'capture',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.SUCCESS : 'forward',
    }),
  },
  close: {
    about: 'is a capture and answers its own feature status',
    type: 'capture',
    mof: STATUS_MOF,
    attach: () => ({
      queryPortFeatureStatus: (query) =>
        query.feature === 'Sample_PortStatusData' ? query.respond({ Count: 1 }) : 'forward',
    }),
  },
};
