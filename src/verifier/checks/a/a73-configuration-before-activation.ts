import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const a73: RuleCheck = {
  rule: 'A73',
  what: 'It refuses ports or NICs that come before NetEventSwitchActivate, or that the arrays repeat afterwards.',
  why: 'Which comes first differs from host to host: the internal NIC of the management OS may be there before the switch is active.',
  mend: 'Take configuration requests from the first restart on, and merge what a later array repeats with what you know.',
  by: 'stage',
  stages: ['before-activation'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_CREATE') > 0,
  exercise: 'create ports before the switch is active (BehaviourOptions.activation: last)',
  breaks: {
    about: 'refuses NICs until the switch is active',
    type: 'filter',
    attach: () => {
      let isActive = false;
      return {
        activate() {
          isActive = true;
        },
        createNic: () => (isActive ? 'forward' : NdisStatus.DATA_NOT_ACCEPTED),
      };
    },
  },
  close: {
    about: 'keeps NICs from before activation and finds them again in the array',
    type: 'filter',
    attach: (sw) => {
      const nics = new Set<string>();
      return {
        createNic({ portId, index }) {
          nics.add(`${portId}/${index}`);
          return 'forward';
        },
        activate() {
          if (!sw.parameters().isActive) return;
          for (const { portId, index } of sw.nics()) nics.add(`${portId}/${index}`);
        },
      };
    },
  },
};
