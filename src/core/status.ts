/**
 * NDIS status codes an extension or the switch may use (ndis.h, ntstatus.h; spec table `status` of the switch ABI).
 * The names drop the `NDIS_STATUS_` prefix; {@link statusName} gives the full one.
 */
export const NdisStatus = {
  SUCCESS: 0x00000000,
  PENDING: 0x00000103,
  NOT_RECOGNIZED: 0x00010001,
  NOT_COPIED: 0x00010002,
  NOT_ACCEPTED: 0x00010003,
  INDICATION_REQUIRED: 0x40230001,
  BUFFER_OVERFLOW: 0x80000005,
  BUSY: 0x80000011,
  FAILURE: 0xc0000001,
  INVALID_PARAMETER: 0xc000000d,
  INVALID_DEVICE_REQUEST: 0xc0000010,
  RESOURCES: 0xc000009a,
  NOT_SUPPORTED: 0xc00000bb,
  INVALID_STATE: 0xc0000184,
  DATA_NOT_ACCEPTED: 0xc000021b,
  CLOSING: 0xc0010002,
  BAD_VERSION: 0xc0010004,
  BAD_CHARACTERISTICS: 0xc0010005,
  ADAPTER_NOT_FOUND: 0xc0010006,
  REQUEST_ABORTED: 0xc001000c,
  RESET_IN_PROGRESS: 0xc001000d,
  INVALID_LENGTH: 0xc0010014,
  INVALID_DATA: 0xc0010015,
  BUFFER_TOO_SHORT: 0xc0010016,
  INVALID_OID: 0xc0010017,
  ADAPTER_REMOVED: 0xc0010018,
  FILE_NOT_FOUND: 0xc001001b,
  RESOURCE_CONFLICT: 0xc001001e,
  SEND_ABORTED: 0xc023000c,
  MEDIA_DISCONNECTED: 0xc023001f,
  PAUSED: 0xc023002a,
  UNSUPPORTED_REVISION: 0xc023002c,
  INVALID_PORT: 0xc023002d,
  INVALID_PORT_STATE: 0xc023002e,
  LOW_POWER_STATE: 0xc023002f,
  SWITCH_PORT_REMOVE_VF: 0xc0241001,
  SWITCH_NIC_STATUS: 0xc0241002,
  LINK_STATE: 0x40010017,
  NETWORK_CHANGE: 0x40010018,
  TASK_OFFLOAD_CURRENT_CONFIG: 0x40020006,
  RECEIVE_FILTER_CURRENT_CAPABILITIES: 0x40020010,
  NIC_SWITCH_CURRENT_CAPABILITIES: 0x40020040,
  NIC_SWITCH_HARDWARE_CAPABILITIES: 0x40020050,
  ISOLATION_PARAMETERS_CHANGE: 0x40020080,
} as const;

export type NdisStatus = (typeof NdisStatus)[keyof typeof NdisStatus];

const NAMES = new Map<number, string>(
  Object.entries(NdisStatus).map(([name, value]) => [value, `NDIS_STATUS_${name}`]),
);

/** `NDIS_STATUS_…` of a value, or its hexadecimal form when it has no name here. */
export function statusName(status: number): string {
  return NAMES.get(status) ?? `0x${(status >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** True for a value of the table. */
export function isNdisStatus(value: unknown): value is NdisStatus {
  return typeof value === 'number' && NAMES.has(value);
}

/** NT_ERROR severity: the two top bits are 11. PENDING, informational and warning codes are not errors. */
export function isErrorStatus(status: number): boolean {
  return status >>> 30 === 3;
}
