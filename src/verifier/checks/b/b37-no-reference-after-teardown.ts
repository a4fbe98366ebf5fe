import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import { portIdOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const CREATE = OIDS.OID_SWITCH_PORT_CREATE.code;
const TEARDOWN = OIDS.OID_SWITCH_PORT_TEARDOWN.code;
const DELETE = OIDS.OID_SWITCH_PORT_DELETE.code;

export const b37: RuleCheck = {
  rule: 'B37',
  what: 'It calls ReferenceSwitchPort for a port whose PORT_TEARDOWN it has received.',
  why: 'The switch refuses it, and a driver that goes by the number may hit another port by then; it shows that the driver does not follow teardown at all.',
  mend: 'In teardownPort mark the port as gone before you forward, and look at the mark before you ask for a reference.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ report }) {
    const torn = new Set<number>();
    return {
      oids: [CREATE, TEARDOWN, DELETE],
      arrived(request) {
        if (request.oid === CREATE) torn.delete(portIdOf(request));
        else if (request.oid === TEARDOWN) torn.add(portIdOf(request));
      },
      returned(request) {
        // Its number is free again: what asks for it later asks for a port that is not there (rule B40).
        if (request.oid === DELETE) torn.delete(portIdOf(request));
      },
      referenced({ portId, nicIndex }) {
        if (nicIndex !== undefined || !torn.has(portId)) return;
        report({ message: `asked for a reference on port ${portId} after its PORT_TEARDOWN` });
      },
    };
  },
  exercised: (activity) =>
    activity.portReferences + activity.refusedReferences > 0 &&
    activity.arrivals('OID_SWITCH_PORT_TEARDOWN') > 0,
  exercise: 'delete a port that the extension references now and then',
  breaks: {
    about: 'guards its clean-up of a port with a reference taken in deletePort',
    type: 'filter',
    attach: (sw) => ({
      deletePort({ portId }) {
        if (sw.referencePort(portId) === NdisStatus.SUCCESS) sw.dereferencePort(portId);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'guards its last look at a port with a reference taken when the NIC is disconnected',
    type: 'filter',
    attach: (sw) => ({
      disconnectNic({ portId }) {
        if (sw.referencePort(portId) === NdisStatus.SUCCESS) sw.dereferencePort(portId);
        return 'forward';
      },
    }),
  },
};
