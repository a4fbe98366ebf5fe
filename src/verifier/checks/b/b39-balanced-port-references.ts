import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const b39: RuleCheck = {
  rule: 'B39',
  what: 'It calls DereferenceSwitchPort more or fewer times than ReferenceSwitchPort has succeeded.',
  why: 'One too few keeps the port from ever being deleted. One too many takes the reference of somebody else, and the port goes while it is in use.',
  mend: 'Pair the calls in one function, and dereference on every way out of it, also when the guarded request failed.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.portReferences > 0,
  exercise: 'let the extension reference a port',
  breaks: {
    about: 'dereferences in its clean-up although the reference was refused',
    type: 'filter',
    attach: (sw) => ({
      teardownPort({ portId }) {
        sw.dereferencePort(portId);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'references a port twice and dereferences it twice',
    type: 'filter',
    attach: (sw) => ({
      connectNic({ portId }) {
        const taken = [sw.referencePort(portId), sw.referencePort(portId)];
        for (const status of taken) if (status === NdisStatus.SUCCESS) sw.dereferencePort(portId);
        return 'forward';
      },
    }),
  },
};
