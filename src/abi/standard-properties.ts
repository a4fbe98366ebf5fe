import type { Guid } from '../core/guid.ts';
import { NULL_GUID } from '../core/guid.ts';
import { abiInvalid } from './abi-error.ts';
import type { NdisVersion } from './ndis-version.ts';
import { NEWEST_NDIS } from './ndis-version.ts';
import { structure } from './structure.ts';
import { ENUMS } from './tables/enums.ts';

/*
 * The standard port properties without trailing pieces as plain values, with the NDIS member names. Each comes as three
 * functions: size for an NDIS version, write at an offset (returns the size written), read (checks first).
 */

const SECURITY = structure('NDIS_SWITCH_PORT_PROPERTY_SECURITY');
const VLAN = structure('NDIS_SWITCH_PORT_PROPERTY_VLAN');
const PROFILE = structure('NDIS_SWITCH_PORT_PROPERTY_PROFILE');
const ISOLATION = structure('NDIS_SWITCH_PORT_PROPERTY_ISOLATION');

/** NDIS_SWITCH_PORT_PROPERTY_SECURITY; 20 bytes in 6.30, 24 from 6.40 on. */
export interface SecurityProperty {
  readonly AllowMacSpoofing: boolean;
  readonly AllowIeeePriorityTag: boolean;
  readonly VirtualSubnetId: number;
  readonly AllowTeaming: boolean;
  /** Revision 2 (6.40) on; `undefined` when the bytes are revision 1, and not written for 6.30. */
  readonly DynamicIPAddressLimit?: number | undefined;
}

/** Writes a security property; returns 20 or 24. `ABI_INVALID` when there is no room. */
export function writeSecurity(
  bytes: Uint8Array,
  offset: number,
  value: SecurityProperty,
  ndis: NdisVersion = NEWEST_NDIS,
): number {
  const size = SECURITY.initialize(bytes, offset, { ndis });
  const view = SECURITY.view(bytes, offset);
  view.AllowMacSpoofing = value.AllowMacSpoofing;
  view.AllowIeeePriorityTag = value.AllowIeeePriorityTag;
  view.VirtualSubnetId = value.VirtualSubnetId;
  view.AllowTeaming = value.AllowTeaming;
  if (view.Header.Revision > 1) view.DynamicIPAddressLimit = value.DynamicIPAddressLimit ?? 0;
  return size;
}

/** Reads a security property of either revision; throws `ABI_INVALID`. */
export function readSecurity(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): SecurityProperty {
  SECURITY.check(bytes, offset, length);
  const view = SECURITY.view(bytes, offset, length);
  const base = {
    AllowMacSpoofing: view.AllowMacSpoofing,
    AllowIeeePriorityTag: view.AllowIeeePriorityTag,
    VirtualSubnetId: view.VirtualSubnetId,
    AllowTeaming: view.AllowTeaming,
  };
  const hasLimit = view.Header.Revision > 1 && view.Header.Size >= SECURITY.row.size;
  return hasLimit ? { ...base, DynamicIPAddressLimit: view.DynamicIPAddressLimit } : base;
}

const MODE = ENUMS.NDIS_SWITCH_PORT_VLAN_MODE;
const PVLAN = ENUMS.NDIS_SWITCH_PORT_PVLAN_MODE;

/** NDIS_SWITCH_PORT_PROPERTY_VLAN, 1,048 bytes. VLAN ids are 0 to 4095; lists are ascending when read. */
export interface VlanProperty {
  /** NDIS_SWITCH_PORT_VLAN_MODE: Access 1, Trunk 2, Private 3. */
  readonly OperationMode: number;
  /** Access. */
  readonly AccessVlanId?: number;
  /** Trunk. */
  readonly NativeVlanId?: number;
  /** Trunk; a prune bit wins over a trunk bit. */
  readonly PruneVlanIdArray?: readonly number[];
  readonly TrunkVlanIdArray?: readonly number[];
  /** Private: NDIS_SWITCH_PORT_PVLAN_MODE: Isolated 1, Community 2, Promiscuous 3. */
  readonly PvlanMode?: number;
  readonly PrimaryVlanId?: number;
  /** Isolated and Community; shares its storage with the array. */
  readonly SecondaryVlanId?: number;
  /** Promiscuous. */
  readonly SecondaryVlanIdArray?: readonly number[];
}

