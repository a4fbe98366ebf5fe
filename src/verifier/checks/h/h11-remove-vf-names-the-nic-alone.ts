import type { RuleCheck } from '../../rule-check.ts';
import { removesVfs } from '../../sample-indications.ts';

export const h11: RuleCheck = {
  rule: 'H11',
  what: 'It raises REMOVE_VF with data, with a source, or without the NIC as destination.',
  why: 'The switch looks for the NIC in the destination and for nothing else: the virtual function stays, and packets go on past the switch.',
  mend: 'Wrap it in NIC_STATUS with StatusBuffer NULL and size 0, destination port and NIC of the VM, source 0/0.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.vfRemovals > 0,
  exercise: 'let the extension take a virtual function back',
  breaks: {
    about: 'says in the data why it wants the virtual function back',
    type: 'forward',
    attach: (sw) => removesVfs(sw, ({ vfAssigned }) => vfAssigned, Uint8Array.of(1, 0, 0, 0)),
  },
  close: {
    about: 'takes back every virtual function when the link goes down',
    type: 'forward',
    attach: (sw) => removesVfs(sw, ({ vfAssigned }) => vfAssigned),
  },
};
