import { OIDS } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus } from '../../../core/status.ts';
import type { ExtensionHandlers, SwitchContext } from '../../../sdk/extension.ts';
import { nicOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const CREATE = OIDS.OID_SWITCH_NIC_CREATE.code;

export const c39: RuleCheck = {
  rule: 'C39',
  what: 'It goes on using a NIC whose creation a component below refused.',
  why: 'State of a NIC that never was stays until the driver unloads, and the next NIC with that number inherits it.',
  mend: 'Look at the status in oidRequestComplete of every NIC_CREATE you forwarded; when it is an error, undo what createNic did.',
  by: 'watch',
  stages: ['clean-up-once'],
  watch({ report }) {
    const refused = new Set<string>();
    const key = (portId: number, nicIndex: number): string => `${portId}/${nicIndex}`;
    return {
      oids: [CREATE],
      arrived(request) {
        if (request.oid !== CREATE) return;
        const { portId, nicIndex } = nicOf(request);
        refused.delete(key(portId, nicIndex));
      },
      returned(request) {
        if (request.oid !== CREATE || !isErrorStatus(request.status)) return;
        const { portId, nicIndex } = nicOf(request);
        refused.add(key(portId, nicIndex));
      },
      referenced({ portId, nicIndex }) {
        if (nicIndex === undefined || !refused.delete(key(portId, nicIndex))) return;
        const nic = key(portId, nicIndex);
        report({
          message: `asked for a reference on NIC ${nic}, whose NIC_CREATE had been refused below`,
        });
      },
    };
  },
  exercised: (activity) => activity.failedBelow > 0,
  exercise: 'let an extension below refuse NIC_CREATE (a forwarding extension has nobody below)',
  breaks: {
    about: 'keeps a table of NICs that it fills in createNic and empties in deleteNic only',
    type: 'filter',
    attach: (sw) => nicTable(sw, false),
  },
  close: {
    about: 'keeps the same table and takes a NIC out again when its creation has failed',
    type: 'filter',
    attach: (sw) => nicTable(sw, true),
  },
};

/** Looks every NIC of its table over when a VM's port is made. */
function nicTable(sw: SwitchContext, undoes: boolean): ExtensionHandlers {
  const nics = new Set<number>();
  /** Those of them that are not connected yet (rule C43). */
  const coming = new Set<number>();
  /** What is under way, by the number of its request. */
  const asked = new Map<number, number>();
  return {
    createNic({ portId }, request) {
      asked.set(request.id, portId);
      nics.add(portId);
      coming.add(portId);
      return 'forward';
    },
    connectNic({ portId }, request) {
      asked.set(request.id, portId);
      return 'forward';
    },
    oidRequestComplete({ id, oid, status }) {
      const portId = asked.get(id);
      if (portId === undefined) return;
      asked.delete(id);
      const hasFailed = isErrorStatus(status);
      if (oid !== CREATE || hasFailed) coming.delete(portId);
      if (oid === CREATE && hasFailed && undoes) nics.delete(portId);
    },
    disconnectNic({ portId }) {
      nics.delete(portId);
      return 'forward';
    },
    createPort() {
      for (const portId of nics) {
        if (coming.has(portId)) continue;
        if (sw.referenceNic(portId, 0) === NdisStatus.SUCCESS) sw.dereferenceNic(portId, 0);
      }
      return 'forward';
    },
  };
}
