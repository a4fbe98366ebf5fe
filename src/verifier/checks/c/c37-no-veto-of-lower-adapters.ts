import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const c37: RuleCheck = {
  rule: 'C37',
  what: 'It refuses OID_SWITCH_NIC_CREATE of a physical adapter below the external NIC (NIC index 1 and more).',
  why: 'The adapter is there whether the driver likes it or not. The switch goes on with it, and the driver has no state for a NIC that packets come from.',
  mend: 'Refuse only NICs with index 0. For an adapter you cannot use, keep a state that says so.',
  by: 'runtime',
  stages: ['teamed-uplink'],
  exercised: (activity) => activity.lowerNics > 0,
  exercise: 'connect an uplink with an adapter while the extension is enabled',
  breaks: {
    about: 'takes one physical adapter and refuses the others',
    type: 'filter',
    attach: () => ({
      createNic: ({ index }) => (index > 1 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward'),
    }),
  },
  close: {
    about: 'uses one physical adapter and lets the others pass',
    type: 'filter',
    attach(sw) {
      return {
        createNic({ index }) {
          if (index > 1) sw.log(`adapter ${index} is not used`);
          return 'forward';
        },
      };
    },
  },
};
