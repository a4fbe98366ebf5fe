import { defineExtension, NdisStatus } from 'extswitch/extension';

/**
 * The extension of the documentation's samples (policies/fabrikam.mof): keeps the port settings, answers its two feature
 * statuses with 123, and carries the last SettingIntA of a port over a save as four bytes.
 */
export default defineExtension({
  id: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
  name: 'Fabrikam Filter',
  vendor: 'Fabrikam',
  version: '1.0',
  type: 'filter',
  attach() {
    const settings = new Map<number, number>();
    const saved = new Set<number>();
    return {
      addPortProperty({ feature, portId, settings: given }) {
        if (feature !== 'Fabrikam_PortCustomSettingData') return 'forward';
        settings.set(portId, Number(given?.['SettingIntA'] ?? 0));
        return 'forward';
      },
      updatePortProperty({ feature, portId, settings: given }) {
        if (feature !== 'Fabrikam_PortCustomSettingData') return 'forward';
        settings.set(portId, Number(given?.['SettingIntA'] ?? 0));
        return 'forward';
      },
      queryPortFeatureStatus: (query) =>
        query.feature === 'Fabrikam_CustomPortData'
          ? query.respond({ CurrentStatus: 123 })
          : 'forward',
      querySwitchFeatureStatus: (query) =>
        query.feature === 'Fabrikam_CustomSwitchData'
          ? query.respond({ CurrentStatus: 123 })
          : 'forward',
      saveNic(state) {
        const value = settings.get(state.portId);
        if (value === undefined || saved.has(state.portId)) return 'forward';
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setUint32(0, value, true);
        const status = state.save(bytes);
        if (status === NdisStatus.SUCCESS) saved.add(state.portId);
        return status;
      },
      saveNicComplete: ({ portId }) => {
        saved.delete(portId);
      },
      restoreNic(state) {
        if (!state.isMine) return 'forward';
        const { data } = state;
        settings.set(state.portId, new DataView(data.buffer, data.byteOffset).getUint32(0, true));
        return NdisStatus.SUCCESS;
      },
      deletePort: ({ portId }) => {
        settings.delete(portId);
      },
    };
  },
});
