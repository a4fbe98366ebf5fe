import { enumParametersSize, OIDS, writeEnumQuestion } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

const ENUM = OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code;
const SECURITY = 2;

export const b40: RuleCheck = {
  rule: 'B40',
  what: 'It uses a port although ReferenceSwitchPort did not succeed.',
  why: 'The refusal says that the port is going or gone. What is done to it all the same meets freed memory on a real host.',
  mend: 'Look at what ReferenceSwitchPort returned, and leave the port alone unless it is NDIS_STATUS_SUCCESS.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.refusedReferences > 0,
  exercise: 'let the extension ask for a reference on a port that is going',
  breaks: {
    about:
      'asks for a reference when a port is deleted, does not look at the answer, and enumerates',
    type: 'filter',
    attach: (sw) => ({
      deletePort({ portId }) {
        sw.referencePort(portId);
        const question = new Uint8Array(enumParametersSize('port'));
        const wanted = { portId, propertyType: SECURITY, propertyId: NULL_GUID };
        writeEnumQuestion('port', question, 0, wanted);
        sw.request('method', ENUM, question, 4096);
        return 'forward';
      },
    }),
  },
  close: {
    about:
      'asks for a reference on a port that is long gone, and leaves it alone when that is refused',
    type: 'filter',
    attach: (sw) => ({
      deletePort({ portId }) {
        sw.after(5, () => {
          if (sw.referencePort(portId) === NdisStatus.SUCCESS) sw.dereferencePort(portId);
        });
        return 'forward';
      },
    }),
  },
};
