import { enumParametersSize, OIDS, writeEnumQuestion } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import type { RuleCheck } from '../../rule-check.ts';

const ENUM = OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code;
const SECURITY = 2;

export const b33: RuleCheck = {
  rule: 'B33',
  what: 'It issues an OID for a port after it has forwarded its PORT_TEARDOWN.',
  why: 'The port is being taken apart while the request is on its way; what it is about may be freed before it arrives.',
  mend: 'Take PORT_TEARDOWN as the end: finish or drop your own work for the port before you forward it, or hold a reference you took before.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_TEARDOWN') > 0,
  exercise: 'delete a port while the extension is enabled',
  breaks: {
    about: 'reads the policies of a port once more when it is deleted',
    type: 'filter',
    attach: (sw) => ({
      deletePort({ portId }) {
        const question = new Uint8Array(enumParametersSize('port'));
        const wanted = { portId, propertyType: SECURITY, propertyId: NULL_GUID };
        writeEnumQuestion('port', question, 0, wanted);
        sw.request('method', ENUM, question, 4096);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'reads the policies of a port when its NIC is disconnected',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
      disconnectNic({ portId }) {
        sw.portProperties(portId, 'security');
        return 'forward';
      },
    }),
  },
};
