import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { onePerPort } from '../../sample-properties.ts';

export const e37: RuleCheck = {
  rule: 'E37',
  what: 'It keeps a property that a component below refused.',
  why: "The policy is in nobody's store and is enforced all the same; when it is added again it counts as a second one.",
  mend: 'Look at the status in oidRequestComplete of every property request you forwarded; when it is an error, put back what was before.',
  by: 'stage',
  stages: ['odd-properties'],
  exercised: (activity) => activity.failedBelow > 0,
  exercise:
    'let an extension below refuse a policy of the extension (a forwarding extension has nobody below)',
  breaks: {
    about: 'remembers its policy of a port when it arrives, for good',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => onePerPort(false),
  },
  close: {
    about: 'remembers its policy of a port when it has been accepted by all',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => onePerPort(true),
  },
};
