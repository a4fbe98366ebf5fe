import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const c60: RuleCheck = {
  rule: 'C60',
  what: 'It calls DereferenceSwitchNic more or fewer times than ReferenceSwitchNic has succeeded.',
  why: 'One too few keeps the NIC from being deleted, and the VM from stopping. One too many takes the reference of a request that is still under way.',
  mend: 'Dereference with the same pair when the guarded request or indication has ended, once for each success.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.nicReferences > 0,
  exercise: 'let the extension reference a NIC',
  breaks: {
    about: 'dereferences a NIC in its clean-up although it holds no reference',
    type: 'filter',
    attach: (sw) => ({
      disconnectNic({ portId, index }) {
        sw.dereferenceNic(portId, index);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'references the NICs of a port while a policy changes, and gives each one back',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
      updatePortProperty({ portId }) {
        for (const { index, portId: on, state } of sw.nics()) {
          if (on !== portId || state !== 'connected') continue;
          if (sw.referenceNic(portId, index) === NdisStatus.SUCCESS)
            sw.dereferenceNic(portId, index);
        }
        return 'forward';
      },
    }),
  },
};
