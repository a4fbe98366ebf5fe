import type { NicAddress } from '../src/sdk/extension.ts';
import type { PhysicalAdapter } from './physical-adapter.ts';
import type { Nic, Port } from './ports.ts';
import type { SwitchState } from './switch-state.ts';

/** An adapter below the external NIC, with the connection it has (rules C3, C4). */
export interface LowerAdapter {
  readonly nic: Nic;
  readonly adapter: PhysicalAdapter;
}

/** The port with the external NIC on it (rule C8: one at most), or `undefined`. */
export function externalPort(state: SwitchState): Port | undefined {
  for (const port of state.ports.values()) {
    if (port.type === 'external' && port.nics.has(0)) return port;
  }
  return undefined;
}

/** True while requests and indications of a NIC may pass: from NIC_CONNECT to NIC_DELETE (rules C43, C47). */
function isReachable(nic: Nic): boolean {
  return nic.state === 'connected' || nic.state === 'disconnected';
}

/** The adapters a port has below its external NIC, by index. */
export function lowerAdapters(port: Port): readonly LowerAdapter[] {
  const lower: LowerAdapter[] = [];
  for (const nic of port.nics.values()) {
    if (nic.adapter !== undefined && isReachable(nic)) lower.push({ nic, adapter: nic.adapter });
  }
  return lower;
}

/**
 * Rule D28: the adapter an encapsulated request names. Index 0, the external NIC itself, is the adapter below it when
 * there is only one; of a team it names nobody.
 */
export function adapterAt(state: SwitchState, { portId, nicIndex }: NicAddress) {
  const port = state.ports.get(portId);
  if (port?.type !== 'external') return undefined;
  const lower = lowerAdapters(port);
  if (nicIndex === 0) return lower.length === 1 ? lower[0] : undefined;
  return lower.find(({ nic }) => nic.index === nicIndex);
}

/** The NIC an address names, or `undefined`. */
export function nicAt(state: SwitchState, { portId, nicIndex }: NicAddress): Nic | undefined {
  return state.ports.get(portId)?.nics.get(nicIndex);
}
