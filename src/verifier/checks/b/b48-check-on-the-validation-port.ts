import { OIDS } from '../../../abi/index.ts';
import { isErrorStatus, NdisStatus } from '../../../core/status.ts';
import { portOf } from '../../request-parts.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';

const CREATE = OIDS.OID_SWITCH_PORT_CREATE.code;
const ADD = OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code;
/** Refusals that have nothing to do with the property itself. */
const OF_THE_MOMENT: readonly number[] = [NdisStatus.RESOURCES, NdisStatus.RESOURCE_CONFLICT];

export const b48: RuleCheck = {
  rule: 'B48',
  what: 'It accepts a property on a validation port and refuses the same property on the port of the VM.',
  why: 'A validation port is how management asks whether a policy is possible. Who says yes there and no when the VM starts, or arrives by live migration, fails the VM instead of the policy.',
  mend: 'Do the checks of syntax, range, applicability and conflicts for every port alike; leave out only what reserves resources.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ report }) {
    const validation = new Set<number>();
    /** Property bytes it has accepted there, by what they are. */
    const accepted = new Set<string>();
    return {
      oids: [CREATE, ADD],
      arrived(request) {
        if (request.oid !== CREATE) return;
        const { portId, isValidationPort } = portOf(request);
        if (isValidationPort) validation.add(portId);
        else validation.delete(portId);
      },
      answered(request, answer) {
        const { property } = request;
        if (request.oid !== ADD || answer === 'pend' || property === undefined) return;
        if (!('portId' in property)) return;
        const bytes = request.buffer.subarray(
          request.dataOffset,
          request.dataOffset + request.dataLength,
        );
        const what = `${property.propertyType}/${property.feature}/${Buffer.from(bytes).toString('base64')}`;
        const isRefused = answer !== 'forward' && isErrorStatus(answer);
        if (validation.has(property.portId)) {
          if (!isRefused && accepted.size < 1000) accepted.add(what);
          return;
        }
        if (!isRefused || !accepted.has(what) || OF_THE_MOMENT.includes(answer)) return;
        report({
          message: `refused ${property.feature ?? property.propertyType} on port ${property.portId} after it had accepted the same on a validation port`,
          request,
        });
      },
    };
  },
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a port policy to a VM that is off',
  breaks: {
    about: 'checks the range of a policy on real ports only',
    type: 'filter',
    mof: LIMIT_MOF,
    attach() {
      const validation = new Set<number>();
      return {
        createPort({ portId, isValidationPort }) {
          if (isValidationPort) validation.add(portId);
          else validation.delete(portId);
          return 'forward';
        },
        addPortProperty({ feature, portId, settings }) {
          if (feature !== 'Sample_LimitSettingData' || validation.has(portId)) return 'forward';
          return Number(settings?.['Limit']) > 5 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
        },
      };
    },
  },
  close: {
    about: 'checks the range of a policy on every port',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature, settings }) =>
        feature === 'Sample_LimitSettingData' && Number(settings?.['Limit']) > 5
          ? NdisStatus.DATA_NOT_ACCEPTED
          : 'forward',
    }),
  },
};
