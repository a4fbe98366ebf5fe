import type { Finding } from '../../switch/environment.ts';
import type { SwitchObserver } from '../../switch/observer.ts';
import type { Cluster } from '../cluster/api.ts';
import type { VirtualClock } from '../core/clock.ts';
import type { Guid } from '../core/guid.ts';
import type {
  IsolationCounts,
  IsolationOptions,
  IsolationSettings,
} from '../isolation/isolation.ts';
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
import type { Store, StoreReport } from '../store/store.ts';
import type { BehaviourOptions } from './behaviour-api.ts';
import type { FaultCollection, OpeningFaults } from './faults-api.ts';
import type {
  CompatibilityReport,
  HostDirectory,
  ImportOptions,
  ImportReport,
  MigrationCollection,
  PortableDocument,
} from './migration-api.ts';
import type { RecordingOptions, SnapshotCollection, TimeControl } from './sim-api.ts';
import type { FabricEvent, FindingView, PendingOid, TraceEntry, TraceView } from './trace-api.ts';

export type { StoreReport } from '../store/store.ts';
export type * from './trace-api.ts';

/*
 * The library's surface as data shapes: what HTTP, CLI and tests see. Fabric, its collections and handles implement
 * the classes below; every edge translates to these calls and adds no behaviour (design.md 8).
 */

export type ProfileName = 'ws2012' | 'ws2012r2' | 'ws2016' | 'ws2019' | 'ws2022' | 'ws2025';

export interface FabricOptions {
  /**
   * `memory` (default), a folder for LMDB, `nats://…` for a host of a cluster (docs/reference/cluster.md), or an open store (the
   * fabric then closes it).
   */
  readonly store?: string | Store;
  /** Virtual milliseconds an extension may hold an OID before the switch ends it; default 12,000 (NdisTimedOidComplete). */
  readonly oidTimeoutMs?: number;
  /** Any text. Default: random, readable as `fabric.seed`. */
  readonly seed?: string;
  /** Default `ws2022`. */
  readonly profile?: ProfileName;
  /**
   * `wall` (default): virtual time follows the machine's clock. `manual`: starts at 0, moves by `fabric.clock.advance(ms)`. A
   * clock: moves when its owner moves it, also while the world is being opened.
   */
  readonly clock?: 'wall' | 'manual' | VirtualClock;
  /** Installed at once, disabled on every switch until enabled (rule A36). */
  readonly extensions?: readonly ExtensionDefinition[];
  /**
   * Runs extensions in worker threads of their own, one each, with a watchdog and a limit of memory
   * (docs/howto/isolate-an-extension.md). They see and do the same; what they do to their thread does not reach the process.
   */
  readonly isolate?: IsolationOptions;
  /** Trace entries kept, default 10,000. */
  readonly traceLimit?: number;
  /**
   * `fifo` (default): operations of a switch run one after the other. `seeded`: operations that may overlap do, OID by OID, in an
   * order the seed picks (design.md 2): for finding what depends on the order.
   */
  readonly scheduling?: 'fifo' | 'seeded';
  readonly behaviour?: BehaviourOptions;
  /** Of the host this world is, for migrations; default `default`. In a cluster it must be given. */
  readonly name?: string;
  /** Where the other hosts are found; left out: there are none. */
  readonly hosts?: HostDirectory;
  /** Sees every act of every extension on the switches (src/verifier); left out: nobody looks. */
  readonly observer?: ObserverFactory;
  /** A request with which an extension breaks a rule fails; default false: it is only reported. */
  readonly enforce?: boolean;
  /** Faults in force from the first instant. */
  readonly faults?: OpeningFaults;
  readonly log?: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
}

/** `off`: only what the switch sees by itself. `observe`: every check. `enforce`: and what breaks a rule fails. */
export const VERIFIER_MODES = ['off', 'observe', 'enforce'] as const;
export type VerifierMode = (typeof VERIFIER_MODES)[number];

/** Makes what watches the extensions of a world; `finding` is where it reports. */
export type ObserverFactory = (host: {
  readonly clock: VirtualClock;
  finding(switchName: string, finding: Finding): void;
}) => SwitchObserver;

