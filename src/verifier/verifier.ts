import type { Finding } from '../../switch/environment.ts';
import { injectedMark } from '../../switch/fault-points.ts';
import type { FilterModule } from '../../switch/filter-module.ts';
import { evidenceOf } from '../../switch/finding-text.ts';
import type { Answer, SwitchObserver } from '../../switch/observer.ts';
import type { OidRequest } from '../../switch/oid-request.ts';
import { Nic, type Port } from '../../switch/ports.ts';
import type { ModuleState } from '../../switch/states.ts';
import type { Switch } from '../../switch/switch.ts';
import { OIDS, oidName } from '../abi/index.ts';
import type { Clock } from '../core/clock.ts';
import { isErrorStatus, NdisStatus } from '../core/status.ts';
import { findRule } from '../rules/rule-book.ts';
import type { NicStatusOptions } from '../sdk/extension.ts';
import { Activity } from './activity.ts';
import { ModuleWatch } from './module-watch.ts';
import { nicOf } from './request-parts.ts';
import type { Broken, RuleCheck, Watcher } from './rule-check.ts';

export interface VerifierOptions {
  /** Those with a `watch` are run. */
  readonly checks: readonly RuleCheck[];
  readonly clock: Clock;
  /** A request that was reported as broken fails. */
  readonly enforce?: boolean;
  /** Only this extension; left out: every one. */
  readonly only?: string;
  /** Counts for {@link only}, over several worlds. */
  readonly activity?: Activity;
  finding(switchName: string, finding: Finding): void;
}

const NIC_CREATE = OIDS.OID_SWITCH_NIC_CREATE.code;
const SEVERITY = {
  MUST: 'error',
  'MUST NOT': 'error',
  SHOULD: 'warning',
  'SHOULD NOT': 'warning',
  MAY: 'info',
} as const;

/**
 * Watches every module of a world's switches for rules that the switch itself does not see, and counts what each extension met
 * (which rules were exercised). Findings go where the switch's own go.
 */
