import type { RuleCheck } from '../../rule-check.ts';

export const e22: RuleCheck = {
  rule: 'E22',
  what: 'It changes bytes of a property request: the parameters, or the property itself.',
  why: 'The buffer is shared: extensions below enforce another policy than the administrator set, and the store has a third one.',
  mend: 'Copy the property when you have to change it. `settings` is a copy already; `raw` is not.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a port policy while the extension is enabled',
  breaks: {
    about: 'clamps a value of every policy in place',
    type: 'filter',
    attach: () => ({
      addPortProperty({ raw }) {
        raw[0] = 1;
        return 'forward';
      },
    }),
  },
  close: {
    about: 'clamps a value in its copy',
    type: 'filter',
    attach: () => ({
      addPortProperty({ raw }) {
        raw.slice()[0] = 1;
        return 'forward';
      },
    }),
  },
};
