import {
  DEFAULT_BEHAVIOUR,
  type Finding,
  type SwitchEnvironment,
} from '../../switch/environment.ts';
import type { FaultPoints } from '../../switch/fault-points.ts';
import type { NicOptions, Port } from '../../switch/ports.ts';
import type { MaybePromise, Steps } from '../../switch/steps.ts';
import type { Switch } from '../../switch/switch.ts';
import { TraceRing } from '../../switch/trace.ts';
import type { NdisVersion } from '../abi/index.ts';
import type { VirtualClock } from '../core/clock.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import { Rng, type RngPosition } from '../core/rng.ts';
import type { Isolation } from '../isolation/isolation.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { Store } from '../store/store.ts';
import type { FabricOptions, ProfileName } from './api.ts';
import { memberAt } from './byte-member.ts';
import { ChangeLog } from './change-log.ts';
import { EventLog } from './event-log.ts';
import { FaultableHosts } from './fault-hosts.ts';
import { FaultableWrites } from './fault-writes.ts';
import { FeatureRegistry } from './feature-registry.ts';
import { FindingLog } from './finding-log.ts';
import { MacPool, type MacPosition } from './mac-pool.ts';
import type { HostDirectory } from './migration-api.ts';
import type { Arrival } from './migration-arrival.ts';
import type { Departure } from './migration-departure.ts';
import { Farewells } from './migration-farewell.ts';
import { DEFAULT_PROFILE, PROFILE_NDIS } from './profile.ts';
import type { UplinkTeam } from './records.ts';
import type { PortSnapshot } from './recreate.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import { WorldFaults } from './world-faults.ts';
import { switchesOf } from './written-switches.ts';

/** An extension bound to a switch (rule A36). */
export interface Binding {
  readonly id: Guid;
  enabled: boolean;
  /** The switch does not run without it (rule A50). */
  required?: boolean;
  /** Why it does not run although enabled. */
  problem?: string;
}

/** What management keeps with a port beside what the switch knows. */
export interface PortFacts {
  /** Of the external port: what is below its NIC. */
  readonly team?: UplinkTeam;
  /** NICs an extension refused when they were made again: they stay stored. */
  readonly refusedNics?: readonly NicOptions[];
}

/** A stored port that does not exist on the switch; `status`: what the extension said. */
export interface RefusedPort {
  /** As it would be, not created. */
  readonly port: Port;
  readonly snapshot: PortSnapshot;
  readonly status: string;
}

/** A switch with what management knows about it. */
export interface SwitchEntry {
  readonly id: Guid;
  readonly name: string;
  readonly type: 'private' | 'internal' | 'external';
  readonly order: number;
  readonly machine: Switch;
  /** All extensions of the world, top to bottom inside their class (rule A44). */
  bindings: Binding[];
  /** Ports by GUID; `machine.state.ports` has them by port id. */
  readonly ports: ReadonlyMap<Guid, Port>;
  /** The same by the name people gave; more than one only when a port that was refused at a restart came back. */
  readonly portsByName: ReadonlyMap<string, readonly Port[]>;
  /** Facts of ports that NDIS does not know, by port GUID. */
  readonly portFacts: Map<Guid, PortFacts>;
  /** Stored ports that an extension refused when they were made again. */
  readonly refusedPorts: Map<Guid, RefusedPort>;
  /** Names of ports that are being created or renamed. */
  readonly claimedNames: Set<string>;
  /** Set the moment its deletion begins: handles of it change nothing any more. */
  isDeleted: boolean;
  /** The last change of its stack that was asked for; the next one waits for it. */
  stackChange: Promise<unknown> | undefined;
}

/**
 * What a switch or a port is now: one whose deletion was undone has been made again. Undoing goes by this, never by the
 * object it was done to.
 */
export function presentSwitch(world: World, entry: SwitchEntry): SwitchEntry {
  return world.switches.get(entry.id) ?? entry;
}
export function presentPort(world: World, entry: SwitchEntry, port: Port): Port {
  return presentSwitch(world, entry).ports.get(port.id) ?? port;
}

export function addPort(entry: SwitchEntry, port: Port): void {
  const names = entry.portsByName as Map<string, readonly Port[]>;
  (entry.ports as Map<Guid, Port>).set(port.id, port);
  names.set(port.friendlyName, [...(names.get(port.friendlyName) ?? []), port]);
}

export function removePort(entry: SwitchEntry, port: Port): void {
  if (!(entry.ports as Map<Guid, Port>).delete(port.id)) return;
  entry.portFacts.delete(port.id);
  forgetName(entry, port);
}

/** A port has another friendly name now; `before`: the one it had. */
export function renamePort(entry: SwitchEntry, port: Port, before: string): void {
  const names = entry.portsByName as Map<string, readonly Port[]>;
  forgetName(entry, port, before);
  names.set(port.friendlyName, [...(names.get(port.friendlyName) ?? []), port]);
}

function forgetName(entry: SwitchEntry, port: Port, name = port.friendlyName): void {
  const names = entry.portsByName as Map<string, readonly Port[]>;
  const others = (names.get(name) ?? []).filter((other) => other !== port);
  if (others.length > 0) names.set(name, others);
  else names.delete(name);
}

