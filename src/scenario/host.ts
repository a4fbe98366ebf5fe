import type { VirtualClock } from '../core/clock.ts';
import type { Guid } from '../core/guid.ts';
import type { FabricInterface, TraceEntry } from '../policy/api.ts';
import { Fabric } from '../policy/fabric.ts';
import type { FaultRule, FaultRuleOptions } from '../policy/faults-api.ts';
import { type SavedRecord, savedKey } from '../policy/records.ts';
import { storeDifference } from '../policy/snapshot-difference.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { Store } from '../store/store.ts';
import type { Footing, Ground } from './ground.ts';
import { HostStore } from './host-store.ts';
import type { HostSpec, Scenario } from './scenario.ts';

/** Entries a host keeps between two steps. */
const TRACE_LIMIT = 1_000_000;

/** One host of a scenario: a world with its store, which it may be restarted on. */
export class Host {
  readonly name: string;
  readonly #spec: HostSpec;
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #ground: Ground;
  readonly #announce: (host: Host, seq: number) => void;
  /** Which of several versions of an extension was installed last. */
  readonly #aliases = new Map<string, string>();
  #footing: Footing | undefined;
  #store: HostStore | undefined;
  #fabric: Fabric | undefined;
  #closing: Promise<void> | undefined;
  #installedAtDeath: string[] | undefined;
  #isOpening = false;
  #diesOpening = false;
  /** Fault rules that steps have injected. */
  #injected: string[] = [];
  readonly #mourners: ((how: 'died') => void)[] = [];
  #cursor = 0;

  constructor(
    spec: HostSpec,
    scenario: Scenario,
    clock: VirtualClock,
    ground: Ground,
    announce: (host: Host, seq: number) => void,
  ) {
    this.name = spec.name;
    this.#spec = spec;
    this.#scenario = scenario;
    this.#clock = clock;
    this.#ground = ground;
    this.#announce = announce;
  }

