import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { forwardsWhole } from '../../sample-properties.ts';

export const e28: RuleCheck = {
  rule: 'E28',
  what: 'It is a capturing or filtering extension and completes a custom property it has accepted.',
  why: 'Extensions below that watch the property, a forwarding one among them, never see it.',
  mend: 'Take the property and forward the request; a filter that refuses completes it with an error.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a policy of the extension',
  breaks: {
    about: 'is a filter and completes its own policy',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => ({
      addPortProperty: ({ feature }) =>
        feature === 'Sample_LimitSettingData' ? NdisStatus.SUCCESS : 'forward',
    }),
  },
  close: {
    about: 'is a filter, takes its own policy and forwards',
    type: 'filter',
    mof: LIMIT_MOF,
    attach: () => {
      const limits = new Map<number, unknown>();
      return {
        addPortProperty(property) {
          const { feature, portId, settings } = property;
          if (feature === 'Sample_LimitSettingData') limits.set(portId, settings?.['Limit']);
          return forwardsWhole(property);
        },
      };
    },
  },
};