export type {
  IsolationCounts,
  IsolationOptions,
  IsolationSettings,
} from '../isolation/isolation.ts';
export type { BehaviourOptions } from './behaviour-api.ts';

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
  /** It runs in a worker thread: how that fared. */
  readonly isolated?: IsolationCounts;
}
export interface SwitchExtensionInfo extends ExtensionInfo {
  readonly enabled: boolean;
  readonly running: boolean;
  /** Place inside its class, 0 = nearest the protocol edge. */
  readonly order: number;
  /** Why it does not run although enabled. */
  readonly problem?: string;
  /** RequiredExtensionIds / FilterRunType: the switch does not run without it (rule A50, OP-31). */
  readonly required: boolean;
  /** A module above it ended an OID it must have seen (OP-28). */
  readonly desynchronized: boolean;
}
export interface ExtensionCollection {
  install(definition: ExtensionDefinition): Promise<ExtensionInfo>;
  list(): readonly ExtensionInfo[];
  get(idOrName: string): ExtensionInfo;
  /**
   * It threw where no handler of it runs, so that only the process noticed: a finding (rule D6) on every switch it runs on, whose ids
   * are returned.
   */
  failed(idOrName: string, message: string): readonly Guid[];
}

export interface SwitchInfo {
  readonly id: Guid;
  readonly name: string;
  readonly type: 'private' | 'internal' | 'external';
  readonly isActive: boolean;
  readonly portCount: number;
}
/**
 * All names one connection has, in one place: what people, WMI, NDIS and PowerShell call it. What does not apply is left out.
 */
