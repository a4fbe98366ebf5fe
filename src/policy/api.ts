import type { VirtualClock } from '../core/clock.ts';
import type { Guid } from '../core/guid.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import type {
  ExtensionDefinition,
  ExtensionType,
  NicState,
  NicType,
  PortState,
  PortType,
  Settings,
} from '../sdk/extension.ts';
import type { Store } from '../store/store.ts';

/*
 * The library's surface as data shapes: what HTTP, CLI and tests see. Fabric, its collections and handles implement
 * the classes below; every edge translates to these calls and adds no behaviour (design.md 8).
 */

export type ProfileName = 'ws2012' | 'ws2012r2' | 'ws2016' | 'ws2019' | 'ws2022' | 'ws2025';

export interface FabricOptions {
  /** `memory` (default), a folder for LMDB, or an open store (the fabric then closes it). */
  readonly store?: string | Store;
  /** Virtual milliseconds an extension may hold an OID before the switch ends it; default 12,000 (NdisTimedOidComplete). */
  readonly oidTimeoutMs?: number;
  /** Any text. Default: random, readable as `fabric.seed`. */
  readonly seed?: string;
  /** Default `ws2022`. */
  readonly profile?: ProfileName;
  /** `wall` (default): virtual time follows the machine's clock. `manual`: starts at 0, moves by `fabric.clock.advance(ms)`. */
  readonly clock?: 'wall' | 'manual';
  /** Installed at once, disabled on every switch until enabled (rule A36). */
  readonly extensions?: readonly ExtensionDefinition[];
  /** Trace entries kept, default 10,000. */
  readonly traceLimit?: number;
  readonly name?: string;
  readonly log?: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
}

/** Feature as `GET /v1/features` shows it. */
export interface FeatureInfo {
  readonly id: Guid;
  readonly name: string;
  readonly displayName: string;
  readonly extensionId: Guid;
  readonly scope: 'port' | 'switch';
  readonly kind: 'setting' | 'status';
  readonly version: number;
  readonly size: number;
  readonly builtIn: boolean;
  readonly members: readonly FeatureMemberInfo[];
  readonly defaults: Settings;
}
export interface FeatureMemberInfo {
  readonly name: string;
  readonly wmiDataId: number;
  readonly type: string;
  readonly ctype: string;
  readonly offset: number;
  readonly size: number;
}

export interface RegisterOptions {
  readonly uint16?: 'native' | 'doc32';
  /** File name for diagnostics. */
  readonly source?: string;
}
export interface RegisterResult {
  readonly features: readonly FeatureInfo[];
  readonly warnings: readonly Warning[];
  /** False when every class was already registered identically. */
  readonly changed: boolean;
}
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface FeatureCollection {
  register(mof: string | Uint8Array, options?: RegisterOptions): Promise<RegisterResult>;
  list(): readonly FeatureInfo[];
  /** By GUID or class name; a setting before a status class of the same GUID unless `kind` says otherwise. Throws NOT_FOUND. */
  get(idOrName: string, kind?: 'setting' | 'status'): FeatureInfo;
  /** The compiled class, for tools. */
  classOf(idOrName: string, kind?: 'setting' | 'status'): FeatureClass;
  delete(idOrName: string, kind?: 'setting' | 'status'): Promise<void>;
}

export interface ExtensionInfo {
  readonly id: Guid;
  readonly name: string;
  readonly vendor: string;
  readonly version: string;
  readonly type: ExtensionType;
}
export interface SwitchExtensionInfo extends ExtensionInfo {
  readonly enabled: boolean;
  readonly running: boolean;
  /** Place inside its class, 0 = nearest the protocol edge. */
  readonly order: number;
  /** Why it does not run although enabled. */
  readonly problem?: string;
}
export interface ExtensionCollection {
  install(definition: ExtensionDefinition): Promise<ExtensionInfo>;
  list(): readonly ExtensionInfo[];
  get(idOrName: string): ExtensionInfo;
}

export interface SwitchInfo {
  readonly id: Guid;
  readonly name: string;
  readonly type: 'private' | 'internal' | 'external';
  readonly isActive: boolean;
  readonly portCount: number;
}
export interface NicInfo {
  readonly index: number;
  readonly name: string;
  readonly friendlyName: string;
  readonly type: NicType;
  readonly state: NicState;
  readonly mac: string;
  readonly mtu: number;
}
export interface PortInfo {
  readonly id: Guid;
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  readonly state: PortState;
  readonly isValidationPort: boolean;
  readonly nics: readonly NicInfo[];
}
export interface PropertyInfo {
  readonly id: Guid;
  readonly featureId: Guid;
  readonly feature: string;
  readonly version: number;
  readonly settings: Settings;
  /** Starts at 1, one more with every update: the ETag. */
  readonly revision: number;
  /** WMI InstanceID. */
  readonly instanceId: string;
  /** `false` when no extension of the switch consumes it, or one refused it at re-issue after a restart. */
  readonly delivered: boolean;
}
export interface FeatureStatusInfo {
  readonly featureId: Guid;
  readonly feature: string;
  readonly extensionId: Guid;
  readonly version: number;
  readonly data: Settings;
  readonly raw: Uint8Array;
}

export interface UpdateOptions {
  /** Refused with STALE_REVISION unless the property has this revision now. */
  readonly ifRevision?: number;
}

