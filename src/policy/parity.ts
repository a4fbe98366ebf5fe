import { OFFLOAD_OIDS, OID_LIST, type OidName } from '../abi/index.ts';
import { NdisStatus } from '../core/status.ts';
import { builtinFeatures } from '../mof/builtin-features.ts';
import { ruleEntries } from './rule-parity.ts';

/** What the table has rows of. */
export const PARITY_KINDS = ['oid', 'indication', 'status', 'class', 'rule'] as const;
export type ParityKind = (typeof PARITY_KINDS)[number];

/** How one thing of the field stands in this version. */
export interface ParityEntry {
  readonly kind: ParityKind;
  readonly name: string;
  /** The simulated switch issues, answers or reads it; a rule: the code keeps it. */
  readonly modelled: boolean;
  /** A test of this repository names it; a rule: a test proves it. */
  readonly tested: boolean;
  /** Where the field documents it: a page, or the header that alone has it. */
  readonly source: string;
  /** What is left out although it is modelled, or what is there although it is not. */
  readonly note?: string;
}

const DRIVER_PAGES = 'https://learn.microsoft.com/windows-hardware/drivers/network/';
const WMI_PAGES = 'https://learn.microsoft.com/windows/win32/hyperv_v2/';

/** OIDs the switch issues itself or answers at the miniport edge; a test compares them with the switch's sources. */
const MODELLED_OIDS: ReadonlySet<OidName> = new Set<OidName>([
  'OID_SWITCH_PROPERTY_ADD',
  'OID_SWITCH_PROPERTY_UPDATE',
  'OID_SWITCH_PROPERTY_DELETE',
  'OID_SWITCH_PROPERTY_ENUM',
  'OID_SWITCH_FEATURE_STATUS_QUERY',
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_PORT_PROPERTY_UPDATE',
  'OID_SWITCH_PORT_PROPERTY_DELETE',
  'OID_SWITCH_PORT_PROPERTY_ENUM',
  'OID_SWITCH_PORT_FEATURE_STATUS_QUERY',
  'OID_SWITCH_PARAMETERS',
  'OID_SWITCH_PORT_ARRAY',
  'OID_SWITCH_NIC_ARRAY',
  'OID_SWITCH_PORT_CREATE',
  'OID_SWITCH_PORT_TEARDOWN',
  'OID_SWITCH_PORT_DELETE',
  'OID_SWITCH_NIC_CREATE',
  'OID_SWITCH_NIC_CONNECT',
  'OID_SWITCH_NIC_DISCONNECT',
  'OID_SWITCH_NIC_DELETE',
  'OID_SWITCH_PORT_UPDATED',
  'OID_SWITCH_NIC_UPDATED',
  'OID_SWITCH_NIC_REQUEST',
  'OID_SWITCH_NIC_SAVE',
  'OID_SWITCH_NIC_SAVE_COMPLETE',
  'OID_SWITCH_NIC_RESTORE',
  'OID_SWITCH_NIC_RESTORE_COMPLETE',
  'OID_SWITCH_NIC_SUSPEND',
  'OID_SWITCH_NIC_RESUME',
  'OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED',
  'OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_FINISHED',
]);

const OPTIONAL = 'only with `behaviour.suspendOids` (OP-39)';
const NOTES: Readonly<Partial<Record<OidName, string>>> = {
  OID_SWITCH_NIC_SUSPEND: OPTIONAL,
  OID_SWITCH_NIC_RESUME: OPTIONAL,
  OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED: OPTIONAL,
  OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_FINISHED: OPTIONAL,
};

/** Statuses the switch gives or treats in a way of their own; any other an extension may give is passed on. */
const MODELLED_STATUSES: ReadonlySet<keyof typeof NdisStatus> = new Set<keyof typeof NdisStatus>([
  'SUCCESS',
  'PENDING',
  'FAILURE',
  'INVALID_PARAMETER',
  'NOT_SUPPORTED',
  'DATA_NOT_ACCEPTED',
  'REQUEST_ABORTED',
  'INVALID_LENGTH',
  'BUFFER_TOO_SHORT',
  'RESOURCES',
]);

/** Indications the switch raises or acts on. */
const MODELLED_INDICATIONS: ReadonlySet<keyof typeof NdisStatus> = new Set<keyof typeof NdisStatus>(
  ['SWITCH_NIC_STATUS', 'SWITCH_PORT_REMOVE_VF', 'LINK_STATE'],
);

