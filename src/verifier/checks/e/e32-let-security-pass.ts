import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const e32: RuleCheck = {
  rule: 'E32',
  what: 'It completes a Security property of a port instead of letting it pass down.',
  why: 'MAC spoofing protection, DHCP and router guard are enforced by the switch itself: it never hears of them.',
  mend: 'Read the property if you use it too, and forward it.',
  by: 'watch',
  stages: ['odd-properties'],
  watch: ({ report }) => ({
    ended(request, answer) {
      const { property } = request;
      if (answer !== NdisStatus.SUCCESS || property?.propertyType !== 'security') return;
      report({ message: `completed ${property.request.oidName} of type security`, request });
    },
  }),
  exercised: (activity) => activity.standardProperties > 0,
  exercise: 'set the security policy of a port',
  breaks: {
    about: 'completes Security, which it enforces itself',
    type: 'forward',
    attach: () => ({
      addPortProperty: ({ propertyType }) =>
        propertyType === 'security' ? NdisStatus.SUCCESS : 'forward',
    }),
  },
  close: {
    about: 'reads Security and forwards it',
    type: 'forward',
    attach: (sw) => ({
      addPortProperty({ propertyType, raw }) {
        if (propertyType === 'security') sw.log(`${raw.length} bytes`);
        return 'forward';
      },
    }),
  },
};
