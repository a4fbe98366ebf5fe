import { Port } from '../../../../switch/ports.ts';
import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import { portIdOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

/** Virtual ms a deletion may wait for a reference: as long as an OID may be held (NdisTimedOidComplete). */
const PATIENCE_MS = 12_000;
const TEARDOWN = OIDS.OID_SWITCH_PORT_TEARDOWN.code;

export const b42: RuleCheck = {
  rule: 'B42',
  what: 'It keeps a reference to a port that is being deleted.',
  why: 'OID_SWITCH_PORT_DELETE waits for the last reference: the VM cannot be turned off, moved or deleted until the host restarts.',
  mend: 'Give a reference back where the work that needed it ends, also when that work failed; in teardownPort give back what you hold for the port.',
  by: 'watch',
  watch({ module, after, report }) {
    const leaked = (portId: number): void => {
      for (const [held, count] of module.references) {
        if (!(held instanceof Port) || held.portId !== portId || held.state === 'created') continue;
        const references = count === 1 ? 'a reference' : `${count} references`;
        report({
          message: `keeps ${references} on port ${portId}, ${PATIENCE_MS} ms after its teardown`,
        });
      }
    };
    return {
      oids: [TEARDOWN],
      answered(request, answer) {
        if (request.oid !== TEARDOWN || answer !== 'forward') return;
        const portId = portIdOf(request);
        after(PATIENCE_MS, () => leaked(portId));
      },
    };
  },
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
