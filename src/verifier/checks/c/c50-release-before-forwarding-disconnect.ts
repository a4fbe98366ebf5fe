import { Port } from '../../../../switch/ports.ts';
import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { ExtensionHandlers, SwitchContext } from '../../../sdk/extension.ts';
import { nicOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const DISCONNECT = OIDS.OID_SWITCH_NIC_DISCONNECT.code;

export const c50: RuleCheck = {
  rule: 'C50',
  what: 'It holds NIC_DISCONNECT to finish its packets, and forwards it while it still holds the port reference it took for that.',
  why: 'The deletion of the port, which comes next, waits for the reference. A driver that gives it back in the wrong place makes every VM stop slowly, or never.',
  mend: 'Take the reference, finish, dereference, and only then forward NIC_DISCONNECT.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ module, report }) {
    const held = new Set<number>();
    return {
      oids: [DISCONNECT],
      answered(request, answer) {
        if (answer === 'pend') {
          held.add(request.id);
          return;
        }
        if (!held.delete(request.id)) return;
        const { portId } = nicOf(request);
        for (const object of module.references.keys()) {
          if (!(object instanceof Port) || object.portId !== portId) continue;
          const message = `forwarded a NIC_DISCONNECT it had held while it still had a reference on port ${portId}`;
          report({ message, request });
        }
      },
    };
  },
  exercised: (activity) =>
    activity.pended > 0 && activity.arrivals('OID_SWITCH_NIC_DISCONNECT') > 0,
  exercise: 'stop a VM whose NIC_DISCONNECT the extension holds for a while',
  breaks: {
    about: 'gives the reference back after it has forwarded',
    type: 'filter',
    attach: (sw) => holding(sw, 'after'),
  },
  close: {
    about: 'gives the reference back before it forwards',
    type: 'filter',
    attach: (sw) => holding(sw, 'before'),
  },
};

function holding(sw: SwitchContext, gives: 'before' | 'after'): ExtensionHandlers {
  return {
    disconnectNic({ portId }, request) {
      if (sw.referencePort(portId) !== NdisStatus.SUCCESS) return 'forward';
      const pended = request.pend();
      sw.after(50, () => {
        if (gives === 'before') sw.dereferencePort(portId);
        request.forward();
        if (gives === 'after') sw.dereferencePort(portId);
      });
      return pended;
    },
  };
}