export interface ObjectNames {
  /** NDIS_SWITCH_PORT_ID, unique on the switch. */
  readonly portId?: number;
  /** PortName: a GUID; DeviceID of Msvm_EthernetSwitchPort is `Microsoft:<port name>`. */
  readonly portName?: string;
  readonly portFriendlyName?: string;
  readonly nicName?: string;
  readonly nicFriendlyName?: string;
  readonly switchId?: Guid;
  readonly switchName?: string;
  readonly vmId?: Guid;
  readonly vmName?: string;
  /** Id of the network adapter: `<NIC>` of the WMI names. */
  readonly adapterId?: Guid;
  /** WMI InstanceID of the connection: `Microsoft:<VM>\\<NIC>\\C`, for a host port `Microsoft:<SWITCH>\\<PORT>`. */
  readonly instanceId: string;
}
export interface NicInfo {
  readonly index: number;
  readonly name: string;
  readonly friendlyName: string;
  readonly type: NicType;
  readonly state: NicState;
  /** PermanentMacAddress; the address in use is {@link currentMac} (rule C15). */
  readonly mac: string;
  readonly currentMac: string;
  readonly mtu: number;
  readonly vfAssigned: boolean;
}
export interface PortInfo {
  readonly id: Guid;
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  readonly state: PortState;
  readonly isValidationPort: boolean;
  readonly nics: readonly NicInfo[];
  readonly names: ObjectNames;
  /** A stored port that an extension refused when it was made again after a restart: it can be read and deleted. */
  readonly problem?: string;
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
  /** Its class is not registered here: kept as it came, told to nobody (management.md 5). 64-bit values are decimal text. */
  readonly opaque?: true;
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
  /** NIC_UPDATED with what changed (rules C28, C29). */
  update(index: number, change: NicUpdate): Promise<NicInfo>;
  list(): readonly NicInfo[];
}
/** What NIC_UPDATED may change of a connected NIC (rule C29). MAC addresses as text; MTU in bytes. */
export interface NicUpdate {
  readonly name?: string;
  readonly mtu?: number;
  /** PermanentMacAddress. */
  readonly mac?: string;
  /** VMMacAddress: what the guest set. */
  readonly vmMac?: string;
  readonly numaNode?: number;
}
/** What may be changed of a network adapter. */
export interface AdapterUpdate extends NicUpdate {
  /**
   * As in {@link AdapterOptions}, all of them; empty: none. Refused with `ILLEGAL_TRANSITION` while the adapter is connected to a
   * switch that does not offer them.
   */
  readonly requiredFeatures?: readonly string[];
}
export interface PortHandle {
  readonly info: PortInfo;
  readonly properties: PropertyCollection;
  readonly nics: NicCollection;
  status(feature: string): Promise<FeatureStatusInfo>;
  /** PORT_UPDATED: only the friendly name may change (rule B19). */
  rename(name: string): Promise<PortInfo>;
  /** Disconnects and deletes NICs, tears down, deletes; its properties end with it (rule E38, OP-7). */
  delete(): Promise<void>;
}
export interface PortCollection {
  create(options?: { readonly name?: string; readonly type?: PortType }): Promise<PortHandle>;
  list(): Iterable<PortInfo>;
  /** The same ports, for who shows only a page of them. */
  keys(): Iterable<PortKey>;
  /** By GUID, decimal port id, or unique name. */
  get(idOrName: string): PortHandle;
}
export interface SwitchExtensionCollection {
  list(): readonly SwitchExtensionInfo[];
  get(idOrName: string): SwitchExtensionInfo;
  /** Enable, disable, reorder inside its class: pause, change, restart (S13, S14). */
  change(
    idOrName: string,
    change: { readonly enabled?: boolean; readonly order?: number; readonly required?: boolean },
  ): Promise<SwitchExtensionInfo>;
}
export interface SwitchHandle {
  readonly info: SwitchInfo;
  readonly ports: PortCollection;
  readonly properties: PropertyCollection;
  readonly extensions: SwitchExtensionCollection;
  readonly host: HostConnections;
  readonly trace: TraceView;
  status(feature: string): Promise<FeatureStatusInfo>;
  /** Its extensions, policies and host ports as one document; `vms`: also the VMs that are configured for it. */
  export(options?: { readonly vms?: boolean }): Promise<PortableDocument>;
  delete(): Promise<void>;
}
export interface SwitchCollection {
  /** `extensions` are installed when they are not yet, and enabled. */
  create(options: {
    readonly name: string;
    readonly type?: SwitchInfo['type'];
    readonly extensions?: readonly (ExtensionDefinition | string)[];
    /** External switches: connects the uplink at once (S8). */
    readonly uplink?: UplinkOptions;
    /** External and internal switches: the management OS gets a NIC on it (S1 step 10). */
    readonly managementOs?: boolean;
  }): Promise<SwitchHandle>;
  /**
   * The switches of a document, with its VMs: all of it, or nothing. `document`: a {@link PortableDocument}, the value its JSON or
   * MessagePack stands for, or a dump of a Hyper-V host.
   */
  import(document: unknown, options?: ImportOptions): Promise<ImportReport>;
  list(): Iterable<SwitchInfo>;
  get(idOrName: string): SwitchHandle;
}

/** A physical network adapter, or an LBFO team that looks like one (rule C5). */
export interface PhysicalAdapterOptions {
  readonly name: string;
  readonly mac?: string;
  /** Virtual functions for SR-IOV, default 0; queues for VMQ, default 0. */
  readonly virtualFunctions?: number;
  readonly queues?: number;
}
/**
 * What is below the external NIC: one adapter (index 1), an LBFO team (one adapter, index 1), or a switch team of 2 to 32
 * adapters, each with an index of its own (rules C3-C5).
 */
