import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const g22: RuleCheck = {
  rule: 'G22',
  what: 'It keeps one state for all saves, so that saves of two NICs that interleave mix.',
  why: 'A host saves its VMs at the same time. One gets the records of another, or half of its own.',
  mend: 'Keep what has been saved in a table by port id and NIC index, from the first NIC_SAVE to SAVE_COMPLETE.',
  by: 'stage',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'counts its records in one variable',
    type: 'filter',
    attach: () => {
      let at = 0;
      return {
        saveNic(state) {
          if (at === 2) return 'forward';
          at += 1;
          return state.save(Uint8Array.of(at));
        },
        saveNicComplete() {
          at = 0;
          return 'forward';
        },
        restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
      };
    },
  },
  close: {
    about: 'counts its records for each NIC',
    type: 'filter',
    attach: () => {
      const at = new Map<number, number>();
      return {
        saveNic(state) {
          const count = at.get(state.portId) ?? 0;
          if (count === 2) return 'forward';
          at.set(state.portId, count + 1);
          return state.save(Uint8Array.of(count));
        },
        saveNicComplete({ portId }) {
          at.delete(portId);
          return 'forward';
        },
        restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
      };
    },
  },
};