export class Verifier implements SwitchObserver {
  /** By extension id, over all switches and attachments. */
  readonly activities = new Map<string, Activity>();
  /** Switches by name, the latest of each. */
  readonly machines = new Map<string, Switch>();
  readonly #options: VerifierOptions;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  created(machine: Switch): void {
    this.machines.set(machine.state.name, machine);
  }

  moved(switchName: string, module: FilterModule, from: ModuleState, to: ModuleState): void {
    const watch = this.#watch(switchName, module);
    const { activity, watchers } = watch;
    if (to === 'running') {
      activity.attached += 1;
      if (watch.hasRun) activity.restarts += 1;
      watch.hasRun = true;
    }
    if (to === 'paused' && from === 'pausing') activity.paused += 1;
    for (const watcher of watchers) watcher.moved?.(from, to);
    if (to === 'detached') module.observed = undefined;
  }

  arrived(switchName: string, module: FilterModule, request: OidRequest): void {
    const { activity, arrived } = this.#watch(switchName, module);
    activity.sawArrival(request.oid, request.oidIndex);
    if (request.encapsulated !== undefined) activity.sawArrival(request.encapsulated.parts.oid);
    if (request.oid === NIC_CREATE && nicOf(request).nicIndex > 0) activity.lowerNics += 1;
    const told = arrived[request.oidIndex + 1];
    if (told !== undefined) for (const watcher of told) watcher.arrived(request);
  }

  answered(switchName: string, module: FilterModule, request: OidRequest, answer: Answer): void {
    const { activity, answered, ended } = this.#watch(switchName, module);
    const told = answered[request.oidIndex + 1];
    if (told !== undefined) for (const watcher of told) watcher.answered(request, answer);
    if (answer === 'forward') return;
    if (answer === 'pend') {
      activity.pended += 1;
      return;
    }
    if (isErrorStatus(answer)) activity.refused += 1;
    for (const watcher of ended) watcher.ended(request, answer);
  }

  returned(switchName: string, module: FilterModule, request: OidRequest): void {
    const { activity, returned } = this.#watch(switchName, module);
    if (isErrorStatus(request.status)) activity.failedBelow += 1;
    const told = returned[request.oidIndex + 1];
    if (told !== undefined) for (const watcher of told) watcher.returned(request);
  }

  issued(switchName: string, module: FilterModule, request: OidRequest): void {
    const { activity, issued } = this.#watch(switchName, module);
    activity.sawIssue(request.oid);
    if (module.current?.encapsulated?.replacement?.by === module) activity.redirected += 1;
    const told = issued[request.oidIndex + 1];
    if (told !== undefined) for (const watcher of told) watcher.issued(request);
  }

  referenced(
    switchName: string,
    module: FilterModule,
    address: { readonly portId: number; readonly nicIndex?: number },
    object: Port | Nic | undefined,
  ): void {
    const { activity, watchers } = this.#watch(switchName, module);
    if (object === undefined) activity.refusedReferences += 1;
    else if (object instanceof Nic) activity.nicReferences += 1;
    else activity.portReferences += 1;
    for (const watcher of watchers) watcher.referenced?.(address, object);
  }

  dereferenced(switchName: string, module: FilterModule, object: Port | Nic | undefined): void {
    for (const watcher of this.#watch(switchName, module).watchers) watcher.dereferenced?.(object);
  }

  indicated(switchName: string, module: FilterModule, indication: NicStatusOptions): void {
    const { activity, watchers } = this.#watch(switchName, module);
    activity.indicated += 1;
    if (indication.statusCode === NdisStatus.SWITCH_PORT_REMOVE_VF) activity.vfRemovals += 1;
    for (const watcher of watchers) watcher.indicated?.(indication);
  }

  sawIndication(switchName: string, module: FilterModule, isDropped: boolean): void {
    const { activity, watchers } = this.#watch(switchName, module);
    activity.sawIndications += 1;
    for (const watcher of watchers) watcher.sawIndication?.(isDropped);
  }

  /** A module has one observer, so what is kept with it is ours. */
  #watch(switchName: string, module: FilterModule): ModuleWatch {
    return (module.observed as ModuleWatch | undefined) ?? this.#begin(switchName, module);
  }

  #begin(switchName: string, module: FilterModule): ModuleWatch {
    let activity = this.activities.get(module.id);
    if (activity === undefined) {
      const { only, activity: given } = this.#options;
      activity = only === module.id && given !== undefined ? given : new Activity();
      this.activities.set(module.id, activity);
    }
    const { checks, clock, only } = this.#options;
    const watchers: Watcher[] = [];
    const isWatched = only === undefined || only === module.id;
    for (const check of isWatched ? checks : []) {
      if (check.watch === undefined) continue;
      const report = (broken: Broken): void => this.#report(switchName, module, check, broken);
      watchers.push(
        check.watch({
          module,
          switchName,
          catalog: () => this.#machine(switchName).environment.catalog,
          now: () => clock.now(),
          after: (delayMs, fire) => clock.after(delayMs, fire, true),
          report,
        }),
      );
    }
    const watch = new ModuleWatch(activity, watchers);
    module.observed = watch;
    return watch;
  }

  #machine(switchName: string): Switch {
    const machine = this.machines.get(switchName);
    if (machine === undefined) throw new Error(`switch ${switchName} was never made`);
    return machine;
  }

  #report(switchName: string, module: FilterModule, check: RuleCheck, broken: Broken): void {
    const { message, request } = broken;
    const force = findRule(check.rule)?.force ?? 'MUST';
    const severity = broken.severity ?? SEVERITY[force];
    const mark = injectedMark(request, module);
    const isHeldAgainst = severity === 'error' && mark.injected === undefined;
    if (this.#options.enforce === true && isHeldAgainst && request !== undefined) {
      request.brokenBy ??= module;
    }
    const finding: Finding = {
      rule: check.name ?? check.rule,
      severity,
      message: `${module.name} ${message}`,
      extensionId: module.id,
      ...mark,
      ...(request === undefined
        ? {}
        : { oid: oidName(request.oid), request: request.id, ...evidenceOf(request) }),
    };
    request?.note(finding);
    this.#options.finding(switchName, finding);
  }
}