/** Settings given to an update are the whole new value: members left out take the class default. */
export interface PropertyCollection {
  add(
    feature: string,
    settings?: Readonly<Record<string, unknown>>,
    options?: { readonly id?: string },
  ): Promise<PropertyInfo>;
  list(): Iterable<PropertyInfo>;
  get(id: string): PropertyInfo;
  update(
    id: string,
    settings: Readonly<Record<string, unknown>>,
    options?: UpdateOptions,
  ): Promise<PropertyInfo>;
  delete(id: string, options?: UpdateOptions): Promise<void>;
}
export interface NicCollection {
  /** NIC_CREATE then NIC_CONNECT. `index` default 0; `mac` default from the pool 00-15-5d-…. */
  connect(options?: {
    readonly name?: string;
    readonly mac?: string;
    readonly mtu?: number;
    readonly index?: number;
  }): Promise<NicInfo>;
  /** NIC_DISCONNECT then NIC_DELETE. */
  disconnect(index: number): Promise<void>;
  list(): readonly NicInfo[];
}
export interface PortHandle {
  readonly info: PortInfo;
  readonly properties: PropertyCollection;
  readonly nics: NicCollection;
  status(feature: string): Promise<FeatureStatusInfo>;
  /** Disconnects and deletes NICs, tears down, deletes; its properties end with it (rule E38, OP-7). */
  delete(): Promise<void>;
}
export interface PortCollection {
  create(options?: { readonly name?: string; readonly type?: PortType }): Promise<PortHandle>;
  list(): Iterable<PortInfo>;
  /** By GUID, decimal port id, or unique name. */
  get(idOrName: string): PortHandle;
}
export interface SwitchExtensionCollection {
  list(): readonly SwitchExtensionInfo[];
  get(idOrName: string): SwitchExtensionInfo;
  /** Enable, disable, reorder inside its class: pause, change, restart (S13, S14). */
  change(
    idOrName: string,
    change: { readonly enabled?: boolean; readonly order?: number },
  ): Promise<SwitchExtensionInfo>;
}
export interface SwitchHandle {
  readonly info: SwitchInfo;
  readonly ports: PortCollection;
  readonly properties: PropertyCollection;
  readonly extensions: SwitchExtensionCollection;
  readonly trace: TraceView;
  status(feature: string): Promise<FeatureStatusInfo>;
  delete(): Promise<void>;
}
export interface SwitchCollection {
  /** `extensions` are installed when they are not yet, and enabled. */
  create(options: {
    readonly name: string;
    readonly type?: SwitchInfo['type'];
    readonly extensions?: readonly (ExtensionDefinition | string)[];
  }): Promise<SwitchHandle>;
  list(): Iterable<SwitchInfo>;
  get(idOrName: string): SwitchHandle;
}

/** One OID request of the past. */
export interface TraceEntry {
  /** Order of completion in the world; shared with events, so one cursor resumes both. */
  readonly seq: number;
  /** Number of the request on its switch, in order of issue. */
  readonly request: number;
  /** Virtual milliseconds when it was issued. */
  readonly time: number;
  /** Switch name. */
  readonly switch: string;
  readonly oid: string;
  readonly requestType: 'query' | 'set' | 'method';
  /** `protocolEdge` or the issuing extension's id. */
  readonly origin: string;
  /** Modules in the order they saw it; the last one completed it (`miniportEdge` or an extension). Verdict: `forward`, `pend`, or a status name. */
  readonly route: readonly { readonly module: string; readonly verdict: string }[];
  readonly status: string;
  readonly input: Uint8Array;
  /** Query and method: what came back. */
  readonly output?: Uint8Array;
}
export interface TraceView {
  entries(filter?: {
    readonly oid?: string;
    /** The last this many of what the rest of the filter lets through. */
    readonly limit?: number;
    readonly afterSeq?: number;
    /** Nothing newer than this. */
    readonly untilSeq?: number;
  }): TraceEntry[];
}

/** Something that is not an OID: state changes and findings. `seq` shares the trace's numbers, so one cursor resumes both. */
export interface FabricEvent {
  readonly seq: number;
  readonly time: number;
  readonly type: 'state' | 'finding';
  readonly switch?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A request in flight (`!ndiskd.oid`). */
export interface PendingOid {
  /** Number of the request on its switch. */
  readonly request: number;
  readonly switch: string;
  readonly oid: string;
  /** The module that holds it. */
  readonly heldBy: string;
  readonly pendingForMs: number;
  /** Requests waiting behind it. */
  readonly queued: number;
}

export interface FabricInterface {
  readonly seed: string;
  readonly profile: ProfileName;
  readonly clock: VirtualClock;
  readonly features: FeatureCollection;
  readonly extensions: ExtensionCollection;
  readonly switches: SwitchCollection;
  readonly trace: TraceView & {
    /** Structured fields of an entry's bytes, nested property and custom data decoded by the registered classes. */
    decode(entry: TraceEntry): Readonly<Record<string, unknown>>;
  };
  readonly events: {
    /** Newest `seq` handed out. */
    readonly lastSeq: number;
    /** Non-OID events after `seq`, oldest first; bounded history. */
    after(seq: number): FabricEvent[];
    /** Called after every new trace entry or event with its seq; returns the unsubscribe function. */
    subscribe(listener: (seq: number) => void): () => void;
  };
  pending(): readonly PendingOid[];
  /**
   * Runs `change` alone. It works on the `world` it is given (using the outer one inside would wait for itself). When it
   * throws, everything it changed is undone by inverse OIDs and nothing was stored; else all is stored in one write.
   */
  atomic<T>(change: (world: FabricInterface) => Promise<T>): Promise<T>;
  /** Back to empty: requests in flight end with REQUEST_ABORTED, the store is emptied, installed extensions stay. */
  reset(): Promise<void>;
  /** Counters for metrics. */
  counters(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}
