import type { OidRequest } from '../../switch/oid-request.ts';
import { structure } from '../abi/index.ts';

/*
 * What checks read of a request. Bytes as issued, where the module could have changed them (design.md 1).
 */

const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');

const bytesOf = (request: OidRequest): Uint8Array => request.pristine ?? request.buffer;

/** PortId of a port OID (NDIS_SWITCH_PORT_PARAMETERS). */
export function portIdOf(request: OidRequest): number {
  return PORT.view(bytesOf(request), 0).PortId;
}

/** PortId and NicIndex of a NIC OID (NDIS_SWITCH_NIC_PARAMETERS). */
export function nicOf(request: OidRequest): { readonly portId: number; readonly nicIndex: number } {
  const { PortId, NicIndex } = NIC.view(bytesOf(request), 0);
  return { portId: PortId, nicIndex: NicIndex };
}