export interface UplinkOptions {
  readonly team?: 'none' | 'lbfo' | 'switch';
  readonly adapters: readonly PhysicalAdapterOptions[];
}
export interface UplinkInfo {
  readonly team: 'none' | 'lbfo' | 'switch';
  readonly port: PortInfo;
  /** Rule C53: an adapter below the external NIC is connected. */
  readonly operational: boolean;
  readonly adapters: readonly PhysicalAdapterInfo[];
}
export interface PhysicalAdapterInfo {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
  readonly linkUp: boolean;
  readonly virtualFunctions: number;
  readonly virtualFunctionsUsed: number;
  readonly queues: number;
  readonly queuesUsed: number;
}
/** The host's own connections to a switch: the uplink and the management OS. */
export interface HostConnections {
  readonly uplink: UplinkInfo | undefined;
  /** S8 steps 1-6: port, properties, NIC index 0 and each adapter created, then connected (rule C52). */
  connectUplink(options: UplinkOptions): Promise<UplinkInfo>;
  /** S8 step 8 (rule C54). */
  disconnectUplink(): Promise<void>;
  /** Link of one adapter goes up or down: NDIS_STATUS_LINK_STATE in a NIC_STATUS indication (rules H1-H3). */
  setLink(index: number, up: boolean): Promise<PhysicalAdapterInfo>;
  /** Internal NICs of the management OS (rules C9, OP-36). */
  addInternalNic(options?: { readonly name?: string; readonly mac?: string }): Promise<PortHandle>;
}

/** `paused`: in memory, NICs stay connected (OP-16). `saved`: on disk with its run-time data. */
export type VmState = 'off' | 'running' | 'paused' | 'saved';
export interface AdapterOptions {
  readonly name?: string;
  /** Id or name; left out: not connected. */
  readonly switch?: string;
  /** A static address; left out: a dynamic one of the pool. */
  readonly mac?: string;
  readonly type?: 'synthetic' | 'emulated';
  readonly mtu?: number;
  /**
   * Feature classes, by id or name, that the switch must offer for the adapter to connect (RequiredFeatures, MandatoryFeatureId of
   * Set-VMNetworkAdapter; management.md 5): an enabled extension, or the switch itself.
   */
  readonly requiredFeatures?: readonly string[];
}
export interface AdapterInfo {
  readonly id: Guid;
  readonly name: string;
  readonly type: 'synthetic' | 'emulated';
  readonly mac: string;
  readonly macType: 'static' | 'dynamic';
  readonly mtu: number;
  /** The switch it is configured to connect to. */
  readonly switch?: { readonly id: Guid; readonly name: string };
  /** Its NIC is connected now. */
  readonly connected: boolean;
  readonly vfAssigned: boolean;
  readonly port?: PortInfo;
  readonly names: ObjectNames;
  /** Only when there are any. */
  readonly requiredFeatures?: readonly { readonly id: Guid; readonly name: string }[];
}
export interface VmInfo {
  readonly id: Guid;
  readonly name: string;
  readonly state: VmState;
  readonly adapters: readonly AdapterInfo[];
  /** Run-time data kept with a saved VM. */
  readonly savedRecords: number;
}
/** What a list is ordered and found by, without the cost of the whole info. */
export type VmKey = Pick<VmInfo, 'id' | 'name'>;
export type PortKey = Pick<PortInfo, 'id' | 'portId'>;
/** What a restore found (rules G23-G27). */
export interface RestoreReport {
  readonly restored: number;
  /** Records no extension took: reported, kept with the VM, not lost (rule G26). */
  readonly unowned: readonly SavedRecordInfo[];
}
export interface SavedRecordInfo {
  readonly adapterId: Guid;
  readonly extensionId: Guid;
  readonly extensionFriendlyName: string;
  readonly featureClassId: Guid;
  readonly bytes: number;
}
export interface AdapterHandle {
  readonly info: AdapterInfo;
  /** The adapter's policies, whatever state the VM is in: they travel with it. */
  readonly properties: PropertyCollection;
  /** The port while the adapter is connected to a switch; throws NOT_FOUND otherwise. */
  readonly port: PortHandle;
  status(feature: string): Promise<FeatureStatusInfo>;
  /** Connects to a switch, or moves there with its policies (S4). */
  connect(switchIdOrName: string): Promise<AdapterInfo>;
  disconnect(): Promise<AdapterInfo>;
  /** Name, addresses, MTU: NIC_UPDATED while it is connected; and what the switch must offer. */
  update(change: AdapterUpdate): Promise<AdapterInfo>;
  /** SR-IOV: allocates or frees a virtual function by encapsulated requests (S2 step 7, S17). */
  assignVf(): Promise<AdapterInfo>;
  removeVf(): Promise<AdapterInfo>;
}
export interface VmHandle {
  readonly info: VmInfo;
  readonly adapters: readonly AdapterHandle[];
  adapter(idOrName: string): AdapterHandle;
  /** S2. Refused while it is saved: {@link restore} it, or {@link stop} it to discard its saved state. */
  start(): Promise<VmInfo>;
  /** S3. From `saved`: the saved state is discarded. */
  stop(): Promise<VmInfo>;
  pause(): Promise<VmInfo>;
  resume(): Promise<VmInfo>;
  /** S9. */
  save(): Promise<VmInfo>;
  /** S10. */
  restore(): Promise<RestoreReport>;
  /** Hot add while it runs (S4). */
  addAdapter(options?: AdapterOptions): Promise<AdapterHandle>;
  removeAdapter(idOrName: string): Promise<void>;
  /** Whether it could run on its switches here, or with every adapter on this one; nothing is changed. */
  compare(switchIdOrName?: string): Promise<CompatibilityReport>;
  /** Configuration, policies and kept run-time data as one document, whatever state it is in; nobody is asked. */
  export(): Promise<PortableDocument>;
  /** Refused while it runs or is paused. */
  delete(): Promise<void>;
}
export interface VmCollection {
  create(options: {
    readonly name: string;
    readonly adapters?: readonly AdapterOptions[];
  }): Promise<VmHandle>;
  /** The VMs of a document, off or saved: all of them, or none. `document` as at {@link SwitchCollection.import}. */
  import(document: unknown, options?: ImportOptions): Promise<ImportReport>;
  list(): Iterable<VmInfo>;
  /** The same VMs, for who shows only a page of them. */
  keys(): Iterable<VmKey>;
  get(idOrName: string): VmHandle;
}