/** Names among the statuses that travel as indications, with their page. */
const INDICATIONS: Readonly<Partial<Record<keyof typeof NdisStatus, string>>> = {
  SWITCH_NIC_STATUS: 'ndis-status-switch-nic-status',
  SWITCH_PORT_REMOVE_VF: 'ndis-status-switch-port-remove-vf',
  LINK_STATE: 'ndis-status-link-state',
  NETWORK_CHANGE: 'ndis-status-network-change',
  TASK_OFFLOAD_CURRENT_CONFIG: 'ndis-status-task-offload-current-config',
  RECEIVE_FILTER_CURRENT_CAPABILITIES: 'ndis-status-receive-filter-current-capabilities',
  NIC_SWITCH_CURRENT_CAPABILITIES: 'ndis-status-nic-switch-current-capabilities',
  NIC_SWITCH_HARDWARE_CAPABILITIES: 'ndis-status-nic-switch-hardware-capabilities',
  ISOLATION_PARAMETERS_CHANGE: 'ndis-status-isolation-parameters-change',
};

/** Built-in setting classes whose properties travel as NDIS structures of their own. */
const STANDARD_CLASSES: ReadonlySet<string> = new Set([
  'Msvm_EthernetSwitchPortVlanSettingData',
  'Msvm_EthernetSwitchPortSecuritySettingData',
  'Msvm_EthernetSwitchPortProfileSettingData',
  'Msvm_EthernetSwitchPortIsolationSettingData',
  'Msvm_EthernetSwitchPortRoutingDomainSettingData',
]);

/** What no test names although it is modelled. A test keeps this honest: everything else that is modelled is named by one. */
const UNTESTED: ReadonlySet<string> = new Set([
  'NDIS_STATUS_INVALID_PARAMETER',
  'NDIS_STATUS_BUFFER_TOO_SHORT',
]);

let table: readonly ParityEntry[] | undefined;

/**
 * Every OID, indication, status, built-in class and rule of the rule book, each with what this version does about it.
 * `kind`: those alone. Made on first use.
 */
export function parityTable(kind?: ParityKind): readonly ParityEntry[] {
  table ??= [...oidEntries(), ...statusEntries(), ...classEntries(), ...ruleEntries()];
  return kind === undefined ? table : table.filter((entry) => entry.kind === kind);
}

function oidEntries(): ParityEntry[] {
  const own = OID_LIST.map((oid) => {
    const note = NOTES[oid.name];
    return {
      ...modelled('oid', oid.name, MODELLED_OIDS.has(oid.name)),
      source: oid.doc === null ? 'ntddndis.h' : DRIVER_PAGES + oid.doc.replace(/\.md$/, ''),
      ...(note === undefined ? {} : { note }),
    };
  });
  const inside = Object.entries(OFFLOAD_OIDS).map(([name, oid]) => ({
    ...modelled('oid', name, true),
    source: DRIVER_PAGES + oid.doc,
    note:
      oid.class === 'ipsec'
        ? 'travels inside OID_SWITCH_NIC_REQUEST; no simulated adapter offloads IPsec'
        : 'travels inside OID_SWITCH_NIC_REQUEST',
  }));
  return [...own, ...inside];
}

function statusEntries(): ParityEntry[] {
  return (Object.keys(NdisStatus) as (keyof typeof NdisStatus)[]).map((short) => {
    const name = `NDIS_STATUS_${short}`;
    const page = INDICATIONS[short];
    if (page !== undefined) {
      return {
        ...modelled('indication', name, MODELLED_INDICATIONS.has(short)),
        source: DRIVER_PAGES + page,
      };
    }
    return { ...modelled('status', name, MODELLED_STATUSES.has(short)), source: 'ndis.h' };
  });
}

function classEntries(): ParityEntry[] {
  return builtinFeatures().map((feature) => {
    const standard = STANDARD_CLASSES.has(feature.name);
    const page = WMI_PAGES + feature.name.toLowerCase().replaceAll('_', '-');
    if (feature.kind === 'setting' && !standard) {
      const note =
        'stored and listed; no OID carries it, as in Windows the switch enforces it itself';
      return { ...modelled('class', feature.name, false), source: page, note };
    }
    if (feature.kind === 'status') {
      const note = 'known by its layout; only an extension that reports it answers';
      return { ...modelled('class', feature.name, false), source: page, note };
    }
    return { ...modelled('class', feature.name, true), source: page };
  });
}

function modelled(
  kind: ParityEntry['kind'],
  name: string,
  is: boolean,
): Omit<ParityEntry, 'source' | 'note'> {
  return { kind, name, modelled: is, tested: is && !UNTESTED.has(name) };
}