/** Throws `NOT_FOUND` for a switch that is deleted or being deleted. */
export function mustBeThere(entry: SwitchEntry): void {
  if (!entry.isDeleted) return;
  throw new ExtSwitchError('NOT_FOUND', `switch ${entry.name} no longer exists`, {
    found: entry.id,
  });
}

/** Payload bytes a trace keeps at most. */
const TRACE_BYTES = 16 * 1024 * 1024;
const DEFAULT_TRACE_LIMIT = 10_000;
/** Driver Verifier's NdisTimedOidComplete. */
const OID_TIMEOUT_MS = 12_000;

/** See {@link World.position}. */
export interface WorldPosition {
  readonly order: number;
  readonly nics: number;
  readonly rng: RngPosition;
  readonly macs: MacPosition;
}

/** The state of one world, shared by all handles of it. */
export class World {
  readonly seed: string;
  readonly profile: ProfileName;
  readonly ndis: NdisVersion;
  readonly clock: VirtualClock;
  readonly rng: Rng;
  readonly macs: MacPool;
  readonly store: Store;
  readonly registry: FeatureRegistry;
  readonly events: EventLog;
  readonly trace: TraceRing;
  readonly changes: ChangeLog;
  /** Installed extensions, the newest last. */
  readonly extensions = new Map<Guid, ExtensionDefinition>();
  readonly switches = new Map<Guid, SwitchEntry>();
  /** Names taken, also by switches being created. */
  readonly switchNames = new Set<string>();
  readonly vms = new Map<Guid, VmEntry>();
  /** Names taken, also by VMs being created. */
  readonly vmNames = new Set<string>();
  /** Network adapters of all VMs. */
  readonly adapters = new Map<Guid, AdapterEntry>();
  /** OP-19: how long a validation port stands. */
  readonly validationPorts: 'short' | 'standing';
  /** OP-15: run-time data is asked for at a plain power-off too. */
  readonly saveOnStop: boolean;
  /** OP-20: `last` creates host ports before the switch activates. */
  readonly activation: 'first' | 'last';
  readonly environment: SwitchEnvironment & { faults: FaultPoints | undefined };
  /** Faults on purpose, at every place of this world. */
  readonly faults: WorldFaults;
  /** Where everything is written that {@link store} keeps. */
  readonly writes: FaultableWrites;
  readonly log: NonNullable<FabricOptions['log']>;
  /** Name of the host this world is, for migrations. */
  readonly name: string;
  readonly hosts: HostDirectory | undefined;
  readonly farewells: Farewells;
  /** Migrations of this world's VMs, by id, the oldest first. */
  readonly departures = new Map<Guid, Departure>();
  /** Migrations to this world. */
  readonly arrivals = new Map<Guid, Arrival>();
  /** Other hosts find it no more. */
  leaveHosts: () => void = () => undefined;
  /** Its store takes nothing any more. */
  isClosed = false;
  /** Throws `LEASE_LOST` while nothing may be answered from memory: another process may be this host (decision 0011). */
  mustHold: () => void = () => undefined;
  readonly findings = new FindingLog();
  findingCount = 0;
  vetoes = 0;
  /** How often trace and events began anew. */
  epoch = 0;
  #order = 0;
  #nics = 0;
  /** How many are making again what was there. */
  #rebuilding = 0;

  /** Extensions that run in worker threads. */
  readonly isolation: Isolation | undefined;

