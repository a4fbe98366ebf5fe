import type { RuleCheck } from '../../rule-check.ts';
import { removesVfs } from '../../sample-indications.ts';

export const h12: RuleCheck = {
  rule: 'H12',
  what: 'It raises REMOVE_VF for a NIC that has no virtual function or whose removal is under way, or is no forwarding extension.',
  why: 'The switch may have given the NIC a new virtual function meanwhile, and takes that.',
  mend: 'Keep VFAssigned of each NIC up to date from NIC_UPDATED, and raise REMOVE_VF once for each assignment.',
  by: 'runtime',
  stages: ['hardware'],
  exercised: (activity) => activity.vfRemovals > 0,
  exercise: 'let the extension take a virtual function back',
  breaks: {
    about: 'raises REMOVE_VF for the NICs of all VMs, to be sure',
    type: 'forward',
    attach: (sw) => removesVfs(sw, () => true),
  },
  close: {
    about: 'raises REMOVE_VF for the NICs whose VFAssigned is set',
    type: 'forward',
    attach: (sw) => removesVfs(sw, ({ vfAssigned }) => vfAssigned),
  },
};
