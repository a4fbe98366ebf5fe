import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import { portOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';

const CREATE = OIDS.OID_SWITCH_PORT_CREATE.code;
const PROPERTIES: readonly number[] = [
  OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code,
  OIDS.OID_SWITCH_PORT_PROPERTY_UPDATE.code,
];
const LACKS: readonly number[] = [NdisStatus.RESOURCES, NdisStatus.RESOURCE_CONFLICT];

export const b49: RuleCheck = {
  rule: 'B49',
  what: 'It refuses a property of a validation port because resources are lacking now.',
  why: 'The VM may start, or arrive, when there is room again: the policy was possible, and management is told that it is not.',
  mend: 'On validation ports check the property itself. Reserve, and fail for lack of resources, when the NIC is created or connected.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ report }) {
    const validation = new Set<number>();
    return {
      oids: [CREATE],
      arrived(request) {
        if (request.oid !== CREATE) return;
        const { portId, isValidationPort } = portOf(request);
        if (isValidationPort) validation.add(portId);
        else validation.delete(portId);
      },
      ended(request, answer) {
        if (!PROPERTIES.includes(request.oid)) return;
        const { property } = request;
        if (!LACKS.includes(answer) || property === undefined || !('portId' in property)) return;
        if (!validation.has(property.portId)) return;
        const message = `refused ${property.feature ?? property.propertyType} on validation port ${property.portId} for lack of resources`;
        report({ message, request });
      },
    };
  },
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a port policy to a VM that is off',
  breaks: {
    about: 'refuses every policy of its own with NDIS_STATUS_RESOURCES',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.RESOURCES : 'forward',
    }),
  },
  close: {
    about: 'refuses every policy of its own for what it says',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }),
  },
};