  constructor(
    options: FabricOptions,
    store: Store,
    seed: string,
    clock: VirtualClock,
    isolation?: Isolation,
  ) {
    this.isolation = isolation;
    this.seed = seed;
    this.store = store;
    this.profile = options.profile ?? DEFAULT_PROFILE;
    this.ndis = PROFILE_NDIS[this.profile];
    this.clock = clock;
    this.rng = new Rng(seed);
    this.macs = new MacPool(seed);
    this.registry = new FeatureRegistry(this.ndis);
    this.log = options.log ?? (() => undefined);
    this.name = options.name ?? 'default';
    this.validationPorts = options.behaviour?.validationPorts ?? 'short';
    this.saveOnStop = options.behaviour?.saveOnStop ?? false;
    this.activation = options.behaviour?.activation ?? 'first';
    this.events = new EventLog((error) => {
      this.log('error', `a listener of events failed: ${String(error)}`);
    });
    this.trace = new TraceRing(options.traceLimit ?? DEFAULT_TRACE_LIMIT, TRACE_BYTES, () =>
      this.events.next(),
    );
    this.trace.onRecord = (seq) => this.events.announce(seq);
    const finding = (switchName: string, one: Finding): void => {
      this.findingCount += 1;
      const kept = this.#keepable(one);
      const time = this.clock.now();
      const seq = this.events.add(time, 'finding', switchName, { ...kept });
      const entry = { ...kept, seq, time, switch: switchName };
      this.findings.add(entry);
      const line = this.findings.line(entry);
      if (line === undefined) return;
      const { rule, severity, extensionId, oid, request } = one;
      this.log(severity === 'info' ? 'info' : 'warn', line.message, {
        rule,
        severity,
        switch: switchName,
        ...(extensionId === undefined ? {} : { extension: extensionId }),
        ...(oid === undefined ? {} : { oid, request }),
        ...(line.unlogged === 0 ? {} : { unlogged: line.unlogged }),
      });
    };
    this.environment = {
      clock: this.clock,
      rng: this.rng,
      ndis: this.ndis,
      catalog: this.registry,
      trace: this.trace,
      oidTimeoutMs: options.oidTimeoutMs ?? OID_TIMEOUT_MS,
      behaviour: {
        ...DEFAULT_BEHAVIOUR,
        ...options.behaviour,
        scheduling: options.scheduling ?? DEFAULT_BEHAVIOUR.scheduling,
      },
      observer: options.observer?.({ clock, finding }),
      enforce: options.enforce,
      ...(isolation === undefined
        ? {}
        : { attach: (definition, sw) => isolation.attach(definition, sw) }),
      faults: undefined,
      isRebuilding: () => this.#rebuilding > 0,
      finding,
      stateChange: (switchName, data) => {
        this.events.add(this.clock.now(), 'state', switchName, data);
      },
      log: (switchName, extension, message, fields) => {
        this.log('info', message, { ...fields, switch: switchName, extension });
      },
    };
    this.faults = this.#faulty(options);
    this.writes = new FaultableWrites(store, this.faults, clock);
    const report = (error: unknown): void => {
      this.log('error', 'a change could not be undone after the store failed', {
        error: String(error),
      });
    };
    this.changes = new ChangeLog(this.writes, report, (undo) => this.rebuilding(undo));
    this.hosts = options.hosts && new FaultableHosts(options.hosts, this.faults, clock);
    this.farewells = new Farewells(this.hosts);
  }

  #faulty({ faults }: FabricOptions): WorldFaults {
    const { seed, clock, events, log, environment } = this;
    return new WorldFaults(
      {
        seed,
        clock,
        events,
        log,
        switchesOf: (ops) => switchesOf(this, ops),
        ask: (points) => {
          environment.faults = points;
        },
      },
      faults,
    );
  }

  /** What of a finding is kept, with the member that its byte belongs to. */
  #keepable(finding: Finding): ReturnType<typeof FindingLog.keepable> {
    const kept = FindingLog.keepable(finding);
    const { oid, bytes, offset } = finding;
    if (oid === undefined || bytes === undefined || offset === undefined) return kept;
    const path = memberAt(this.registry, oid, bytes, offset)?.path;
    return path === undefined ? kept : { ...kept, member: path.join('.') };
  }

  /**
   * `work` makes again what was there, at a restart or since a change is taken back: also on a switch that is down (rule A50), as
   * what went could go.
   */
  async rebuilding<T>(work: () => MaybePromise<T>): Promise<T> {
    this.#rebuilding += 1;
    try {
      return await work();
    } finally {
      this.#rebuilding -= 1;
    }
  }

  /** The same as steps of a change. */
  *again<T>(steps: Steps<T>): Steps<T> {
    this.#rebuilding += 1;
    try {
      return yield* steps;
    } finally {
      this.#rebuilding -= 1;
    }
  }

  /** Trace and events begin anew; their numbers go on. */
  clearHistory(): void {
    this.trace.clear();
    this.events.clear();
    this.findings.clear();
    this.epoch += 1;
  }

  /** Order of creation for the next stored object. */
  nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  /** A stored object had this order. */
  sawOrder(order: number): void {
    if (order > this.#order) this.#order = order;
  }

  /** A stored NIC has this generated name; NICs carry no order. */
  sawNic(name: string): void {
    for (let i = 0; i < name.length; i += 1) {
      this.#nics = Math.imul(this.#nics ^ name.charCodeAt(i), 0x01000193);
    }
  }

  /**
   * When everything stored has been seen: the seed alone would give the ids of the first time again. What is stored goes
   * into it, so equal seeds and equal stores still give equal histories.
   */
  reseed(): void {
    if (this.#order > 0) this.rng.reseed(`${this.seed}/${this.#order}/${this.#nics >>> 0}`);
  }

  /** What is not stored and yet decides what comes: the next ids, addresses, places in the order. */
  get position(): WorldPosition {
    return {
      order: this.#order,
      nics: this.#nics,
      rng: this.rng.position,
      macs: this.macs.position,
    };
  }

  /** Goes on as it would have from there. */
  goTo({ order, nics, rng, macs }: WorldPosition): void {
    this.#order = order;
    this.#nics = nics;
    this.rng.goTo(rng);
    this.macs.goTo(macs);
  }

  /** Extensions a switch should run now, top to bottom inside their class: enabled and installed. */
  wanted(entry: SwitchEntry): ExtensionDefinition[] {
    const wanted: ExtensionDefinition[] = [];
    for (const binding of entry.bindings) {
      const definition = this.extensions.get(binding.id);
      if (binding.enabled && definition !== undefined) wanted.push(definition);
    }
    return wanted;
  }
}
