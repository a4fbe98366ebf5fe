import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { SwitchContext } from '../../../sdk/extension.ts';
import { nicOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const CREATE = OIDS.OID_SWITCH_NIC_CREATE.code;
const DISCONNECT = OIDS.OID_SWITCH_NIC_DISCONNECT.code;
const DELETE = OIDS.OID_SWITCH_NIC_DELETE.code;

export const c59: RuleCheck = {
  rule: 'C59',
  what: 'It calls ReferenceSwitchNic for a NIC whose NIC_DISCONNECT it has received.',
  why: 'The switch refuses it, and a driver that goes by the numbers may hit another NIC by then; it shows that the driver does not follow disconnects at all.',
  mend: 'In disconnectNic mark the NIC as gone before you forward, and look at the mark before you ask for a reference.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ report }) {
    const gone = new Set<string>();
    return {
      oids: [CREATE, DISCONNECT, DELETE],
      arrived(request) {
        if (request.oid !== CREATE && request.oid !== DISCONNECT) return;
        const { portId, nicIndex } = nicOf(request);
        if (request.oid === CREATE) gone.delete(`${portId}/${nicIndex}`);
        else gone.add(`${portId}/${nicIndex}`);
      },
      returned(request) {
        if (request.oid !== DELETE) return;
        const { portId, nicIndex } = nicOf(request);
        gone.delete(`${portId}/${nicIndex}`);
      },
      referenced({ portId, nicIndex }) {
        if (nicIndex === undefined || !gone.has(`${portId}/${nicIndex}`)) return;
        const message = `asked for a reference on NIC ${portId}/${nicIndex} after its NIC_DISCONNECT`;
        report({ message });
      },
    };
  },
  exercised: (activity) =>
    activity.nicReferences + activity.refusedReferences > 0 &&
    activity.arrivals('OID_SWITCH_NIC_DISCONNECT') > 0,
  exercise: 'stop a VM whose NIC the extension references now and then',
  breaks: {
    about: 'references the NIC in deleteNic to flush its queue',
    type: 'filter',
    attach: (sw) => ({ deleteNic: ({ portId, index }) => look(sw, portId, index) }),
  },
  close: {
    about: 'references the NIC when a policy of its port is deleted while it is connected',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
      updatePortProperty({ portId }) {
        const nic = sw.nics().find((one) => one.portId === portId);
        return nic?.state === 'connected' ? look(sw, portId, nic.index) : 'forward';
      },
    }),
  },
};

function look(sw: SwitchContext, portId: number, index: number): 'forward' {
  if (sw.referenceNic(portId, index) === NdisStatus.SUCCESS) sw.dereferenceNic(portId, index);
  return 'forward';
}