/** Bits of a VLAN map. */
const VLAN_COUNT = 4096;

function checkVlanIds(member: string, offset: number, ids: readonly number[]): void {
  const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < VLAN_COUNT));
  if (wrong !== undefined) {
    throw abiInvalid(
      VLAN.name,
      member,
      offset,
      `VLAN ids from 0 to ${VLAN_COUNT - 1}`,
      String(wrong),
    );
  }
}

/** Writes a VLAN property: the union's arm of OperationMode, the other bytes zero. Returns 1,048. */
export function writeVlan(bytes: Uint8Array, offset: number, value: VlanProperty): number {
  checkVlanIds('VlanProperties.PruneVlanIdArray', offset + 24, value.PruneVlanIdArray ?? []);
  checkVlanIds('VlanProperties.TrunkVlanIdArray', offset + 536, value.TrunkVlanIdArray ?? []);
  checkVlanIds(
    'PvlanProperties.SecondaryVlanIdArray',
    offset + 24,
    value.SecondaryVlanIdArray ?? [],
  );
  const size = VLAN.initialize(bytes, offset);
  const view = VLAN.view(bytes, offset);
  view.OperationMode = value.OperationMode;
  if (value.OperationMode !== MODE.NdisSwitchPortVlanModePrivate) {
    const arm = view.VlanProperties;
    arm.AccessVlanId = value.AccessVlanId ?? 0;
    arm.NativeVlanId = value.NativeVlanId ?? 0;
    arm.PruneVlanIdArray.setBits(value.PruneVlanIdArray ?? []);
    arm.TrunkVlanIdArray.setBits(value.TrunkVlanIdArray ?? []);
    return size;
  }
  const arm = view.PvlanProperties;
  arm.PvlanMode = value.PvlanMode ?? PVLAN.NdisSwitchPortPvlanModeUndefined;
  arm.PrimaryVlanId = value.PrimaryVlanId ?? 0;
  if (arm.PvlanMode === PVLAN.NdisSwitchPortPvlanModePromiscuous) {
    arm.SecondaryVlanIdArray.setBits(value.SecondaryVlanIdArray ?? []);
  } else {
    arm.SecondaryVlanId = value.SecondaryVlanId ?? 0;
  }
  return size;
}

/** Reads the members that OperationMode (and PvlanMode) make meaningful; throws `ABI_INVALID`. */
export function readVlan(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): VlanProperty {
  VLAN.check(bytes, offset, length);
  const { OperationMode, VlanProperties: vlan, PvlanProperties: pvlan } = VLAN.view(bytes, offset);
  switch (OperationMode) {
    case MODE.NdisSwitchPortVlanModeAccess:
      return { OperationMode, AccessVlanId: vlan.AccessVlanId };
    case MODE.NdisSwitchPortVlanModeTrunk:
      return {
        OperationMode,
        NativeVlanId: vlan.NativeVlanId,
        PruneVlanIdArray: vlan.PruneVlanIdArray.bits(),
        TrunkVlanIdArray: vlan.TrunkVlanIdArray.bits(),
      };
    case MODE.NdisSwitchPortVlanModePrivate: {
      const { PvlanMode, PrimaryVlanId } = pvlan;
      return PvlanMode === PVLAN.NdisSwitchPortPvlanModePromiscuous
        ? {
            OperationMode,
            PvlanMode,
            PrimaryVlanId,
            SecondaryVlanIdArray: pvlan.SecondaryVlanIdArray.bits(),
          }
        : { OperationMode, PvlanMode, PrimaryVlanId, SecondaryVlanId: pvlan.SecondaryVlanId };
    }
    default:
      return { OperationMode };
  }
}

