import type { RuleCheck } from '../../rule-check.ts';
import { LIMIT_MOF } from '../../sample-classes.ts';
import { limits } from '../../sample-properties.ts';

export const e29: RuleCheck = {
  rule: 'E29',
  what: 'It is a forwarding extension and passes a custom property of its own on instead of completing it.',
  why: 'Below the forwarding extension is the miniport edge, which does not know the property: whether it is in force is told by nobody.',
  mend: 'Complete what you have accepted with NDIS_STATUS_SUCCESS, what you refuse with an error.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ module, report }) {
    if (module.type !== 'forward') return {};
    return {
      answered(request, answer) {
        const { property, codec } = request;
        if (answer !== 'forward' || property?.propertyType !== 'custom') return;
        if (codec?.extensionId !== module.id) return;
        // OP-1: the samples of the documentation forward as well; the switch takes either.
        const message = `is a forwarding extension and forwarded ${property.request.oidName} of ${codec.name}, a class of its own`;
        report({ message, request, severity: 'warning' });
      },
    };
  },
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ADD') > 0,
  exercise: 'add a policy of the extension',
  breaks: {
    about: 'is a forwarding extension and forwards its own policy',
    type: 'forward',
    mof: LIMIT_MOF,
    attach: () => ({ addPortProperty: () => 'forward' as const }),
  },
  close: {
    about: 'is a forwarding extension and completes its own policy',
    type: 'forward',
    mof: LIMIT_MOF,
    attach: () => limits(),
  },
};
