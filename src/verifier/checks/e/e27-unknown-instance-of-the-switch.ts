import type { RuleCheck } from '../../rule-check.ts';
import { SWITCH_MOF } from '../../sample-classes.ts';
import { switchTable } from '../../sample-properties.ts';

export const e27: RuleCheck = {
  rule: 'E27',
  what: 'It forwards, or takes, an update or deletion of a switch property of its own that it does not hold.',
  why: 'The store and the driver have gone apart, and nobody learns of it: the policy that is shown is not the one that is enforced.',
  mend: 'Complete it with NDIS_STATUS_INVALID_PARAMETER.',
  by: 'stage',
  stages: ['odd-properties'],
  exercised: (activity) => activity.oddProperties > 0,
  exercise: 'register a switch policy class of the extension',
  breaks: {
    about: 'forwards every update of its switch policies',
    type: 'filter',
    mof: SWITCH_MOF,
    attach: () => ({ updateSwitchProperty: () => 'forward' as const }),
  },
  close: {
    about: 'keeps the instances it holds',
    type: 'filter',
    mof: SWITCH_MOF,
    attach: (sw) => switchTable(sw),
  },
};
