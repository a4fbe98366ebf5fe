import type { NdisStatus } from '../src/core/status.ts';
import type { NicStatusOptions } from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import type { OidRequest } from './oid-request.ts';
import type { Nic, Port } from './ports.ts';
import type { ModuleState } from './states.ts';
import type { Switch } from './switch.ts';

/** What a module said to a request: it forwards it, keeps it, or ends it with this status. */
export type Answer = 'forward' | 'pend' | NdisStatus;

/**
 * What a verifier sees of the modules of a world's switches: each act of each module, in the order it happens. Calls are
 * synchronous; an observer changes nothing, and what it throws is a defect of ours. Without one nothing is called.
 */
export interface SwitchObserver {
  /** A switch was made; nothing has happened on it yet. */
  created(machine: Switch): void;
  moved(switchName: string, module: FilterModule, from: ModuleState, to: ModuleState): void;
  /** A request reaches the module: its handlers run next. */
  arrived(switchName: string, module: FilterModule, request: OidRequest): void;
  /**
   * The handlers have returned; again with what it came to when it had pended. `answer` is what counts: what the module may not
   * say has been reported and replaced.
   */
  answered(switchName: string, module: FilterModule, request: OidRequest, answer: Answer): void;
  /** What the module forwarded has come back up, and its completion handler has run. */
  returned(switchName: string, module: FilterModule, request: OidRequest): void;
  /** The module issues a request of its own. */
  issued(switchName: string, module: FilterModule, request: OidRequest): void;
  /** It asked for a reference; `object` is there when it got it. */
  referenced(
    switchName: string,
    module: FilterModule,
    address: { readonly portId: number; readonly nicIndex?: number },
    object: Port | Nic | undefined,
  ): void;
  /** It gave one back; `object`: the one it held. */
  dereferenced(switchName: string, module: FilterModule, object: Port | Nic | undefined): void;
  /** It raises a status indication. */
  indicated(switchName: string, module: FilterModule, indication: NicStatusOptions): void;
  /** A status indication passed it on its way up. */
  sawIndication(switchName: string, module: FilterModule, isDropped: boolean): void;
}
