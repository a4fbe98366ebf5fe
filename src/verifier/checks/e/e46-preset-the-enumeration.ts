import { enumParametersSize, OIDS, structure, writeEnumQuestion } from '../../../abi/index.ts';
import { NULL_GUID } from '../../../core/guid.ts';
import type { RuleCheck } from '../../rule-check.ts';

const OID = OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code;
const ENUM = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS');
const DEFAULT_OBJECT = 0x80;
const SECURITY = 2;

export const e46: RuleCheck = {
  rule: 'E46',
  what: 'It issues a property enumeration without presetting Header, PropertyType or SerializationVersion.',
  why: 'The switch, and each extension below that looks, tells by them which structure it has: it fails, or answers for another type.',
  mend: 'Initialize the whole structure: Header with type, revision and size, PropertyType, PropertyId for custom, SerializationVersion 1.',
  by: 'watch',
  stages: ['whole-life'],
  watch: ({ report }) => ({
    issued(request) {
      if (request.oid !== OID || request.inputLength < ENUM.minimumSize) return;
      const view = ENUM.view(request.methodInput ?? request.buffer, 0);
      const { Header, PropertyType, SerializationVersion } = view;
      const wrong =
        Header.Type !== DEFAULT_OBJECT || Header.Revision < 1 || Header.Size < ENUM.minimumSize
          ? 'Header'
          : PropertyType === 0
            ? 'PropertyType'
            : SerializationVersion === 1
              ? undefined
              : 'SerializationVersion';
      if (wrong === undefined) return;
      report({
        message: `issued OID_SWITCH_PORT_PROPERTY_ENUM without presetting ${wrong}`,
        request,
      });
    },
  }),
  exercised: (activity) => activity.issues('OID_SWITCH_PORT_PROPERTY_ENUM') > 0,
  exercise: 'let the extension enumerate the properties of a port',
  breaks: {
    about: 'leaves SerializationVersion zero',
    type: 'filter',
    attach: (sw) => ({
      connectNic({ portId }) {
        if (sw.referencePort(portId) !== 0) return 'forward';
        const question = new Uint8Array(enumParametersSize('port'));
        const wanted = { portId, propertyType: SECURITY, propertyId: NULL_GUID };
        writeEnumQuestion('port', question, 0, wanted);
        ENUM.view(question, 0).SerializationVersion = 0;
        void sw.request('method', OID, question, 4096);
        sw.dereferencePort(portId);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'presets all of it',
    type: 'filter',
    attach: (sw) => ({
      connectNic({ portId }) {
        if (sw.parameters().isActive) sw.portProperties(portId, 'security');
        return 'forward';
      },
    }),
  },
};
