import type { RuleCheck } from '../../rule-check.ts';
import { knownPorts } from '../../sample-properties.ts';

export const j11: RuleCheck = {
  rule: 'J11',
  what: 'It does not learn what is there when it is enabled on a live switch.',
  why: 'Requests of the past are not repeated. It refuses, or does not know, ports and policies that were there before it.',
  mend: 'In restart, when IsActive is TRUE, query switch, ports, NICs and properties, and build your tables from them.',
  by: 'stage',
  stages: ['toggle-with-ports'],
  exercised: (activity) => activity.attached > 1,
  exercise: 'enable the extension on a switch that has ports',
  breaks: {
    about: 'knows only ports that were made while it ran',
    type: 'filter',
    attach: () => knownPorts(),
  },
  close: {
    about: 'asks for the ports when it is enabled',
    type: 'filter',
    attach: (sw) => knownPorts(sw),
  },
};
