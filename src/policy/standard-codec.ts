import type { PropertyCodec } from '../../switch/environment.ts';
import {
  type NdisVersion,
  readIsolation,
  readProfile,
  readRoutingDomain,
  readSecurity,
  readVlan,
  routingDomainSize,
  structure,
  writeIsolation,
  writeProfile,
  writeRoutingDomain,
  writeSecurity,
  writeVlan,
} from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { type Guid, NULL_GUID, tryParseGuid } from '../core/guid.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import { normalizeSettings } from '../mof/settings.ts';
import type { Settings, SettingValue } from '../sdk/extension.ts';

/*
 * The standard port properties (rule E1): the built-in Msvm class on the management side, a hand-made NDIS structure on
 * the wire (management.md 3.4). Members the structure has no room for stay in the store only.
 */

interface Mapping {
  readonly propertyType: number;
  readonly className: string;
  readonly check: (settings: Settings, className: string) => void;
  readonly size: (settings: Settings, ndis: NdisVersion) => number;
  readonly write: (
    settings: Settings,
    bytes: Uint8Array,
    offset: number,
    ndis: NdisVersion,
  ) => number;
  readonly read: (bytes: Uint8Array, offset: number, lengthBytes: number) => object;
  /** Value in force when nothing is configured (OP-8). */
  readonly inForce: Settings | undefined;
}

const num = (value: SettingValue | undefined): number => Number(value ?? 0);
const text = (value: SettingValue | undefined): string => String(value ?? '');
const list = (value: SettingValue | undefined): readonly number[] =>
  Array.isArray(value) ? value.map(Number) : [];
