import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { portTable } from '../../sample-properties.ts';

export const e26: RuleCheck = {
  rule: 'E26',
  what: 'It refuses the update of a property of its own that it has accepted.',
  why: 'The administrator cannot change a policy any more: only deleting it and adding it anew helps, with a gap in between.',
  mend: 'Find the property by type, id, version and instance id, check the new values as you did at ADD, and take them.',
  by: 'stage',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_UPDATE') > 0,
  exercise: 'update a policy of the extension',
  breaks: {
    about: 'knows ADD and DELETE only',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      updatePortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.NOT_SUPPORTED : 'forward',
    }),
  },
  close: {
    about: 'takes updates of what it holds, and of nothing else',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: (sw) => portTable(sw),
  },
};
