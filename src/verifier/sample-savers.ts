import { NdisStatus } from '../core/status.ts';
import type { ExtensionHandlers, NicSaveState } from '../sdk/extension.ts';

/**
 * Handlers of a sample that saves one record for each NIC and takes it back. `change` is called behind {@link NicSaveState.save},
 * with the record in the buffer.
 */
export function savesOneRecord(
  change: (state: NicSaveState) => void = () => undefined,
): ExtensionHandlers {
  const saved = new Set<number>();
  return {
    saveNic(state) {
      if (saved.has(state.portId)) return 'forward';
      const status = state.save(Uint8Array.of(1, 2, 3, 4));
      if (status === NdisStatus.SUCCESS) saved.add(state.portId);
      change(state);
      return status;
    },
    saveNicComplete({ portId }) {
      saved.delete(portId);
      return 'forward';
    },
    restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
  };
}
