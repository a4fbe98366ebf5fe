import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { instances } from '../../sample-properties.ts';

export const e38: RuleCheck = {
  rule: 'E38',
  what: 'It keeps properties of a port that has been deleted.',
  why: 'The VM gets the same policies on another port when it starts again: they are refused as duplicates, and it does not start.',
  mend: 'Drop everything you hold for a port in deletePort.',
  by: 'stage',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_DELETE') > 0,
  exercise: 'start a VM with policies a second time',
  breaks: {
    about: 'refuses an instance id that it has met before',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => instances(false),
  },
  close: {
    about: 'forgets the instance ids of a port with it',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => instances(true),
  },
};
