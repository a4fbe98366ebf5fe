import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { extensionWith } from '../support/fabrikam.ts';

/** Values the extension refuses: one in seven. */
export const isRefused = (value: unknown): boolean => Number(value) % 7 === 3;

/** An extension that refuses some values and remembers what it was told and accepted: `port/instance` → SettingIntA. */
export function policy(): { view: Map<string, number>; extension: ExtensionDefinition } {
  const view = new Map<string, number>();
  const extension = extensionWith(() => ({
    addPortProperty: (p) => {
      const value = Number(p.settings?.['SettingIntA']);
      if (isRefused(value)) return NdisStatus.DATA_NOT_ACCEPTED;
      view.set(`${p.portId}/${p.propertyInstanceId}`, value);
      return 'forward';
    },
    updatePortProperty: (p) => {
      const value = Number(p.settings?.['SettingIntA']);
      if (isRefused(value)) return NdisStatus.DATA_NOT_ACCEPTED;
      view.set(`${p.portId}/${p.propertyInstanceId}`, value);
      return 'forward';
    },
    deletePortProperty: (p) => {
      view.delete(`${p.portId}/${p.propertyInstanceId}`);
      return 'forward';
    },
    deletePort: (port) => {
      for (const key of view.keys()) if (key.startsWith(`${port.portId}/`)) view.delete(key);
      return 'forward';
    },
  }));
  return { view, extension };
}
