import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const g17: RuleCheck = {
  rule: 'G17',
  what: 'It says NDIS_STATUS_BUFFER_TOO_SHORT without a BytesNeeded that is more than it was given.',
  why: 'The switch asks again with what BytesNeeded says. When that is no more than before, the save fails, and the VM cannot be saved or moved.',
  mend: 'Set BytesNeeded to the fixed structure and the data together, then complete with NDIS_STATUS_BUFFER_TOO_SHORT.',
  by: 'runtime',
  stages: ['save-restore'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_SAVE') > 0,
  exercise: 'save a VM whose run-time data is more than the first buffer has room for',
  breaks: {
    about: 'says too short and forgets BytesNeeded',
    type: 'filter',
    attach: () => ({ saveNic: () => NdisStatus.BUFFER_TOO_SHORT }),
  },
  close: {
    about: 'has more data than the first buffer takes',
    type: 'filter',
    attach: () => {
      const saved = new Set<number>();
      return {
        saveNic(state) {
          if (saved.has(state.portId)) return 'forward';
          const status = state.save(new Uint8Array(20_000));
          if (status === NdisStatus.SUCCESS) saved.add(state.portId);
          return status;
        },
        saveNicComplete({ portId }) {
          saved.delete(portId);
          return 'forward';
        },
        restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
      };
    },
  },
};
