import { OIDS, structure } from '../src/abi/index.ts';
import type { FilterModule } from './filter-module.ts';
import { permissionState, permissionsOf } from './permissions.ts';
import type { SwitchState } from './switch-state.ts';

const PORT_ENUM = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS');

/** Why an extension may not issue an OID that names a port. */
export interface NamedPortRefusal {
  readonly portId: number;
  readonly rule: string;
  readonly why: string;
}

/**
 * Whether `module` may issue this OID for the port that `input` names, by the permission matrix: from PORT_CREATE until
 * PORT_TEARDOWN (rules B30, B33), longer while it holds a reference that it took before (OP-23). An OID that names a
 * port that does not exist is delivered to nobody (rule B22). `undefined`: it may, or the OID names no port.
 */
export function namedPortRefusal(
  state: SwitchState,
  module: FilterModule,
  oid: number,
  input: Uint8Array,
): NamedPortRefusal | undefined {
  if (oid !== OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code || input.length < PORT_ENUM.minimumSize) {
    return undefined;
  }
  const portId = PORT_ENUM.view(input, 0).PortId;
  const port = state.ports.get(portId);
  if (permissionsOf(port).extOidsToPort) return undefined;
  if (port !== undefined && module.references.has(port)) return undefined;
  return permissionState(port) === 'portTearingDown'
    ? { portId, rule: 'B33', why: 'is being torn down and not referenced' }
    : { portId, rule: 'B30', why: 'does not exist' };
}
