import type { Nic } from './ports.ts';

/*
 * InformationBuffers of the offload OIDs, x64, revision 1 of each structure. Members and their order are those of
 * ntddndis.h and of the pages named; offsets were checked against two public dumps of debug symbols where there are any.
 * Only what is written or read here is named. All numbers little-endian.
 */

/** NDIS_OBJECT_TYPE_DEFAULT. */
const DEFAULT_TYPE = 0x80;
/** NDIS_DEFAULT_SWITCH_ID and NDIS_DEFAULT_VPORT_ID: the adapter's own switch and its default VPort. */
export const DEFAULT_ID = 0;
/** NDIS_INVALID_VF_FUNCTION_ID: what ALLOCATE_VF asks with; as AttachedFunctionId it is the physical function. */
export const NO_FUNCTION = 0xffff;
/** NDIS_INVALID_RID. */
const NO_RID = 0xffffffff;
/** NdisNicSwitchVPortStateActivated. */
const VPORT_ACTIVATED = 1;
/** NdisReceiveQueueTypeVMQueue. */
const VM_QUEUE = 1;
/** Length of an Ethernet address, bytes. */
const MAC_LENGTH = 6;

/** NDIS_NIC_SWITCH_VF_PARAMETERS, 1,632 bytes (ns-ntddndis-_ndis_nic_switch_vf_parameters). */
export const VF_PARAMETERS = {
  size: 1632,
  headerSize: 1632,
  vmName: 12,
  vmFriendlyName: 528,
  nicName: 1044,
  macAddressLength: 1560,
  permanentMac: 1562,
  currentMac: 1594,
  vfId: 1626,
  requestorId: 1628,
} as const;

/** NDIS_NIC_SWITCH_VPORT_PARAMETERS revision 1: 576 bytes, Header.Size 572 (…_ndis_nic_switch_vport_parameters). */
export const VPORT_PARAMETERS = {
  size: 576,
  headerSize: 572,
  vportId: 12,
  vportName: 16,
  attachedFunctionId: 532,
  numQueuePairs: 536,
  vportState: 544,
} as const;

/** NDIS_RECEIVE_QUEUE_PARAMETERS revision 1: 1,088 bytes, Header.Size 1,084 (…_ndis_receive_queue_parameters). */
export const QUEUE_PARAMETERS = {
  size: 1088,
  headerSize: 1084,
  queueType: 8,
  queueId: 12,
  vmName: 52,
  queueName: 568,
} as const;

/** NDIS_RECEIVE_FILTER_PARAMETERS: 36 bytes; with VPortId, revision 2 of NDIS 6.30, 44 (…_ndis_receive_filter_parameters). */
export const FILTER_PARAMETERS = {
  size: 36,
  headerSize: 36,
  queueId: 12,
  filterId: 16,
  vportId: 40,
  sizeWithVport: 44,
} as const;

/** NDIS_NIC_SWITCH_FREE_VF_PARAMETERS: 12 bytes, Header.Size 10. */
export const FREE_VF_PARAMETERS = { size: 12, headerSize: 10, vfId: 8 } as const;
/** NDIS_SRIOV_RESET_VF_PARAMETERS: header and VFId, no flags. */
export const RESET_VF_PARAMETERS = { size: 6, headerSize: 6, vfId: 4 } as const;
/** NDIS_NIC_SWITCH_DELETE_VPORT_PARAMETERS. */
export const DELETE_VPORT_PARAMETERS = { size: 12, headerSize: 12, vportId: 8 } as const;
/** NDIS_RECEIVE_QUEUE_FREE_PARAMETERS. */
export const FREE_QUEUE_PARAMETERS = { size: 12, headerSize: 12, queueId: 8 } as const;
/** NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS. */
export const CLEAR_FILTER_PARAMETERS = {
  size: 16,
  headerSize: 16,
  queueId: 8,
  filterId: 12,
} as const;
/** NDIS_RECEIVE_FILTER_MOVE_FILTER_PARAMETERS. */
export const MOVE_FILTER_PARAMETERS = {
  size: 28,
  headerSize: 28,
  filterId: 8,
  sourceVportId: 16,
  destinationVportId: 24,
} as const;
/** NDIS_RECEIVE_QUEUE_ALLOCATION_COMPLETE_ARRAY and its elements …_PARAMETERS. */
export const ALLOCATION_COMPLETE = {
  size: 20,
  headerSize: 20,
  firstElementOffset: 8,
  numElements: 12,
  elementSize: 16,
  elementMinimum: 16,
  elementQueueId: 8,
  elementStatus: 12,
} as const;

export const dataView = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function begin(of: { readonly size: number; readonly headerSize: number }): DataView {
  const view = new DataView(new ArrayBuffer(of.size));
  view.setUint8(0, DEFAULT_TYPE);
  view.setUint8(1, 1);
  view.setUint16(2, of.headerSize, true);
  return view;
}

const bytesOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer);

