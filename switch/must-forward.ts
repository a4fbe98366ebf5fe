import { OIDS } from '../src/abi/index.ts';
import { failingOf } from './offload-oids.ts';
import { type OidRequest, REQUEST_TYPE } from './oid-request.ts';
import { endRule } from './oid-rules.ts';

const NIC_CREATE = OIDS.OID_SWITCH_NIC_CREATE.code;

/** No extension may fail it: rule book D.3; rule C37: NIC_CREATE is vetoable for NIC index 0 only. */
export function mustForward(request: OidRequest): boolean {
  // Rules D40-D42: what is inside a NIC_REQUEST decides.
  if (request.encapsulated !== undefined) {
    return failingOf(request.encapsulated.offload).by === 'never';
  }
  if (request.oid !== NIC_CREATE) return endRule(request.oidIndex).by === 'never';
  // NDIS_SWITCH_NIC_PARAMETERS.NicIndex, u16 at 1044.
  const bytes = request.pristine ?? request.buffer;
  return bytes[1044] !== 0 || bytes[1045] !== 0;
}

/** A set that nobody may fail goes on when its holder leaves; the rest is aborted. */
export function goesOnWithout(request: OidRequest): boolean {
  return request.type === REQUEST_TYPE.set && mustForward(request);
}
