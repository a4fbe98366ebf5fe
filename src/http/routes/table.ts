import type { StreamLimits } from '../event-stream.ts';
import type { Route } from '../route.ts';
import type { Worlds } from '../worlds.ts';
import { type BatchDeps, batchRoute } from './batch.ts';
import { eventsRoute } from './events.ts';
import { extensionRoutes } from './extensions.ts';
import { faultRoutes } from './faults.ts';
import { featureRoutes } from './features.ts';
import { findingRoutes } from './findings.ts';
import { hostRoutes } from './host.ts';
import { clusterHostRoutes, type HostsAccess } from './hosts.ts';
import { migrationRoutes } from './migrations.ts';
import { nicRoutes } from './nics.ts';
import { portableRoutes } from './portable.ts';
import { portRoutes } from './ports.ts';
import { propertyRoutes } from './properties.ts';
import { simRoutes } from './sim.ts';
import { statusRoutes } from './status.ts';
import { switchRoutes } from './switches.ts';
import { traceRoutes } from './trace.ts';
import { vmAdapterRoutes } from './vm-adapters.ts';
import { vmRoutes } from './vms.ts';
import { worldRoutes } from './worlds.ts';

/** Every route below `/v1`. */
export function routeTable(
  worlds: Worlds,
  batch: BatchDeps,
  streams: StreamLimits,
  hosts: HostsAccess,
): readonly Route[] {
  return [
    ...featureRoutes,
    ...extensionRoutes,
    ...switchRoutes,
    ...portRoutes,
    ...nicRoutes,
    ...hostRoutes,
    ...vmRoutes,
    ...vmAdapterRoutes,
    ...portableRoutes,
    ...migrationRoutes,
    ...propertyRoutes,
    ...statusRoutes,
    ...traceRoutes,
    ...findingRoutes,
    eventsRoute(streams),
    batchRoute(batch),
    ...simRoutes,
    ...faultRoutes,
    ...worldRoutes(worlds),
    ...clusterHostRoutes(hosts),
  ];
}
