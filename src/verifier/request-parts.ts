import type { OidRequest } from '../../switch/oid-request.ts';
import { readPortParameters } from '../../switch/parameters.ts';
import { OIDS, structure } from '../abi/index.ts';
import type { PortParameters } from '../sdk/extension.ts';

/*
 * What checks read of a request. Bytes as issued, where the module could have changed them (design.md 1).
 */

const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');
const ENUM = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS');
const PORT_ENUM = OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code;

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

/** All of a port OID. */
export function portOf(request: OidRequest): PortParameters {
  return readPortParameters(bytesOf(request));
}

/** Port of an OID_SWITCH_PORT_PROPERTY_ENUM; `undefined` for every other OID, and for bytes that are too short. */
export function enumeratedPort(request: OidRequest): number | undefined {
  if (request.oid !== PORT_ENUM || request.inputLength < ENUM.minimumSize) return undefined;
  return ENUM.view(request.methodInput ?? request.buffer, 0).PortId;
}