  get fabric(): FabricInterface {
    if (this.#fabric === undefined) throw new Error(`host ${this.name} is not running`);
    return this.#fabric;
  }

  /** Not crashed, nor closed. */
  get isUp(): boolean {
    return this.#fabric !== undefined && this.#closing === undefined;
  }

  get store(): HostStore {
    if (this.#store === undefined) throw new Error(`host ${this.name} is not running`);
    return this.#store;
  }

  /** Something is being written: time does not pass meanwhile. */
  get isWriting(): boolean {
    return (this.#store?.writing ?? 0) > 0;
  }

  /** Counts what happens here. */
  get activity(): number {
    return (this.#store?.written ?? 0) + (this.#fabric?.events.lastSeq ?? 0);
  }

  /** An extension as this host gets it. */
  extension(alias: string): ExtensionDefinition {
    const definition = this.#scenario.extensions.get(alias);
    if (definition === undefined) throw new Error(`no extension is called ${alias}`);
    this.#aliases.set(definition.id, alias);
    return definition;
  }

  /** Opens the host on what its store has, or on what it is given in place of that. */
  async open(installed: readonly string[] = [], content?: Store): Promise<void> {
    const { profile, name } = this.#spec;
    const { seed, scheduling, behaviour } = this.#scenario;
    const footing = await this.#ground.open(this.#spec);
    this.#footing = footing;
    this.#store = new HostStore(footing.store);
    if (content !== undefined) await this.#store.write(storeDifference(this.#store, content).ops);
    const { faults, ...options } = footing.options ?? {};
    const rules = [...this.#unmet(), ...(faults?.rules ?? [])];
    this.#isOpening = true;
    this.#diesOpening = false;
    try {
      this.#fabric = await Fabric.open({
        store: this.#store,
        seed: `${seed}/${name}`,
        profile,
        clock: this.#clock,
        traceLimit: TRACE_LIMIT,
        scheduling,
        behaviour,
        name,
        hosts: footing.hosts,
        ...options,
        faults: { ...faults, rules, crash: () => this.crash() },
        extensions: installed.map((alias) => this.extension(alias)),
      });
      this.#cursor = 0;
      this.#fabric.events.subscribe((seq) => this.#announce(this, seq));
      await footing.opened(this.#fabric);
    } finally {
      // Not a turn before the world is known here: a kill in between would end the one before it.
      this.#isOpening = false;
    }
    if (this.#diesOpening) this.#die();
  }

  /** A fault that goes on counting when the host is restarted. */
  inject(rule: FaultRuleOptions): void {
    this.#injected.push(...this.fabric.faults.add(rule).map(({ id }) => id));
  }

  /** Takes back what was injected. */
  clearFaults(): void {
    for (const { id } of this.#injectedRules()) this.fabric.faults.remove(id);
    this.#injected = [];
  }

  #injectedRules(): FaultRule[] {
    const all = this.#fabric?.faults.list() ?? [];
    return all.filter(({ id }) => this.#injected.includes(id));
  }

  /** What was injected and not met, for the next life of the host. */
  #unmet(): FaultRuleOptions[] {
    const unmet = this.#injectedRules().flatMap(({ matched, hits, times = 1, ...rule }) =>
      hits >= times ? [] : [{ ...rule, nth: Math.max(1, rule.nth - matched), times: times - hits }],
    );
    this.#injected = unmet.map(({ id }) => id);
    return unmet;
  }

  /** Features, switches with their extensions. */
  async setUp(): Promise<void> {
    const { fabric } = this;
    for (const { path, bytes } of this.#spec.features) {
      await fabric.features.register(bytes, { source: path });
    }
    for (const { name, type, extensions, disabled } of this.#spec.switches) {
      for (const alias of disabled) await fabric.extensions.install(this.extension(alias));
      await fabric.switches.create({
        name,
        type,
        extensions: extensions.map((alias) => this.extension(alias)),
      });
    }
    for (const alias of this.#spec.extensions) {
      await fabric.extensions.install(this.extension(alias));
    }
  }

  /** Ends the host's process and starts it again on its store, or on `content`, with these extensions installed. */
  async restart(installed: readonly string[], content?: Store): Promise<void> {
    await this.close();
    this.#closing = undefined;
    await this.open(installed, content);
  }

  /** The same host for the steps of an atomic change of it. */
  inChange(world: FabricInterface): Host {
    return new Proxy<Host>(this, {
      get(host, name) {
        if (name === 'fabric') return world;
        const member: unknown = Reflect.get(host, name, host);
        return typeof member === 'function' ? member.bind(host) : member;
      },
    });
  }

  /** Ends the host as a kill does: nothing it does from here on reaches its store or another host. */
  crash(): void {
    this.#store?.kill();
    // What is being opened cannot be closed yet: it was killed all the same, and ends as soon as it can.
    if (this.#isOpening) this.#diesOpening = true;
    else this.#die();
  }

  #die(): void {
    this.#installedAtDeath = this.installed();
    this.#closing = this.#end();
    for (const tell of this.#mourners.splice(0)) tell('died');
  }

  /** Settles when the host dies; not at all if it lives. */
  death(): Promise<'died'> {
    return new Promise((resolve) => {
      this.#mourners.push(resolve);
    });
  }

  /** Aliases of the extensions it has installed. */
  installed(): string[] {
    if (this.#closing !== undefined) return this.#installedAtDeath ?? [];
    const { fabric } = this;
    return fabric.extensions.list().flatMap(({ id }) => this.aliasOf(id) ?? []);
  }

  /** Alias of an extension that it has installed. */
  aliasOf(id: string): string | undefined {
    return this.#aliases.get(id);
  }

  /** Run-time data kept with a VM, of all its adapters. */
  savedRecords(vmId: Guid): SavedRecord['records'] {
    return [...this.store.range(savedKey(vmId, '' as Guid))].flatMap(
      ([, value]) => (value as unknown as SavedRecord).records,
    );
  }

  /** Entries since the last call, oldest first. */
  newEntries(): TraceEntry[] {
    const entries = this.fabric.trace.entries({ afterSeq: this.#cursor });
    this.#cursor = entries.at(-1)?.seq ?? this.#cursor;
    return entries;
  }

  /** Ends the host; what it stored stays. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    try {
      await this.#fabric?.close();
    } finally {
      await this.#footing?.close();
    }
  }
}
