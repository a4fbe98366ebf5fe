import type {
  FabricEvent,
  PendingOid,
  PortHandle,
  ProfileName,
  SwitchExtensionInfo,
  SwitchHandle,
  SwitchInfo,
  TraceEntry,
  VmHandle,
} from '../policy/api.ts';
import { Fabric } from '../policy/fabric.ts';
import type { ExtensionDefinition, PortType } from '../sdk/extension.ts';
import { type TraceTextOptions, traceText } from './trace-text.ts';

export interface TestSwitchOptions {
  /** Installed and enabled, top to bottom inside their class. */
  readonly extensions?: readonly ExtensionDefinition[];
  /** MOF text to register beside what the extensions bring. */
  readonly mof?: string | Uint8Array;
  /** Default `ws2022`. */
  readonly profile?: ProfileName;
  /** Default `test`: ids, MAC addresses and traces are the same in every run. */
  readonly seed?: string;
  /** Name of the switch, default `TestSwitch`. */
  readonly name?: string;
  /** Default `private`. */
  readonly type?: SwitchInfo['type'];
  /** Default `memory`. A folder keeps the switch: open it again with the same folder to test a restart. */
  readonly store?: string;
  /** Virtual milliseconds an extension may hold an OID; default 12,000 (NdisTimedOidComplete). */
  readonly oidTimeoutMs?: number;
}

/** A rule an extension broke, as the switch saw it. */
export interface TestFinding {
  /** Rule of the rule book (`E22`) or Driver Verifier's name (`NdisOidDoubleComplete`). */
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly extensionId?: string;
  readonly oid?: string;
  /** Number of the request on its switch. */
  readonly request?: number;
  /** With a verifier: the request's bytes when it happened, and the one that is wrong. */
  readonly bytes?: Uint8Array;
  readonly offset?: number;
  /** What that byte belongs to: structure, class and member. */
  readonly member?: string;
  /** Ids of the modules it had passed; the last one is where it happened. */
  readonly route?: readonly string[];
}

/** Which requests: by OID name (with or without `OID_SWITCH_`), status name, issuer, or a module that saw it. */
export interface OidFilter {
  readonly oid?: string;
  /** Status name, with or without `NDIS_STATUS_`. */
  readonly status?: string;
  /** Extension id or name, or `protocolEdge`. */
  readonly origin?: string;
  /** Extension id or name, or `miniportEdge`: only requests that reached it. */
  readonly seenBy?: string;
}

/** A world with one switch in it, for one test. Time stands still until {@link TestSwitch.advance}. */
export interface TestSwitch {
  readonly fabric: Fabric;
  readonly switch: SwitchHandle;
  /** The port of this name; created (type `synthetic` unless said otherwise) when there is none. */
  port(name: string, type?: PortType): Promise<PortHandle>;
  /**
   * The VM of this name; when there is none, created with one adapter on the switch and started. `save()` and `restore()`
   * drive `saveNic` and `restoreNic` of the extensions.
   */
  vm(name: string): Promise<VmHandle>;
  /** Moves virtual time: timers fire in order. Resolves when what they set going has settled. */
  advance(ms: number): Promise<void>;
  /** Lets promises that are ready settle, without moving time. */
  settle(): Promise<void>;
  /** Rules broken since the switch was opened, oldest first. */
  findings(): readonly TestFinding[];
  /** Completed requests, oldest first. */
  oids(filter?: OidFilter): readonly TraceEntry[];
  /** The same as text, with extensions by name: see {@link traceText}. */
  text(filter?: OidFilter, options?: Pick<TraceTextOptions, 'bytes' | 'decode'>): string;
  /** Requests an extension holds now. */
  pending(): readonly PendingOid[];
  enable(extension: ExtensionDefinition): Promise<SwitchExtensionInfo>;
  disable(extension: ExtensionDefinition): Promise<SwitchExtensionInfo>;
  /** Detaches everything and closes the store. */
  close(): Promise<void>;
}

/** Microtask turns a promise chain of an extension may take before it counts as waiting for something. */
const TURNS = 3;

/**
 * Opens a world in memory with a manual clock and one active switch on which the extensions are enabled. Works in any
 * test framework: close it when the test ends.
 *
 * ```ts
 * const sw = await testSwitch({ extensions: [myFilter] });
 * const port = await sw.port('A');
 * await port.properties.add('My_PortPolicy', { Limit: 10 });
 * expectNoFindings(sw);
 * await sw.close();
 * ```
 */
