import { defineExtension, NdisStatus } from 'extswitch/extension';

/**
 * Counts the connections of each port and carries the count over a save as text in two records, which is what an extension with
 * several tables does: the second record comes when the switch asks again (rule G5).
 */
export default defineExtension({
  id: 'c0517e2a-0f4d-4c55-9b5d-2f0d7c1e9a01',
  name: 'Connection Counter',
  vendor: 'extswitch',
  version: '1.0',
  type: 'capture',
  attach() {
    const counts = new Map<number, number>();
    const given = new Map<number, number>();
    return {
      connectNic: ({ portId }) => {
        counts.set(portId, (counts.get(portId) ?? 0) + 1);
      },
      saveNic(state) {
        const at = given.get(state.portId) ?? 0;
        if (at === 2) return 'forward';
        const text = at === 0 ? 'connections' : String(counts.get(state.portId) ?? 0);
        const status = state.save(new TextEncoder().encode(text));
        if (status === NdisStatus.SUCCESS) given.set(state.portId, at + 1);
        return status;
      },
      saveNicComplete: ({ portId }) => {
        given.delete(portId);
      },
      restoreNic(state) {
        if (!state.isMine) return 'forward';
        const text = new TextDecoder().decode(state.data);
        if (text !== 'connections') counts.set(state.portId, Number(text));
        return NdisStatus.SUCCESS;
      },
      deletePort: ({ portId }) => {
        counts.delete(portId);
      },
    };
  },
});
