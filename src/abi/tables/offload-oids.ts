/** What an OID inside OID_SWITCH_NIC_REQUEST is about. */
export type OffloadClass = 'multicast' | 'vmq' | 'sriov' | 'ipsec';

/** `allocate` takes a resource of the adapter, `release` gives it back, `complete` ends a batch of allocations. */
export type OffloadKind = 'allocate' | 'release' | 'complete' | 'other';

/** Row of {@link OFFLOAD_OIDS}. */
export interface OffloadOidRow {
  readonly code: number;
  /** NDIS_REQUEST_TYPE the OID is issued with. */
  readonly requestType: 'query' | 'set' | 'method';
  readonly class: OffloadClass;
  readonly kind: OffloadKind;
  /** Page of the Windows driver documentation. */
  readonly doc: string;
}

/**
 * The OIDs a switch wraps (rules D24, D26): hardware offload (VMQ, SR-IOV, IPsec v2) and multicast addresses. Codes and
 * request types are those of the public ntddndis.h (sections `NDIS_SUPPORT_NDIS620` and `630`, `802.3 Objects`, `IPsec
 * Task offload V2 OIDs`); where the header leaves the type open, the page decides. Ascending by code.
 */
export const OFFLOAD_OIDS = {
  OID_RECEIVE_FILTER_ALLOCATE_QUEUE: {
    code: 0x00010223,
    requestType: 'method',
    class: 'vmq',
    kind: 'allocate',
    doc: 'oid-receive-filter-allocate-queue',
  },
  OID_RECEIVE_FILTER_FREE_QUEUE: {
    code: 0x00010224,
    requestType: 'set',
    class: 'vmq',
    kind: 'release',
    doc: 'oid-receive-filter-free-queue',
  },
  OID_RECEIVE_FILTER_SET_FILTER: {
    code: 0x00010227,
    requestType: 'method',
    class: 'vmq',
    kind: 'allocate',
    doc: 'oid-receive-filter-set-filter',
  },
  OID_RECEIVE_FILTER_CLEAR_FILTER: {
    code: 0x00010228,
    requestType: 'set',
    class: 'vmq',
    kind: 'release',
    doc: 'oid-receive-filter-clear-filter',
  },
  OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE: {
    code: 0x0001022b,
    requestType: 'method',
    class: 'vmq',
    kind: 'complete',
    doc: 'oid-receive-filter-queue-allocation-complete',
  },
  OID_RECEIVE_FILTER_MOVE_FILTER: {
    code: 0x00010230,
    requestType: 'set',
    class: 'sriov',
    kind: 'other',
    doc: 'oid-receive-filter-move-filter',
  },
  OID_NIC_SWITCH_CREATE_VPORT: {
    code: 0x00010241,
    requestType: 'method',
    class: 'sriov',
    kind: 'allocate',
    doc: 'oid-nic-switch-create-vport',
  },
  OID_NIC_SWITCH_DELETE_VPORT: {
    code: 0x00010244,
    requestType: 'set',
    class: 'sriov',
    kind: 'release',
    doc: 'oid-nic-switch-delete-vport',
  },
  OID_NIC_SWITCH_ALLOCATE_VF: {
    code: 0x00010245,
    requestType: 'method',
    class: 'sriov',
    kind: 'allocate',
    doc: 'oid-nic-switch-allocate-vf',
  },
  OID_NIC_SWITCH_FREE_VF: {
    code: 0x00010246,
    requestType: 'set',
    class: 'sriov',
    kind: 'release',
    doc: 'oid-nic-switch-free-vf',
  },
  OID_SRIOV_RESET_VF: {
    code: 0x00010255,
    requestType: 'set',
    class: 'sriov',
    kind: 'other',
    doc: 'oid-sriov-reset-vf',
  },
  OID_802_3_ADD_MULTICAST_ADDRESS: {
    code: 0x01010208,
    requestType: 'set',
    class: 'multicast',
    kind: 'other',
    doc: 'oid-802-3-add-multicast-address',
  },
  OID_802_3_DELETE_MULTICAST_ADDRESS: {
    code: 0x01010209,
    requestType: 'set',
    class: 'multicast',
    kind: 'other',
    doc: 'oid-802-3-delete-multicast-address',
  },
  OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA: {
    code: 0xfc030202,
    requestType: 'set',
    class: 'ipsec',
    kind: 'allocate',
    doc: 'oid-tcp-task-ipsec-offload-v2-add-sa',
  },
  OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA: {
    code: 0xfc030203,
    requestType: 'set',
    class: 'ipsec',
    kind: 'release',
    doc: 'oid-tcp-task-ipsec-offload-v2-delete-sa',
  },
  OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA: {
    code: 0xfc030204,
    requestType: 'set',
    class: 'ipsec',
    kind: 'other',
    doc: 'oid-tcp-task-ipsec-offload-v2-update-sa',
  },
  OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX: {
    code: 0xfc030205,
    requestType: 'set',
    class: 'ipsec',
    kind: 'allocate',
    doc: 'oid-tcp-task-ipsec-offload-v2-add-sa-ex',
  },
} as const satisfies Record<string, OffloadOidRow>;

/** Name of a wrapped OID. */
export type OffloadOidName = keyof typeof OFFLOAD_OIDS;

/** A wrapped OID with its name. */
export interface OffloadOid extends OffloadOidRow {
  readonly name: OffloadOidName;
}

const BY_CODE = new Map<number, OffloadOid>(
  Object.entries<OffloadOidRow>(OFFLOAD_OIDS).map(([name, row]) => [
    row.code,
    { ...row, name: name as OffloadOidName },
  ]),
);

/** The wrapped OID of a code, or `undefined`. */
export function offloadOidByCode(code: number): OffloadOid | undefined {
  return BY_CODE.get(code >>> 0);
}