export async function testSwitch(options: TestSwitchOptions = {}): Promise<TestSwitch> {
  const extensions = options.extensions ?? [];
  const fabric = await Fabric.open({
    clock: 'manual',
    seed: options.seed ?? 'test',
    extensions,
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.oidTimeoutMs === undefined ? {} : { oidTimeoutMs: options.oidTimeoutMs }),
  });
  try {
    if (options.mof !== undefined) await fabric.features.register(options.mof);
    return new OpenTestSwitch(fabric, await openSwitch(fabric, options), extensions);
  } catch (error) {
    await fabric.close();
    throw error;
  }
}

/** The switch of the store, or a new one. */
async function openSwitch(fabric: Fabric, options: TestSwitchOptions): Promise<SwitchHandle> {
  const name = options.name ?? 'TestSwitch';
  for (const info of fabric.switches.list()) {
    if (info.name === name) return fabric.switches.get(info.id);
  }
  return fabric.switches.create({
    name,
    extensions: options.extensions ?? [],
    ...(options.type === undefined ? {} : { type: options.type }),
  });
}

class OpenTestSwitch implements TestSwitch {
  readonly fabric: Fabric;
  readonly switch: SwitchHandle;
  readonly #names: Map<string, string>;

  constructor(fabric: Fabric, handle: SwitchHandle, extensions: readonly ExtensionDefinition[]) {
    this.fabric = fabric;
    this.switch = handle;
    this.#names = new Map(extensions.map(({ id, name }) => [id, name]));
  }

  async port(name: string, type?: PortType): Promise<PortHandle> {
    for (const info of this.switch.ports.list()) {
      if (info.name === name) return this.switch.ports.get(info.id);
    }
    return this.switch.ports.create({ name, ...(type === undefined ? {} : { type }) });
  }

  async vm(name: string): Promise<VmHandle> {
    for (const info of this.fabric.vms.list()) {
      if (info.name === name) return this.fabric.vms.get(info.id);
    }
    const vm = await this.fabric.vms.create({
      name,
      adapters: [{ switch: this.switch.info.id }],
    });
    await vm.start();
    return vm;
  }

  async advance(ms: number): Promise<void> {
    await this.settle();
    this.fabric.clock.advance(ms);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise((done) => setImmediate(done));
  }

  findings(): readonly TestFinding[] {
    return this.fabric.events
      .after(0)
      .filter((event) => event.type === 'finding' && event.switch === this.switch.info.name)
      .map(findingOf);
  }

  oids(filter: OidFilter = {}): readonly TraceEntry[] {
    const oid = filter.oid === undefined ? undefined : prefixed(filter.oid, 'OID_SWITCH_', 'OID_');
    const status =
      filter.status === undefined ? undefined : prefixed(filter.status, 'NDIS_STATUS_');
    const origin = filter.origin === undefined ? undefined : this.#idOf(filter.origin);
    const seenBy = filter.seenBy === undefined ? undefined : this.#idOf(filter.seenBy);
    return this.switch.trace
      .entries(oid === undefined ? {} : { oid })
      .filter(
        (entry) =>
          (status === undefined || entry.status === status) &&
          (origin === undefined || entry.origin === origin) &&
          (seenBy === undefined || entry.route.some(({ module }) => module === seenBy)),
      );
  }

  text(filter: OidFilter = {}, options: Pick<TraceTextOptions, 'bytes' | 'decode'> = {}): string {
    return traceText(this.oids(filter), { ...options, names: this.#names });
  }

  pending(): readonly PendingOid[] {
    return this.fabric.pending().filter((oid) => oid.switch === this.switch.info.name);
  }

  enable(extension: ExtensionDefinition): Promise<SwitchExtensionInfo> {
    return this.#toggle(extension, true);
  }

  disable(extension: ExtensionDefinition): Promise<SwitchExtensionInfo> {
    return this.#toggle(extension, false);
  }

  async #toggle(extension: ExtensionDefinition, enabled: boolean): Promise<SwitchExtensionInfo> {
    await this.fabric.extensions.install(extension);
    this.#names.set(extension.id, extension.name);
    return this.switch.extensions.change(extension.id, { enabled });
  }

  #idOf(module: string): string {
    if (module === 'protocolEdge' || module === 'miniportEdge') return module;
    return this.fabric.extensions.get(module).id;
  }

  close(): Promise<void> {
    return this.fabric.close();
  }
}

function prefixed(name: string, prefix: string, alreadyStartsWith = prefix): string {
  return name.startsWith(alreadyStartsWith) ? name : `${prefix}${name}`;
}

function findingOf(event: FabricEvent): TestFinding {
  return event.data as unknown as TestFinding;
}
