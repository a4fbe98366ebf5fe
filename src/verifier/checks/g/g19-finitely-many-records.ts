import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const g19: RuleCheck = {
  rule: 'G19',
  what: 'It goes on returning records for one save without an end.',
  why: 'The switch asks until nobody has more. Such a VM can never be saved: the host fills its memory, then gives up.',
  mend: 'Keep for each NIC what has been saved in this round, forward when all of it has, and begin anew at SAVE_COMPLETE.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.savedRecords > 0,
  exercise: 'save a VM whose run-time data the extension has',
  breaks: {
    about: 'saves its record every time it is asked',
    type: 'filter',
    attach: () => ({ saveNic: (state) => state.save(Uint8Array.of(1)) }),
  },
  close: {
    about: 'saves fifty records and then no more',
    type: 'filter',
    attach: () => {
      const left = new Map<number, number>();
      return {
        saveNic(state) {
          const count = left.get(state.portId) ?? 50;
          if (count === 0) return 'forward';
          left.set(state.portId, count - 1);
          return state.save(Uint8Array.of(count));
        },
        saveNicComplete({ portId }) {
          left.delete(portId);
          return 'forward';
        },
        restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
      };
    },
  },
};