/** NDIS_SWITCH_PORT_PROPERTY_PROFILE, 1,616 bytes; passed through without interpretation (rule E13). */
export interface ProfileProperty {
  readonly ProfileName: string;
  readonly ProfileId: Guid;
  readonly VendorName: string;
  readonly VendorId: Guid;
  readonly ProfileData: number;
  readonly NetCfgInstanceId: Guid;
  /** 16, 8, 5 and 3 bits of one word. */
  readonly PciSegmentNumber: number;
  readonly PciBusNumber: number;
  readonly PciDeviceNumber: number;
  readonly PciFunctionNumber: number;
  readonly CdnLabelId: number;
  readonly CdnLabel: string;
}

/** Writes a profile property, members left out being zero; returns 1,616. */
export function writeProfile(
  bytes: Uint8Array,
  offset: number,
  value: Partial<ProfileProperty>,
): number {
  const size = PROFILE.initialize(bytes, offset);
  const view = PROFILE.view(bytes, offset);
  view.ProfileName = value.ProfileName ?? '';
  view.ProfileId = value.ProfileId ?? NULL_GUID;
  view.VendorName = value.VendorName ?? '';
  view.VendorId = value.VendorId ?? NULL_GUID;
  view.ProfileData = value.ProfileData ?? 0;
  view.NetCfgInstanceId = value.NetCfgInstanceId ?? NULL_GUID;
  view.PciLocation.PciSegmentNumber = value.PciSegmentNumber ?? 0;
  view.PciLocation.PciBusNumber = value.PciBusNumber ?? 0;
  view.PciLocation.PciDeviceNumber = value.PciDeviceNumber ?? 0;
  view.PciLocation.PciFunctionNumber = value.PciFunctionNumber ?? 0;
  view.CdnLabelId = value.CdnLabelId ?? 0;
  view.CdnLabel = value.CdnLabel ?? '';
  return size;
}

/** Reads a profile property; throws `ABI_INVALID`. */
export function readProfile(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): ProfileProperty {
  PROFILE.check(bytes, offset, length);
  const view = PROFILE.view(bytes, offset, length);
  return {
    ProfileName: view.ProfileName,
    ProfileId: view.ProfileId,
    VendorName: view.VendorName,
    VendorId: view.VendorId,
    ProfileData: view.ProfileData,
    NetCfgInstanceId: view.NetCfgInstanceId,
    PciSegmentNumber: view.PciLocation.PciSegmentNumber,
    PciBusNumber: view.PciLocation.PciBusNumber,
    PciDeviceNumber: view.PciLocation.PciDeviceNumber,
    PciFunctionNumber: view.PciLocation.PciFunctionNumber,
    CdnLabelId: view.CdnLabelId,
    CdnLabel: view.CdnLabel,
  };
}

/** NDIS_SWITCH_PORT_PROPERTY_ISOLATION, 20 bytes, NDIS 6.40 on. */
export interface IsolationProperty {
  /** NDIS_ISOLATION_MODE. */
  readonly IsolationMode: number;
  readonly AllowUntaggedTraffic: boolean;
  /** Applies to untagged packets (ndis-switch-abi.md, quirk 40). */
  readonly DefaultIsolationId: number;
}

/** Writes an isolation property; returns 20. */
export function writeIsolation(
  bytes: Uint8Array,
  offset: number,
  value: IsolationProperty,
): number {
  const size = ISOLATION.initialize(bytes, offset);
  const view = ISOLATION.view(bytes, offset);
  view.IsolationMode = value.IsolationMode;
  view.AllowUntaggedTraffic = value.AllowUntaggedTraffic;
  view.DefaultIsolationId = value.DefaultIsolationId;
  return size;
}

/** Reads an isolation property; throws `ABI_INVALID`. */
export function readIsolation(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): IsolationProperty {
  ISOLATION.check(bytes, offset, length);
  const { IsolationMode, AllowUntaggedTraffic, DefaultIsolationId } = ISOLATION.view(bytes, offset);
  return { IsolationMode, AllowUntaggedTraffic, DefaultIsolationId };
}