const names = (value: SettingValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.map(String) : [];

function refuse(className: string, member: string, expected: string, found: string): never {
  throw new ExtSwitchError(
    'SETTINGS_INVALID',
    `${className}.${member}: expected ${expected}, found ${found}`,
    { structure: className, member, expected, found },
  );
}

function atMost(className: string, settings: Settings, member: string, max: number): void {
  const value = num(settings[member]);
  if (value > max) refuse(className, member, `0 to ${max}`, String(value));
}

function vlanIds(className: string, settings: Settings, member: string): void {
  for (const id of list(settings[member])) {
    if (id > 4095) refuse(className, member, 'VLAN ids from 0 to 4095', String(id));
  }
}

function guid(className: string, settings: Settings, member: string): Guid {
  const value = text(settings[member]);
  return value === ''
    ? NULL_GUID
    : (tryParseGuid(value) ?? refuse(className, member, 'a GUID', JSON.stringify(value)));
}

const ROUTING_DOMAIN_CLASS = 'Msvm_EthernetSwitchPortRoutingDomainSettingData';
const PROFILE_CLASS = 'Msvm_EthernetSwitchPortProfileSettingData';

const MAPPINGS: readonly Mapping[] = [
  {
    propertyType: 2,
    className: 'Msvm_EthernetSwitchPortSecuritySettingData',
    check: () => undefined,
    size: (_settings, ndis) => structure('NDIS_SWITCH_PORT_PROPERTY_SECURITY').sizeof(ndis),
    write: (settings, bytes, offset, ndis) =>
      writeSecurity(
        bytes,
        offset,
        {
          AllowMacSpoofing: settings['AllowMacSpoofing'] === true,
          AllowIeeePriorityTag: settings['AllowIeeePriorityTag'] === true,
          VirtualSubnetId: num(settings['VirtualSubnetId']),
          AllowTeaming: settings['AllowTeaming'] === true,
          DynamicIPAddressLimit: num(settings['DynamicIPAddressLimit']),
        },
        ndis,
      ),
    read: readSecurity,
    inForce: {},
  },
  {
    propertyType: 3,
    className: 'Msvm_EthernetSwitchPortVlanSettingData',
    check: (settings, className) => {
      atMost(className, settings, 'OperationMode', 3);
      atMost(className, settings, 'PvlanMode', 3);
      for (const member of ['AccessVlanId', 'NativeVlanId', 'PrimaryVlanId', 'SecondaryVlanId']) {
        atMost(className, settings, member, 4095);
      }
      for (const member of ['PruneVlanIdArray', 'TrunkVlanIdArray', 'SecondaryVlanIdArray']) {
        vlanIds(className, settings, member);
      }
    },
    size: () => structure('NDIS_SWITCH_PORT_PROPERTY_VLAN').sizeof(),
    write: (settings, bytes, offset) =>
      writeVlan(bytes, offset, {
        OperationMode: num(settings['OperationMode']),
        AccessVlanId: num(settings['AccessVlanId']),
        NativeVlanId: num(settings['NativeVlanId']),
        PruneVlanIdArray: list(settings['PruneVlanIdArray']),
        TrunkVlanIdArray: list(settings['TrunkVlanIdArray']),
        PvlanMode: num(settings['PvlanMode']),
        PrimaryVlanId: num(settings['PrimaryVlanId']),
        SecondaryVlanId: num(settings['SecondaryVlanId']),
        SecondaryVlanIdArray: list(settings['SecondaryVlanIdArray']),
      }),
    read: readVlan,
    inForce: { OperationMode: 1 },
  },
  {
    propertyType: 4,
    // Rule E13: a profile points into its vendor's own store; nothing of it is interpreted.
    className: PROFILE_CLASS,
    check: (settings, className) => {
      for (const member of ['ProfileId', 'VendorId', 'NetCfgInstanceId'])
        guid(className, settings, member);
      atMost(className, settings, 'PciSegmentNumber', 0xffff);
      atMost(className, settings, 'PciBusNumber', 0xff);
      atMost(className, settings, 'PciDeviceNumber', 0x1f);
      atMost(className, settings, 'PciFunctionNumber', 7);
    },
    size: () => structure('NDIS_SWITCH_PORT_PROPERTY_PROFILE').sizeof(),
    write: (settings, bytes, offset) =>
      writeProfile(bytes, offset, {
        ProfileName: text(settings['ProfileName']),
        ProfileId: guid(PROFILE_CLASS, settings, 'ProfileId'),
        VendorName: text(settings['VendorName']),
        VendorId: guid(PROFILE_CLASS, settings, 'VendorId'),
        ProfileData: num(settings['ProfileData']),
        NetCfgInstanceId: guid(PROFILE_CLASS, settings, 'NetCfgInstanceId'),
        PciSegmentNumber: num(settings['PciSegmentNumber']),
        PciBusNumber: num(settings['PciBusNumber']),
        PciDeviceNumber: num(settings['PciDeviceNumber']),
        PciFunctionNumber: num(settings['PciFunctionNumber']),
        CdnLabelId: num(settings['CdnLabelId']),
        CdnLabel: text(settings['CdnLabelString']),
      }),
    read: (bytes, offset, lengthBytes) => {
      const { CdnLabel, ...rest } = readProfile(bytes, offset, lengthBytes);
      return { ...rest, CdnLabelString: CdnLabel };
    },
    inForce: undefined,
  },
  {
    propertyType: 5,
    className: 'Msvm_EthernetSwitchPortIsolationSettingData',
    check: (settings, className) => atMost(className, settings, 'IsolationMode', 3),
    size: () => structure('NDIS_SWITCH_PORT_PROPERTY_ISOLATION').sizeof(),
    write: (settings, bytes, offset) =>
      writeIsolation(bytes, offset, {
        IsolationMode: num(settings['IsolationMode']),
        AllowUntaggedTraffic: settings['AllowUntaggedTraffic'] === true,
        DefaultIsolationId: num(settings['DefaultIsolationId']),
      }),
    read: readIsolation,
    inForce: {},
  },
  {
    propertyType: 6,
    className: ROUTING_DOMAIN_CLASS,
    check: (settings, className) => {
      guid(className, settings, 'RoutingDomainGuid');
      const ids = list(settings['IsolationIdList']).length;
      const count = names(settings['IsolationIdNameList']).length;
      if (count > ids) {
        refuse(
          className,
          'IsolationIdNameList',
          `at most one name for each of ${ids} ids`,
          `${count} names`,
        );
      }
      for (const name of names(settings['IsolationIdNameList'])) {
        if (name.length > 127)
          refuse(
            className,
            'IsolationIdNameList',
            'names of at most 127 characters',
            `${name.length}`,
          );
      }
    },
    size: (settings) => routingDomainSize(list(settings['IsolationIdList']).length),
    write: (settings, bytes, offset) => {
      const idNames = names(settings['IsolationIdNameList']);
      return writeRoutingDomain(bytes, offset, {
        RoutingDomainId: guid(ROUTING_DOMAIN_CLASS, settings, 'RoutingDomainGuid'),
        RoutingDomainName: text(settings['RoutingDomainName']),
        IsolationEntries: list(settings['IsolationIdList']).map((id, i) => ({
          IsolationId: id,
          IsolationIdName: idNames[i] ?? '',
        })),
      });
    },
    read: (bytes, offset, lengthBytes) => {
      const domain = readRoutingDomain(bytes, offset, lengthBytes);
      return {
        RoutingDomainGuid: domain.RoutingDomainId,
        RoutingDomainName: domain.RoutingDomainName,
        IsolationIdList: domain.IsolationEntries.map((entry) => entry.IsolationId),
        IsolationIdNameList: domain.IsolationEntries.map((entry) => entry.IsolationIdName),
      };
    },
    inForce: undefined,
  },
];

/** A standard port property as a {@link PropertyCodec}. */
export class StandardCodec implements PropertyCodec {
  readonly name: string;
  readonly propertyType: number;
  readonly id: Guid;
  readonly idWords = new Uint32Array(4);
  readonly extensionId: Guid;
  readonly version: number;
  readonly fixedSize: number;
  readonly feature: FeatureClass;
  /** Value in force when nothing is configured (rule E45). */
  readonly inForce: Settings | undefined;
  readonly #mapping: Mapping;
  readonly #ndis: NdisVersion;

  constructor(mapping: Mapping, feature: FeatureClass, ndis: NdisVersion) {
    this.#mapping = mapping;
    this.#ndis = ndis;
    this.feature = feature;
    this.name = feature.name;
    this.propertyType = mapping.propertyType;
    this.id = feature.id;
    this.extensionId = feature.extensionId;
    this.version = feature.version;
    this.inForce =
      mapping.inForce === undefined ? undefined : normalizeSettings(feature, mapping.inForce);
    this.fixedSize = mapping.size(this.inForce ?? {}, ndis);
  }

  normalize(values: Readonly<Record<string, unknown>>): Settings {
    const settings = normalizeSettings(this.feature, values);
    this.#mapping.check(settings, this.name);
    return settings;
  }
  size(settings: Settings): number {
    return this.#mapping.size(settings, this.#ndis);
  }
  write(settings: Settings, bytes: Uint8Array, offset: number): number {
    return this.#mapping.write(settings, bytes, offset, this.#ndis);
  }
  /** The members the NDIS structure carries. */
  decode(bytes: Uint8Array, offset: number, lengthBytes: number): Settings {
    return this.#mapping.read(bytes, offset, lengthBytes) as Settings;
  }
}

/** How a built-in class travels: its standard mapping, or `undefined` when no OID carries it. */
export function standardMapping(className: string): Mapping | undefined {
  return MAPPINGS.find((mapping) => mapping.className === className);
}

/** Class name of a standard property type, or `undefined`. */
export function standardClassName(propertyType: number): string | undefined {
  return MAPPINGS.find((mapping) => mapping.propertyType === propertyType)?.className;
}
