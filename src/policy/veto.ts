import type { OidRequest } from '../../switch/oid-request.ts';
import { oidName } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { statusName } from '../core/status.ts';
import type { World } from './world.ts';

/** Why the switch itself refused, in words, with the rule it follows. */
export interface Cause {
  readonly reason: string;
  readonly rule?: string;
}

/** The error a refused OID becomes for management (rule E17): who refused, with what, which OID, and why if that is known. */
export function refused(
  world: World,
  request: OidRequest,
  what: string,
  cause?: Cause,
): ExtSwitchError {
  world.vetoes += 1;
  const status = statusName(request.status);
  const module = request.completedBy;
  const by = module === undefined ? 'the switch' : `extension ${module.name}`;
  const why = cause === undefined ? '' : `: ${cause.reason}`;
  return new ExtSwitchError('VETOED', `${by} refused ${what} with ${status}${why}`, {
    ndisStatus: status,
    oid: oidName(request.oid),
    ...(cause?.rule === undefined ? {} : { rule: cause.rule }),
    ...(module === undefined ? {} : { extensionId: module.id }),
  });
}
