import { OIDS } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus } from '../../../core/status.ts';
import type { ExtensionHandlers, SwitchContext } from '../../../sdk/extension.ts';
import { enumeratedPort, portIdOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const CREATE = OIDS.OID_SWITCH_PORT_CREATE.code;

export const b29: RuleCheck = {
  rule: 'B29',
  what: 'It goes on using a port whose creation a component below refused.',
  why: 'State for a port that never was stays until the driver unloads, and the next port with that number inherits it.',
  mend: 'Look at the status in oidRequestComplete of every PORT_CREATE you forwarded; when it is an error, undo what createPort did.',
  by: 'watch',
  stages: ['clean-up-once'],
  watch({ report }) {
    const refused = new Set<number>();
    const used = (portId: number, how: string): void => {
      if (!refused.delete(portId)) return;
      report({ message: `${how} port ${portId}, whose PORT_CREATE had been refused below` });
    };
    return {
      oids: [CREATE, OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code],
      arrived(request) {
        if (request.oid === CREATE) refused.delete(portIdOf(request));
      },
      returned(request) {
        if (request.oid === CREATE && isErrorStatus(request.status)) refused.add(portIdOf(request));
      },
      issued(request) {
        const portId = enumeratedPort(request);
        if (portId !== undefined) used(portId, 'enumerated properties of');
      },
      referenced: ({ portId, nicIndex }) => {
        if (nicIndex === undefined) used(portId, 'asked for a reference on');
      },
    };
  },
  exercised: (activity) => activity.failedBelow > 0,
  exercise: 'let an extension below refuse PORT_CREATE (a forwarding extension has nobody below)',
  breaks: {
    about: 'keeps a table of ports that it fills in createPort and empties in deletePort only',
    type: 'filter',
    attach: (sw) => portTable(sw, false),
  },
  close: {
    about: 'keeps the same table and takes a port out again when its creation has failed',
    type: 'filter',
    attach: (sw) => portTable(sw, true),
  },
};

/** Looks every port of its table over when a NIC connects. */
function portTable(sw: SwitchContext, undoes: boolean): ExtensionHandlers {
  const ports = new Set<number>();
  /** Numbers of the requests that made them. */
  const made = new Map<number, number>();
  return {
    createPort({ portId }, request) {
      ports.add(portId);
      made.set(request.id, portId);
      return 'forward';
    },
    oidRequestComplete(request) {
      const portId = made.get(request.id);
      made.delete(request.id);
      if (portId !== undefined && undoes && isErrorStatus(request.status)) ports.delete(portId);
    },
    teardownPort({ portId }) {
      ports.delete(portId);
      return 'forward';
    },
    connectNic() {
      for (const portId of ports) {
        if (sw.referencePort(portId) === NdisStatus.SUCCESS) sw.dereferencePort(portId);
      }
      return 'forward';
    },
  };
}
