import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const a17: RuleCheck = {
  rule: 'A17',
  what: 'It is a capturing extension and refuses a port or a NIC.',
  why: 'Administrators order filters by what they decide; nobody looks for a veto among the captures, and the VM that does not start has no reason that a person finds.',
  mend: 'Make it a filtering extension, or forward.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_CREATE') > 0,
  exercise: 'create a port while the capturing extension is enabled',
  breaks: {
    about: 'is a capture and refuses ports it does not know',
    type: 'capture',
    attach: () => ({ createPort: () => NdisStatus.DATA_NOT_ACCEPTED }),
  },
  close: {
    about: 'is a capture, holds ports it does not know while it writes them down, and forwards',
    type: 'capture',
    attach: (sw) => ({
      createPort({ portId }, request) {
        const pended = request.pend();
        sw.after(5, () => {
          sw.log(`port ${portId}`);
          request.forward();
        });
        return pended;
      },
    }),
  },
};
