import { OIDS } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus } from '../../../core/status.ts';
import type { ExtensionHandlers, SwitchContext } from '../../../sdk/extension.ts';
import { nicOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const CREATE = OIDS.OID_SWITCH_NIC_CREATE.code;
const CONNECT = OIDS.OID_SWITCH_NIC_CONNECT.code;

export const c43: RuleCheck = {
  rule: 'C43',
  what: 'It references a NIC, or sends requests or indications for it, before its NIC_CONNECT has completed.',
  why: 'Between create and connect the miniport has not set the NIC up: what names it fails, and on a real host may meet half of it.',
  mend: 'Begin when oidRequestComplete shows that NIC_CONNECT succeeded; a reference is given once the request has left the stack (sw.after). Packets that come earlier are just forwarded.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ module, report }) {
    const early = new Set<string>();
    return {
      oids: [CREATE, CONNECT],
      arrived(request) {
        if (request.oid !== CREATE) return;
        const { portId, nicIndex } = nicOf(request);
        early.add(`${portId}/${nicIndex}`);
      },
      returned(request) {
        const isOver =
          request.oid === CONNECT || (request.oid === CREATE && isErrorStatus(request.status));
        if (!isOver) return;
        const { portId, nicIndex } = nicOf(request);
        early.delete(`${portId}/${nicIndex}`);
      },
      referenced({ portId, nicIndex }, object) {
        // The completion of NIC_CONNECT is no longer before it.
        if (object !== undefined || nicIndex === undefined) return;
        const { current } = module;
        const hasConnected = current?.oid === CONNECT && current.status === NdisStatus.SUCCESS;
        if (hasConnected && sameNic(nicOf(current), portId, nicIndex)) return;
        const nic = `${portId}/${nicIndex}`;
        if (early.has(nic)) {
          report({
            message: `asked for a reference on NIC ${nic} before its NIC_CONNECT completed`,
          });
        }
      },
    };
  },
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_CREATE') > 0,
  exercise: 'start a VM while the extension is enabled',
  breaks: {
    about: 'references a NIC as soon as it is created',
    type: 'filter',
    attach: (sw) => ({
      createNic: ({ portId, index }) => look(sw, portId, index),
    }),
  },
  close: {
    about: 'references a NIC when its NIC_CONNECT has come back with success',
    type: 'filter',
    attach(sw): ExtensionHandlers {
      const connecting = new Map<number, readonly [number, number]>();
      return {
        connectNic({ portId, index }, request) {
          connecting.set(request.id, [portId, index]);
          return 'forward';
        },
        oidRequestComplete({ id, status }) {
          const nic = connecting.get(id);
          connecting.delete(id);
          if (nic === undefined || status !== NdisStatus.SUCCESS) return;
          look(sw, ...nic);
          sw.after(1, () => void look(sw, ...nic));
        },
      };
    },
  },
};

function sameNic(
  nic: { readonly portId: number; readonly nicIndex: number },
  portId: number,
  nicIndex: number,
): boolean {
  return nic.portId === portId && nic.nicIndex === nicIndex;
}

function look(sw: SwitchContext, portId: number, index: number): 'forward' {
  if (sw.referenceNic(portId, index) === NdisStatus.SUCCESS) sw.dereferenceNic(portId, index);
  return 'forward';
}
