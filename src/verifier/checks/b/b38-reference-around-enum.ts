import { Port } from '../../../../switch/ports.ts';
import { enumParametersSize, OIDS, writeEnumQuestion } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import { enumeratedPort } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';

const ENUM = OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code;
const SECURITY = 2;

export const b38: RuleCheck = {
  rule: 'B38',
  what: 'It issues OID_SWITCH_PORT_PROPERTY_ENUM for a port without holding a reference on it.',
  why: 'Between the look at the port and the request the port may go: the request then meets freed state below.',
  mend: 'Call ReferenceSwitchPort, issue the request only when that succeeded, dereference when the request has completed. portProperties() does all of it.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ module, report }) {
    return {
      issued(request) {
        const portId = enumeratedPort(request);
        if (portId === undefined) return;
        for (const held of module.references.keys()) {
          if (held instanceof Port && held.portId === portId) return;
        }
        const message = `issued OID_SWITCH_PORT_PROPERTY_ENUM for port ${portId} without a reference on it`;
        report({ message, request });
      },
    };
  },
  exercised: (activity) => activity.issues('OID_SWITCH_PORT_PROPERTY_ENUM') > 0,
  exercise: 'let the extension enumerate the properties of a port',
  breaks: {
    about: 'enumerates the policies of a port whose NIC has just been updated, unguarded',
    type: 'filter',
    attach: (sw) => ({
      connectNic({ portId }) {
        const question = new Uint8Array(enumParametersSize('port'));
        const wanted = { portId, propertyType: SECURITY, propertyId: NULL_GUID };
        writeEnumQuestion('port', question, 0, wanted);
        sw.request('method', ENUM, question, 4096);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'does the same between ReferenceSwitchPort and DereferenceSwitchPort',
    type: 'filter',
    attach: (sw) => ({
      connectNic({ portId }) {
        if (!sw.parameters().isActive || sw.referencePort(portId) !== 0) return 'forward';
        const question = new Uint8Array(enumParametersSize('port'));
        const wanted = { portId, propertyType: SECURITY, propertyId: NULL_GUID };
        writeEnumQuestion('port', question, 0, wanted);
        sw.request('method', ENUM, question, 4096);
        sw.dereferencePort(portId);
        return 'forward';
      },
    }),
  },
};
