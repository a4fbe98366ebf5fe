import type { RuleCheck } from '../../rule-check.ts';
import { tellsVms } from '../../sample-indications.ts';

export const h8: RuleCheck = {
  rule: 'H8',
  what: 'It raises a status about a VM’s offload resources that has a source.',
  why: 'With a source the switch takes it for the status of an adapter; the VM goes on with a resource that has changed.',
  mend: 'Set the destination to port and NIC of the VM, and the source to 0/0.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.indicated > 0,
  exercise: 'let the extension raise a status for a VM',
  breaks: {
    about: 'tells each VM of its queue in the name of the external NIC',
    type: 'forward',
    attach: (sw) =>
      tellsVms(sw, (vm, { portId }) => ({ source: { portId, nicIndex: 0 }, destination: vm })),
  },
  close: {
    about: 'tells each VM of its queue',
    type: 'forward',
    attach: (sw) => tellsVms(sw, (destination) => ({ destination })),
  },
};
