import type { RuleCheck } from '../../rule-check.ts';

export const a53: RuleCheck = {
  rule: 'A53',
  what: 'It issues a request while it is being attached.',
  why: 'The stack below is not there yet. On a real host the call fails or meets a half-made module.',
  mend: 'Issue the first request in restart (NetEventSwitchActivate tells when the arrays can be asked for).',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.attached > 0,
  exercise: 'enable the extension on a switch',
  breaks: {
    about: 'asks for the ports in attach',
    type: 'filter',
    attach: (sw) => {
      sw.ports();
      return {};
    },
  },
  close: {
    about: 'asks for the switch in restart',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
    }),
  },
};