/** IF_COUNTED_STRING: length in bytes, then at most 256 UTF-16 units. */
function writeName(view: DataView, at: number, text: string): void {
  const short = text.slice(0, 256);
  view.setUint16(at, short.length * 2, true);
  for (let i = 0; i < short.length; i += 1) {
    view.setUint16(at + 2 + i * 2, short.charCodeAt(i), true);
  }
}

/** What OID_NIC_SWITCH_ALLOCATE_VF asks with: the VM's names and addresses; the adapter fills in VFId and RequestorId. */
export function vfParameters(nic: Nic): Uint8Array {
  const at = VF_PARAMETERS;
  const view = begin(at);
  writeName(view, at.vmName, nic.vmName);
  writeName(view, at.vmFriendlyName, nic.vmFriendlyName);
  writeName(view, at.nicName, nic.name);
  view.setUint16(at.macAddressLength, MAC_LENGTH, true);
  view.setUint16(at.vfId, NO_FUNCTION, true);
  view.setUint32(at.requestorId, NO_RID, true);
  const bytes = bytesOf(view);
  bytes.set(nic.permanentMac, at.permanentMac);
  bytes.set(nic.currentMac, at.currentMac);
  return bytes;
}

/** What OID_NIC_SWITCH_CREATE_VPORT asks with: one queue pair, activated, on that VF; the adapter fills in VPortId. */
export function vportParameters(vfId: number, name: string): Uint8Array {
  const at = VPORT_PARAMETERS;
  const view = begin(at);
  writeName(view, at.vportName, name);
  view.setUint16(at.attachedFunctionId, vfId, true);
  view.setUint32(at.numQueuePairs, 1, true);
  view.setUint32(at.vportState, VPORT_ACTIVATED, true);
  return bytesOf(view);
}

/** What OID_RECEIVE_FILTER_ALLOCATE_QUEUE asks with; the adapter fills in QueueId. */
export function queueParameters(vmName: string, queueName: string): Uint8Array {
  const at = QUEUE_PARAMETERS;
  const view = begin(at);
  view.setUint32(at.queueType, VM_QUEUE, true);
  writeName(view, at.vmName, vmName);
  writeName(view, at.queueName, queueName);
  return bytesOf(view);
}

/** What OID_RECEIVE_FILTER_SET_FILTER asks with, on a queue or on a VPort; the adapter fills in FilterId. */
export function filterParameters(queueId: number, vportId = DEFAULT_ID): Uint8Array {
  const at = FILTER_PARAMETERS;
  const view = begin({ size: at.sizeWithVport, headerSize: at.sizeWithVport });
  view.setUint8(1, 2);
  view.setUint32(at.queueId, queueId, true);
  view.setUint32(at.vportId, vportId, true);
  return bytesOf(view);
}

/** What OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE asks with: a list of one queue. */
export function allocationCompleteParameters(queueId: number): Uint8Array {
  const at = ALLOCATION_COMPLETE;
  const view = begin({ size: at.size + at.elementMinimum, headerSize: at.headerSize });
  view.setUint32(at.firstElementOffset, at.size, true);
  view.setUint32(at.numElements, 1, true);
  view.setUint32(at.elementSize, at.elementMinimum, true);
  view.setUint8(at.size, DEFAULT_TYPE);
  view.setUint8(at.size + 1, 1);
  view.setUint16(at.size + 2, at.elementMinimum, true);
  view.setUint32(at.size + at.elementQueueId, queueId, true);
  return bytesOf(view);
}

export function freeVfParameters(vfId: number): Uint8Array {
  const view = begin(FREE_VF_PARAMETERS);
  view.setUint16(FREE_VF_PARAMETERS.vfId, vfId, true);
  return bytesOf(view);
}

export function resetVfParameters(vfId: number): Uint8Array {
  const view = begin(RESET_VF_PARAMETERS);
  view.setUint16(RESET_VF_PARAMETERS.vfId, vfId, true);
  return bytesOf(view);
}

export function deleteVportParameters(vportId: number): Uint8Array {
  const view = begin(DELETE_VPORT_PARAMETERS);
  view.setUint32(DELETE_VPORT_PARAMETERS.vportId, vportId, true);
  return bytesOf(view);
}

export function freeQueueParameters(queueId: number): Uint8Array {
  const view = begin(FREE_QUEUE_PARAMETERS);
  view.setUint32(FREE_QUEUE_PARAMETERS.queueId, queueId, true);
  return bytesOf(view);
}

export function clearFilterParameters(queueId: number, filterId: number): Uint8Array {
  const view = begin(CLEAR_FILTER_PARAMETERS);
  view.setUint32(CLEAR_FILTER_PARAMETERS.queueId, queueId, true);
  view.setUint32(CLEAR_FILTER_PARAMETERS.filterId, filterId, true);
  return bytesOf(view);
}

/** Queue ids of a MOVE_FILTER are always the default queue's. */
export function moveFilterParameters(filterId: number, from: number, to: number): Uint8Array {
  const at = MOVE_FILTER_PARAMETERS;
  const view = begin(at);
  view.setUint32(at.filterId, filterId, true);
  view.setUint32(at.sourceVportId, from, true);
  view.setUint32(at.destinationVportId, to, true);
  return bytesOf(view);
}
