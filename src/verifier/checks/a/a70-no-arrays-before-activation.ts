import type { RuleCheck } from '../../rule-check.ts';

export const a70: RuleCheck = {
  rule: 'A70',
  what: 'It queries ports, NICs or properties while the switch is not active.',
  why: 'The lists are incomplete then, and what comes in between is missed for ever.',
  mend: 'Look at IsActive of OID_SWITCH_PARAMETERS; when it is FALSE wait for NetEventSwitchActivate and query there.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.issues('OID_SWITCH_PARAMETERS') > 0,
  exercise: 'create a switch on which the extension is enabled from the beginning',
  breaks: {
    about: 'asks for everything in restart, whether the switch is active or not',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
        sw.ports();
      },
    }),
  },
  close: {
    about: 'asks in restart when the switch is active, else when it is activated',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        if (sw.parameters().isActive) sw.ports();
      },
      activate() {
        if (sw.parameters().isActive) sw.ports();
      },
    }),
  },
};
