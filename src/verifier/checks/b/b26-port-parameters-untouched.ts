import type { RuleCheck } from '../../rule-check.ts';

export const b26: RuleCheck = {
  rule: 'B26',
  what: 'It changes bytes of NDIS_SWITCH_PORT_PARAMETERS in a port request.',
  why: 'The buffer is the one the switch itself uses: modules below, and the switch on the way back, see another port than was made.',
  mend: 'Copy what you want to change. The parameters of a port request are read only, on the way down and on the way up.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_CREATE') > 0,
  exercise: 'create a port while the extension is enabled',
  breaks: {
    about: 'marks a port as its own in the PortState of PORT_CREATE',
    type: 'filter',
    attach: () => ({
      createPort(_port, request) {
        request.bytes[1036] = 0x7f;
        return 'forward';
      },
    }),
  },
  close: {
    about: 'reads every byte and changes a copy',
    type: 'filter',
    attach: () => ({
      createPort(_port, request) {
        request.bytes.slice().fill(0);
        return 'forward';
      },
    }),
  },
};
