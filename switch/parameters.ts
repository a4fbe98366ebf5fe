import { type NdisVersion, structure } from '../src/abi/index.ts';
import { NULL_GUID } from '../src/core/guid.ts';
import type {
  NicParameters,
  NicState,
  NicType,
  PortParameters,
  PortState,
  PortType,
  SwitchParameters,
} from '../src/sdk/extension.ts';
import type { Nic, Port } from './ports.ts';

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

/** Character codes of the two digits of a byte. */
const HIGH_DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => hexDigit(byte >>> 4));
const LOW_DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => hexDigit(byte & 15));
const DASH = 0x2d;

function hexDigit(value: number): number {
  return value.toString(16).charCodeAt(0);
}

/**
 * A MAC address as text from the first six bytes from `offset` on, such as those of a 32-byte field; bytes that are not there
 * are zero. Made in one go: pieces put together with `+` are a tree that the first look-up has to flatten, at three times the cost.
 */
export function macText(bytes: Uint8Array, offset = 0): string {
  const a = bytes[offset] ?? 0;
  const b = bytes[offset + 1] ?? 0;
  const c = bytes[offset + 2] ?? 0;
  const d = bytes[offset + 3] ?? 0;
  const e = bytes[offset + 4] ?? 0;
  const f = bytes[offset + 5] ?? 0;
  const high = HIGH_DIGIT;
  const low = LOW_DIGIT;
  // biome-ignore format: one byte a line says what it is
  return String.fromCharCode(
    high[a] as number, low[a] as number, DASH,
    high[b] as number, low[b] as number, DASH,
    high[c] as number, low[c] as number, DASH,
    high[d] as number, low[d] as number, DASH,
    high[e] as number, low[e] as number, DASH,
    high[f] as number, low[f] as number,
  );
}

/** Pairs with dashes, pairs with colons, or twelve digits. */
const MAC_TEXT = /^[0-9a-f]{2}(?:(?:-[0-9a-f]{2}){5}|(?::[0-9a-f]{2}){5}|[0-9a-f]{10})$/i;

/** The six bytes of `00-15-5d-00-00-01` (also with colons or nothing between), or `undefined`. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!MAC_TEXT.test(text)) return undefined;
  const step = text.length === 12 ? 2 : 3;
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i += 1) {
    bytes[i] = (digit(text, i * step) << 4) | digit(text, i * step + 1);
  }
  return bytes;
}

/** Value of a hexadecimal digit in either case. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}

/** Views of what is being read, bound anew each time: every handler of a port or NIC OID wants its values. */
const portReader = PORT_PARAMETERS.view(new Uint8Array(PORT_PARAMETERS.minimumSize));
const nicReader = NIC_PARAMETERS.view(new Uint8Array(NIC_PARAMETERS.minimumSize));

/** NDIS_SWITCH_PORT_PARAMETERS → values. */
export function readPortParameters(bytes: Uint8Array, offset = 0): PortParameters {
  const view = portReader.rebind(bytes, offset);
  return {
    portId: view.PortId,
    name: view.PortName,
    friendlyName: view.PortFriendlyName,
    type: PORT_TYPES[view.PortType] ?? 'generic',
    state: PORT_STATE_NAMES[view.PortState] ?? 'created',
    isValidationPort: view.IsValidationPort,
  };
}

/** Where the addresses stand; all in revision 1. A window on 32 bytes for each would cost more than reading six. */
const [PERMANENT_MAC, VM_MAC, CURRENT_MAC] = [
  'PermanentMacAddress',
  'VMMacAddress',
  'CurrentMacAddress',
].map(offsetInNic) as [number, number, number];

function offsetInNic(name: string): number {
  const field = NIC_PARAMETERS.row.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`NDIS_SWITCH_NIC_PARAMETERS has no ${name}`);
  return field.offset;
}

/** NDIS_SWITCH_NIC_PARAMETERS of either revision → values. */
export function readNicParameters(bytes: Uint8Array, offset = 0): NicParameters {
  const view = nicReader.rebind(bytes, offset);
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
    permanentMacAddress: macText(bytes, offset + PERMANENT_MAC),
    vmMacAddress: macText(bytes, offset + VM_MAC),
    currentMacAddress: macText(bytes, offset + CURRENT_MAC),
    vfAssigned: view.VFAssigned,
  };
}

/** MTU of an NDIS_SWITCH_NIC_PARAMETERS. */
export function readMtu(bytes: Uint8Array): number {
  return nicReader.rebind(bytes).MTU;
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

/** NDIS_SWITCH_NIC_STATE of a life state (rule C7). */
export const NIC_STATE_CODE = {
  notCreated: 0,
  created: 1,
  connected: 2,
  disconnected: 3,
  deleted: 4,
} as const;
/** NDIS_SWITCH_PORT_STATE of a life state (rule B7). */
export const PORT_STATE_CODE = { notCreated: 0, created: 1, tearingDown: 2 } as const;

/** NDIS_SWITCH_PORT_PARAMETERS of a port where `view` is; PortState by the life cycle (rule B7). */
export function writePort(
  view: ReturnType<typeof PORT_PARAMETERS.view>,
  port: Port,
  state: number,
): void {
  PORT_PARAMETERS.initialize(view.bytes, view.offset);
  view.Flags = port.flags;
  view.PortId = port.portId;
  view.PortName = port.name;
  view.PortFriendlyName = port.friendlyName;
  view.PortType = PORT_TYPES.indexOf(port.type);
  view.IsValidationPort = port.isValidationPort;
  view.PortState = state;
}

/** NDIS_SWITCH_NIC_PARAMETERS of a NIC where `view` is, in the revision of the profile. */
export function writeNic(
  view: ReturnType<typeof NIC_PARAMETERS.view>,
  nic: Nic,
  state: number,
  flags: number,
  ndis: NdisVersion,
): void {
  NIC_PARAMETERS.initialize(view.bytes, view.offset, { ndis });
  view.Flags = flags;
  view.NicName = nic.name;
  view.NicFriendlyName = nic.friendlyName;
  view.PortId = nic.portId;
  view.NicIndex = nic.index;
  view.NicType = NIC_TYPES.indexOf(nic.type);
  view.NicState = state;
  view.VmName = nic.vmName;
  view.VmFriendlyName = nic.vmFriendlyName;
  view.MTU = nic.mtu;
  view.PermanentMacAddress = nic.permanentMac;
  // Rule C14: all zero for NICs that are not VM NICs.
  if (nic.vmMac !== undefined) view.VMMacAddress = nic.vmMac;
  view.CurrentMacAddress = nic.currentMac;
  // Rule C12: valid once the adapter has initialised. An internal one does that after NIC_CREATE; physical ones had before.
  const hasInitialised = nic.type !== 'internal' || state > NIC_STATE_CODE.created;
  if (hasInitialised && nic.netCfgInstanceId !== NULL_GUID) {
    view.NetCfgInstanceId = nic.netCfgInstanceId;
  }
  view.NumaNodeId = nic.numaNodeId;
  view.VFAssigned = nic.vfAssigned;
}
