import { writeNicRequestCounters } from '../src/abi/index.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { NicAddress } from '../src/sdk/extension.ts';
import { NOWHERE, sameNic } from './encapsulated-request.ts';
import { adapterAt } from './external-port.ts';
import { type OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { AdapterRequest } from './physical-adapter.ts';
import type { SwitchState } from './switch-state.ts';

/**
 * The miniport edge's end of OID_SWITCH_NIC_REQUEST: destination 0/0 was for the extensions only and completes with
 * success (rule D27); else the request inside is handed to the adapter named (rule D28), and its status is that of the
 * whole. A destination nobody has is INVALID_PARAMETER.
 */
export function deliverNicRequest(state: SwitchState, request: OidRequest): NdisStatus {
  const inner = request.encapsulated;
  if (inner === undefined) return NdisStatus.INVALID_PARAMETER;
  const { parts, destination, source, issuer } = inner;
  const { dataOffset, dataLength, inputLength, outputLength, oid, requestType } = parts;
  const handed: AdapterRequest = {
    oid,
    requestType,
    data: request.buffer.subarray(dataOffset, dataOffset + dataLength),
    inputLength,
    outputLength,
    source,
    issuer,
    bytesRead: 0,
    bytesWritten: 0,
    bytesNeeded: 0,
  };
  const status = sameNic(destination, NOWHERE)
    ? inspected(handed)
    : reached(state, handed, destination);
  writeNicRequestCounters(request.buffer, parts, handed);
  request.bytesRead = request.inputLength;
  request.bytesWritten = request.inputLength;
  return status;
}

function inspected(handed: AdapterRequest): NdisStatus {
  if (handed.requestType === REQUEST_TYPE.set) handed.bytesRead = handed.inputLength;
  return NdisStatus.SUCCESS;
}

function reached(state: SwitchState, handed: AdapterRequest, destination: NicAddress): NdisStatus {
  return adapterAt(state, destination)?.adapter.answer(handed) ?? NdisStatus.INVALID_PARAMETER;
}
