import { structure } from '../src/abi/index.ts';
import type {
  NicParameters,
  NicState,
  NicType,
  PortParameters,
  PortState,
  PortType,
  SwitchParameters,
} from '../src/sdk/extension.ts';

export const PORT_PARAMETERS = structure('NDIS_SWITCH_PORT_PARAMETERS');
export const NIC_PARAMETERS = structure('NDIS_SWITCH_NIC_PARAMETERS');
export const SWITCH_PARAMETERS = structure('NDIS_SWITCH_PARAMETERS');

/** NDIS_SWITCH_PORT_TYPE in order of value (rule B4). */
const PORT_TYPES: readonly PortType[] = [
  'generic',
  'external',
  'synthetic',
  'emulated',
  'internal',
];
/** NDIS_SWITCH_PORT_STATE in order of value; 0 is unused (rule B7). */
const PORT_STATE_NAMES: readonly (PortState | undefined)[] = [
  undefined,
  'created',
  'teardown',
  'deleted',
];
/** NDIS_SWITCH_NIC_TYPE in order of value (rule C6). */
const NIC_TYPES: readonly NicType[] = ['external', 'synthetic', 'emulated', 'internal'];
/** NDIS_SWITCH_NIC_STATE in order of value; 0 is unused (rule C7). */
const NIC_STATE_NAMES: readonly (NicState | undefined)[] = [
  undefined,
  'created',
  'connected',
  'disconnected',
  'deleted',
];

/** A MAC address as text from the first six bytes of a 32-byte field. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join('-');
}

/** The six bytes of `00-15-5d-00-00-01` (also with colons or nothing between), or `undefined`. */
export function parseMac(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/[-:]/g, '');
  if (!/^[0-9a-f]{12}$/i.test(digits)) return undefined;
  return Uint8Array.from({ length: 6 }, (_, i) =>
    Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  );
}

/** NDIS_SWITCH_PORT_PARAMETERS → values. */
export function readPortParameters(bytes: Uint8Array, offset = 0): PortParameters {
  const view = PORT_PARAMETERS.view(bytes, offset);
  return {
    portId: view.PortId,
    name: view.PortName,
    friendlyName: view.PortFriendlyName,
    type: PORT_TYPES[view.PortType] ?? 'generic',
    state: PORT_STATE_NAMES[view.PortState] ?? 'created',
    isValidationPort: view.IsValidationPort,
  };
}

/** NDIS_SWITCH_NIC_PARAMETERS of either revision → values. */
export function readNicParameters(bytes: Uint8Array, offset = 0): NicParameters {
  const view = NIC_PARAMETERS.view(bytes, offset);
  return {
    portId: view.PortId,
    index: view.NicIndex,
    name: view.NicName,
    friendlyName: view.NicFriendlyName,
    type: NIC_TYPES[view.NicType] ?? 'synthetic',
    state: NIC_STATE_NAMES[view.NicState] ?? 'created',
    vmName: view.VmName,
    vmFriendlyName: view.VmFriendlyName,
    mtu: view.MTU,
    permanentMacAddress: macText(view.PermanentMacAddress),
    vmMacAddress: macText(view.VMMacAddress),
    currentMacAddress: macText(view.CurrentMacAddress),
    vfAssigned: view.VFAssigned,
  };
}

/** NDIS_SWITCH_PARAMETERS → values. */
export function readSwitchParameters(bytes: Uint8Array): SwitchParameters {
  const view = SWITCH_PARAMETERS.view(bytes, 0);
  return {
    name: view.SwitchName,
    friendlyName: view.SwitchFriendlyName,
    numSwitchPorts: view.NumSwitchPorts,
    isActive: view.IsActive,
  };
}
