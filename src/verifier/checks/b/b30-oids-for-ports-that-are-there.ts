import { enumParametersSize, OIDS, writeEnumQuestion } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import type { RuleCheck } from '../../rule-check.ts';

const ENUM = OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code;
const SECURITY = 2;

export const b30: RuleCheck = {
  rule: 'B30',
  what: 'It issues an OID for a port that does not exist: before its PORT_CREATE has succeeded, or after its PORT_DELETE.',
  why: 'The switch looks the port up by its number; what is not there fails, and on a busy host the number may be another port by then.',
  mend: 'Issue OIDs for a port only between the successful completion of PORT_CREATE and PORT_TEARDOWN; drop timers and work items of a port with it.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.issues('OID_SWITCH_PORT_PROPERTY_ENUM') > 0,
  exercise: 'let the extension enumerate the properties of a port',
  breaks: {
    about: 'enumerates the policies of a port an hour after it has gone',
    type: 'filter',
    attach: (sw) => ({
      deletePort({ portId }) {
        sw.after(5, () => {
          const question = new Uint8Array(enumParametersSize('port'));
          const wanted = { portId, propertyType: SECURITY, propertyId: NULL_GUID };
          writeEnumQuestion('port', question, 0, wanted);
          sw.request('method', ENUM, question, 4096);
        });
        return 'forward';
      },
    }),
  },
  close: {
    about: 'enumerates the policies of a port as soon as a NIC has connected to it',
    type: 'filter',
    attach: (sw) => ({
      oidRequestComplete(request) {
        if (request.oid !== OIDS.OID_SWITCH_NIC_CONNECT.code) return;
        if (!sw.parameters().isActive) return;
        for (const { portId, state } of sw.ports()) {
          if (state === 'created') sw.portProperties(portId, 'security');
        }
      },
    }),
  },
};
