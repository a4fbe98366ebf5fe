import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const e30: RuleCheck = {
  rule: 'E30',
  what: 'It completes a standard port property with success instead of forwarding it.',
  why: 'VLAN, isolation, profile: the switch and the extensions below enforce them too. Who ends the request keeps the port open to what the administrator closed.',
  mend: 'Take what you need and forward; fail it when you cannot support it.',
  by: 'watch',
  stages: ['odd-properties'],
  watch: ({ report }) => ({
    ended(request, answer) {
      const { property } = request;
      if (answer !== NdisStatus.SUCCESS || property === undefined) return;
      const { propertyType } = property;
      // Security is E32.
      if (propertyType === 'custom' || propertyType === 'security') return;
      const message = `completed ${property.request.oidName} of the standard type ${propertyType}`;
      report({ message, request });
    },
  }),
  exercised: (activity) => activity.standardProperties > 0,
  exercise: 'set a VLAN, or another standard policy, on a port',
  breaks: {
    about: 'is a forwarding extension and completes VLAN settings',
    type: 'forward',
    attach: () => ({
      addPortProperty: ({ propertyType }) =>
        propertyType === 'vlan' ? NdisStatus.SUCCESS : 'forward',
    }),
  },
  close: {
    about: 'is a forwarding extension and refuses VLAN settings',
    type: 'forward',
    attach: () => ({
      addPortProperty: ({ propertyType }) =>
        propertyType === 'vlan' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }),
  },
};
