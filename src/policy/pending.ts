import { type OidRequest, requestTypeName } from '../../switch/oid-request.ts';
import { oidName } from '../abi/index.ts';
import type { PendingOid } from './api.ts';
import type { SwitchEntry, World } from './world.ts';

const MINIPORT_EDGE = 'miniportEdge';

/** Requests in flight on all switches, oldest first on each (`!ndiskd.oid`). */
export function pendingOids(world: World): PendingOid[] {
  const now = world.clock.now();
  const pending: PendingOid[] = [];
  for (const entry of world.switches.values()) {
    for (const request of entry.machine.pipeline.inFlight.values()) {
      pending.push(pendingOid(entry, request, now));
    }
  }
  return pending;
}

function pendingOid({ machine, name }: SwitchEntry, request: OidRequest, now: number): PendingOid {
  const { modules, origin, position } = request;
  const at = modules[position];
  // Rule D2: seen only below the module that issued it.
  const route = modules.slice(origin + 1, position + 1).map(({ id }) => id);
  if (at === undefined) route.push(MINIPORT_EDGE);
  return {
    request: request.id,
    switch: name,
    oid: oidName(request.oid),
    heldBy: at?.id ?? MINIPORT_EDGE,
    pendingForMs: now - request.issuedAt,
    queued: origin < 0 ? machine.queued : (at?.queue.length ?? 0),
    requestType: requestTypeName(request.type),
    origin: modules[origin]?.id ?? 'protocolEdge',
    route,
    ...(request.timer === undefined ? {} : { endsInMs: Math.max(0, request.endsAt - now) }),
  };
}
