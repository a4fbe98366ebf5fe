import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';

export const e36: RuleCheck = {
  rule: 'E36',
  what: 'It is a capturing extension and refuses a property.',
  why: 'Only filters and forwarding extensions decide; nobody looks for a veto among the captures.',
  mend: 'Make it a filtering extension, or forward.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a policy while the capturing extension is enabled',
  breaks: {
    about: 'is a capture and refuses a policy of its own',
    type: 'capture',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }),
  },
  close: {
    about: 'is a filter and refuses a policy of its own',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }),
  },
};
