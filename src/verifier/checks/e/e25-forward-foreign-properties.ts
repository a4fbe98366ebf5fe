import { NdisStatus, statusName } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';

export const e25: RuleCheck = {
  rule: 'E25',
  what: 'It ends a custom property request of another vendor instead of forwarding it.',
  why: 'The policy never reaches its owner, or is refused for a reason that has nothing to do with it; two products that work alone fail together.',
  mend: 'Decide by PropertyType and PropertyId whether the property is yours. Forward every other, known or not.',
  by: 'watch',
  stages: ['whole-life'],
  watch: ({ module, report }) => ({
    ended(request, answer) {
      const { property, codec } = request;
      if (property?.propertyType !== 'custom') return;
      if (codec?.extensionId === module.id) return;
      const whose = codec === undefined ? 'a class nobody registered' : codec.name;
      const message = `ended ${request.property?.request.oidName} of ${whose} with ${statusName(answer)}`;
      report({ message, request });
    },
  }),
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a policy of another vendor while the extension is enabled',
  breaks: {
    about: 'refuses every custom property it does not know',
    type: 'filter',
    attach: () => ({
      addPortProperty: ({ propertyType, feature }) =>
        propertyType === 'custom' && feature !== 'Mine' ? NdisStatus.NOT_SUPPORTED : 'forward',
    }),
  },
  close: {
    about: 'refuses what is its own',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }),
  },
};
