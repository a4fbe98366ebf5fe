import type { OidRequest } from '../../switch/oid-request.ts';
import { oidName } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { statusName } from '../core/status.ts';
import type { World } from './world.ts';

/** The error a refused OID becomes for management (rule E17): who refused, with what, which OID. */
export function refused(world: World, request: OidRequest, what: string): ExtSwitchError {
  world.vetoes += 1;
  const status = statusName(request.status);
  const module = request.completedBy;
  const by = module === undefined ? 'the switch' : `extension ${module.name}`;
  return new ExtSwitchError('VETOED', `${by} refused ${what} with ${status}`, {
    ndisStatus: status,
    oid: oidName(request.oid),
    ...(module === undefined ? {} : { extensionId: module.id }),
  });
}
