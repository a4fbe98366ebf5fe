import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const b42: RuleCheck = {
  rule: 'B42',
  what: 'It keeps a reference to a port that is being deleted.',
  why: 'OID_SWITCH_PORT_DELETE waits for the last reference: the VM cannot be turned off, moved or deleted until the host restarts.',
  mend: 'Give a reference back where the work that needed it ends, also when that work failed; in teardownPort give back what you hold for the port.',
  by: 'runtime',
  exercised: (activity) =>
    activity.portReferences > 0 && activity.arrivals('OID_SWITCH_PORT_TEARDOWN') > 0,
  exercise: 'let the extension reference a port (referencePort), then delete the port',
  breaks: {
    about: 'references the port of each NIC that connects and never gives it back',
    type: 'filter',
    attach: (sw) => ({
      connectNic(nic) {
        sw.referencePort(nic.portId);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'references the port of each NIC that connects until the port is torn down',
    type: 'filter',
    attach(sw) {
      const held = new Set<number>();
      return {
        connectNic({ portId }) {
          if (!held.has(portId) && sw.referencePort(portId) === NdisStatus.SUCCESS) {
            held.add(portId);
          }
          return 'forward';
        },
        teardownPort({ portId }) {
          if (held.delete(portId)) sw.dereferencePort(portId);
          return 'forward';
        },
        detach() {
          for (const portId of held) sw.dereferencePort(portId);
        },
      };
    },
  },
};