export interface FabricInterface {
  readonly seed: string;
  readonly profile: ProfileName;
  /** Which extensions run in worker threads, and their limits; `undefined`: none. */
  readonly isolate: IsolationSettings | undefined;
  readonly clock: VirtualClock;
  readonly features: FeatureCollection;
  readonly extensions: ExtensionCollection;
  readonly switches: SwitchCollection;
  readonly vms: VmCollection;
  readonly migrations: MigrationCollection;
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
  /** Rules that extensions broke. */
  readonly findings: FindingView;
  readonly time: TimeControl;
  readonly snapshots: SnapshotCollection;
  /** What is made to fail on purpose. */
  readonly faults: FaultCollection;
  /**
   * The trace as a file to replay against an extension (docs/reference/trace-file.md): JSON lines, with what the switches were
   * when it begins. Errors: `NOT_FOUND` (snapshot), `ILLEGAL_TRANSITION` when entries it needs were dropped or the world was reset
   * or restored since the snapshot.
   */
  recording(options?: RecordingOptions): string;
  /**
   * The cluster this world is a host of; it is closed with the world. When another process has become this host
   * (`cluster.lost`), and while the lease has run out, everything above throws `LEASE_LOST`, by handles and collections held from
   * before, too; but not trace, events, findings, time, snapshots and fault rules, which are this process's own.
   */
  readonly cluster: Cluster | undefined;
  pending(): readonly PendingOid[];
  /**
   * Runs `change` alone. It works on the `world` it is given (using the outer one inside would wait for itself). When it
   * throws, everything it changed is undone by inverse OIDs and nothing was stored; else all is stored in one write.
   */
  atomic<T>(change: (world: FabricInterface) => Promise<T>): Promise<T>;
  /** Back to empty: requests in flight end with REQUEST_ABORTED, the store is emptied, installed extensions stay. */
  reset(): Promise<void>;
  /**
   * Copies all that is stored, as of one moment between two acknowledged changes, to a new store folder while the world is
   * in use. The folder is there whole or not at all, and is a store to open. Errors: `ALREADY_EXISTS` when something is
   * at `folder`, `STORE_UNAVAILABLE`, `STORE_CORRUPT`.
   */
  backup(folder: string): Promise<StoreReport>;
  /** Counters for metrics. */
  counters(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}
