import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const b34: RuleCheck = {
  rule: 'B34',
  what: 'It fails or keeps an OID that the switch had issued before a port was torn down and that arrives after it.',
  why: 'Such requests are on their way whenever a VM stops under load. Who fails them makes the switch report an error for a change that was right.',
  mend: "Forward what arrives for a port you do not know (any more): 'not found' in your own table is no error.",
  by: 'stage',
  stages: ['late-oids'],
  exercised: (activity) => activity.lateArrivals > 0,
  exercise: 'delete a port while a request for it is on its way',
  breaks: {
    about: 'fails whatever names a port that is not in its table',
    type: 'filter',
    attach() {
      const ports = new Set<number>();
      return {
        createPort({ portId }) {
          ports.add(portId);
          return 'forward';
        },
        teardownPort({ portId }) {
          ports.delete(portId);
          return 'forward';
        },
        updatePort: ({ portId }) => (ports.has(portId) ? 'forward' : NdisStatus.INVALID_PARAMETER),
      };
    },
  },
  close: {
    about: 'notes that it does not know the port and forwards',
    type: 'filter',
    attach(sw) {
      const ports = new Set<number>();
      return {
        createPort({ portId }) {
          ports.add(portId);
          return 'forward';
        },
        teardownPort({ portId }) {
          ports.delete(portId);
          return 'forward';
        },
        updatePort({ portId }) {
          if (!ports.has(portId)) sw.log(`port ${portId} is not known`);
          return 'forward';
        },
      };
    },
  },
};
