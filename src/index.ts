/**
 * `extswitch`: the library. A {@link Fabric} is a world with its own switches, ports, policies, extensions, clock, seed
 * and store.
 *
 * ```ts
 * import { Fabric } from 'extswitch';
 *
 * const fabric = await Fabric.open();
 * await fabric.features.register(mofText);
 * const sw = await fabric.switches.create({ name: 'TestSwitch', extensions: [myExtension] });
 * const port = await sw.ports.create({ name: 'Port A' });
 * await port.properties.add('Fabrikam_PortCustomSettingData', { SettingIntA: 100 });
 * for (const entry of sw.trace.entries()) console.log(entry.oid, entry.status);
 * await fabric.close();
 * ```
 */
export type * from './cluster/api.ts';
export type { ErrorCode, ErrorPlace } from './core/errors.ts';
export { ERROR_CODES, ExtSwitchError, isExtSwitchError } from './core/errors.ts';
export type { Guid } from './core/guid.ts';
export { NdisStatus, statusName } from './core/status.ts';
export type * from './policy/api.ts';
export { Fabric } from './policy/fabric.ts';
export type * from './policy/migration-api.ts';
export { LocalHosts } from './policy/migration-hosts.ts';
export { portableText } from './policy/portable-canonical.ts';
export type {
  RecordingOptions,
  SnapshotCollection,
  SnapshotInfo,
  TimeControl,
  TimeInfo,
  TimeMode,
} from './policy/sim-api.ts';
export { defineExtension } from './sdk/define.ts';
export type { ExtensionDefinition, Settings } from './sdk/extension.ts';
export { loadExtension } from './sdk/load.ts';
export type { Store, StoreOp, StoreValue } from './store/store.ts';
