import type { Guid } from '../core/guid.ts';
import type { JsonSetting } from '../mof/settings.ts';
import type { PortType } from '../sdk/extension.ts';
import type { ProfileName, RestoreReport, SwitchInfo, VmInfo } from './api.ts';
import type { NicRecord } from './records.ts';

/*
 * What travels: portable documents, compatibility reports, migrations. The library's surface for issue 4's first half, as
 * api.ts is for the rest.
 */

// --- portable documents --------------------------------------------------------------------------------------------------

/** Values of a policy as JSON has them: 64-bit members as decimal strings. */
export type JsonSettings = Readonly<Record<string, JsonSetting>>;

/** One policy. */
export interface PortableProperty {
  readonly id: Guid;
  readonly featureId: Guid;
  readonly feature: string;
  /** major * 256 + minor. */
  readonly version: number;
  readonly settings: JsonSettings;
  readonly revision: number;
}

/** Run-time data of an extension (rule G11). */
export interface PortableRecord {
  readonly extensionId: Guid;
  readonly extensionFriendlyName: string;
  readonly featureClassId: Guid;
  /** Port id it was saved on. */
  readonly portId: number;
  readonly data: Uint8Array;
}

export interface PortableAdapter {
  readonly id: Guid;
  /** PortName of its ports: a migration keeps it (rule G37, OP-38). */
  readonly portName?: Guid;
  readonly name: string;
  readonly type: 'synthetic' | 'emulated';
  readonly mac: string;
  readonly macType: 'static' | 'dynamic';
  readonly mtu: number;
  readonly vmMac?: string;
  readonly numaNode: number;
  /** It had its first NIC_CREATE (rule C17). */
  readonly isKnown: boolean;
  readonly switch?: { readonly id: Guid; readonly name: string };
  /** Features the switch must offer (RequiredFeatures, management.md 5). */
  readonly requiredFeatures: readonly { readonly id: Guid; readonly name: string }[];
  /** In order of creation. */
  readonly properties: readonly PortableProperty[];
  readonly saved: readonly PortableRecord[];
}

export interface PortableVm {
  readonly id: Guid;
  readonly name: string;
  readonly state: VmInfo['state'];
  readonly adapters: readonly PortableAdapter[];
}

/** A class that policies of the document are of, with the MOF that registers it. */
export interface PortableFeature {
  readonly id: Guid;
  readonly name: string;
  readonly kind: 'setting' | 'status';
  readonly version: number;
  readonly extensionId: Guid;
  readonly uint16: 'native' | 'doc32';
  readonly mof: string;
}

export interface PortableSwitch {
  readonly id: Guid;
  readonly name: string;
  readonly type: 'private' | 'internal' | 'external';
  /** Top to bottom. */
  readonly extensions: readonly {
    readonly id: Guid;
    readonly name: string;
    readonly version: string;
    readonly enabled: boolean;
    readonly required: boolean;
  }[];
  readonly properties: readonly PortableProperty[];
  /** Ports that are no VM's: uplink, internal NICs, ports made by hand. In order of creation. */
  readonly ports: readonly PortablePort[];
}

export interface PortablePort {
  readonly id: Guid;
  /** NDIS_SWITCH_PORT_ID: kept with the ids. */
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  /** Of the external port: what is below its NIC. */
  readonly team?: 'none' | 'lbfo' | 'switch';
  /** By index; CurrentMacAddress is left out, it follows from the rest (rule C15). */
  readonly nics: readonly NicRecord[];
  readonly properties: readonly PortableProperty[];
}

/** One file a person can read, keep and carry to another host: docs/reference/portable-document.md. */
export interface PortableDocument {
  readonly format: 'extswitch-portable';
  readonly version: 1;
  readonly profile: ProfileName;
  readonly features: readonly PortableFeature[];
  readonly switches: readonly PortableSwitch[];
  readonly vms: readonly PortableVm[];
  /** `sha256:` and 64 hexadecimal digits, over the canonical JSON of all other members. */
  readonly checksum: string;
}

/** A document before its checksum is made: what stays in the process needs none. */
export type PortableContent = Omit<PortableDocument, 'checksum'>;

export interface ImportOptions {
  /** Name of the switch in the document → id or name here; left out: the same name. */
  readonly switches?: Readonly<Record<string, string>>;
  /** `fresh` (default): new ids; `keep`: those of the document, refused when one is taken. */
  readonly ids?: 'fresh' | 'keep';
  /** Name of the VM (of the switch, when switches are imported) here; left out: that of the document. Only with one. */
  readonly name?: string;
}

export interface ImportReport {
  /** Only when switches are imported. */
  readonly switches: readonly SwitchInfo[];
  readonly vms: readonly VmInfo[];
  /** Classes that were registered, values that were upgraded to a newer class, what is kept and delivered to nobody. */
  readonly notes: readonly string[];
}

// --- compatibility and migration ---------------------------------------------------------------------------------------------

/** Why a VM could not run on another switch or host, found before anything moves (what Compare-VM is to Hyper-V). */
export interface Incompatibility {
  readonly code:
    | 'SWITCH_MISSING'
    | 'SWITCH_DOWN'
    | 'FEATURE_REQUIRED'
    | 'CLASS_MISSING'
    | 'CLASS_OLDER'
    | 'CLASS_NEWER'
    | 'UINT16_PROFILE'
    | 'NDIS_VERSION'
    | 'EXTENSION_MISSING'
    | 'EXTENSION_DISABLED'
    | 'PROPERTY_REFUSED'
    | 'PORT_REFUSED'
    | 'NAME_TAKEN'
    | 'MAC_TAKEN'
    | 'RECORD_UNOWNED';
  /** `error` stops a migration; `warning` does not. */
  readonly severity: 'error' | 'warning';
  /** Names the thing, what is there, what was expected, and how to mend it. */
  readonly message: string;
  readonly adapter?: string;
  readonly feature?: string;
  readonly extensionId?: Guid;
  readonly ndisStatus?: string;
  readonly rule?: string;
}

export interface CompatibilityReport {
  readonly ok: boolean;
  readonly problems: readonly Incompatibility[];
}

export interface MigrationDestination {
  /** Left out: this host, another switch. */
  readonly host?: string;
  /** Id or name of the switch there for every adapter; left out: the name it has here. */
  readonly switch?: string;
}

export type MigrationStepName =
  | 'compare'
  | 'validate'
  | 'prepare'
  | 'save'
  | 'release'
  | 'take'
  | 'restore'
  | 'finish'
  | 'undo';

export interface MigrationStep {
  readonly name: MigrationStepName;
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed';
  readonly oid?: string;
  readonly ndisStatus?: string;
  readonly message?: string;
}

export interface MigrationInfo {
  readonly id: Guid;
  readonly vm: { readonly id: Guid; readonly name: string };
  readonly destination: MigrationDestination;
  /** Milliseconds of the source's clock; 0 for one of a version that did not keep it. */
  readonly started: number;
  readonly state: 'running' | 'succeeded' | 'failed';
  /** Only the report was asked for. */
  readonly dryRun?: true;
  readonly steps: readonly MigrationStep[];
  readonly report?: CompatibilityReport;
  readonly restore?: RestoreReport;
  /** What went wrong, when it failed. */
  readonly error?: { readonly code: string; readonly message: string };
  /** A person has decided, since the destination did not answer. */
  readonly settled?: MigrationRuling;
  /** What the VM was is kept here as a document: {@link MigrationCollection.kept}. */
  readonly kept?: true;
}

export interface MigrationSettlement {
  /** Whose the VM is from now on. */
  readonly owner: 'source' | 'destination';
  /** Name of the host that does not answer, once more: what is decided here cannot be asked back. */
  readonly confirm: string;
}

/** That a person has decided, and what the other host said of it when it was there again. */
export interface MigrationRuling {
  readonly owner: 'source' | 'destination';
  /** Milliseconds of the host's clock. */
  readonly time: number;
  /** Left out: it has not been there since. */
  readonly found?: SupersededCopy;
}

/**
 * What a destination had of a VM that is the source's by decision: `none`; a copy that is taken away now and `kept` as a document;
 * or one that has `gone`, deleted or moved on to `host`, where it runs beside the source's. `taken`: the VM, which is its own.
 */
export interface SupersededCopy {
  readonly copy: 'none' | 'kept' | 'gone' | 'taken';
  readonly host?: string;
}

export interface MigrationOptions {
  readonly vm: string;
  readonly destination: MigrationDestination;
  /** Only the report: nothing moves. */
  readonly dryRun?: boolean;
}

/** A VM that a migration has brought here, or will when its source lets go. */
export interface ArrivalInfo {
  readonly id: Guid;
  readonly vm: { readonly id: Guid; readonly name: string };
  /** `superseded`: while this host was away a person has decided that the VM is the source's. */
  readonly state: 'prepared' | 'taken' | 'abandoned' | 'superseded';
  /** What it was is kept here as a document. */
  readonly kept?: true;
}

export interface MigrationCollection {
  /**
   * Begins; {@link done} gives the end. With `dryRun` it ends after the report. Refused while another migration of the VM runs
   * (409) and without a `host`, except with `dryRun`: a VM goes to another switch of its host by `adapter.connect`.
   */
  start(options: MigrationOptions): Promise<MigrationInfo>;
  /** When it has ended, succeeded or failed; of one that waits for a host that does not answer: when that has come back. */
  done(id: string): Promise<MigrationInfo>;
  list(): Iterable<MigrationInfo>;
  get(id: string): MigrationInfo;
  compare(options: Omit<MigrationOptions, 'dryRun'>): Promise<CompatibilityReport>;
  /** Asks the other host again, at once, where a migration stands that was cut off; gives where it stands then. */
  resume(id: string): Promise<MigrationInfo>;
  /**
   * A person decides whose the VM is, where the destination took or did not take it and does not come back. `source`: it is taken
   * back with its run-time data; should the destination have a copy after all, that is taken away there, and kept, as soon as it is
   * there again. `destination`: it leaves this host; should the destination not have taken it after all, it takes it then, and if it
   * cannot, what it was is kept here. Gives where it stands when that is durable; `running` when the store takes nothing now.
   *
   * Errors: `INVALID_ARGUMENT` when `confirm` is not the name of the destination, `ILLEGAL_TRANSITION` when it answers, or there is
   * nothing to decide.
   */
  settle(id: string, settlement: MigrationSettlement): Promise<MigrationInfo>;
  /**
   * The VM that a decision left without an owner, or took away here, to be imported: with everything it had. Throws `NOT_FOUND`
   * where none is kept, `ILLEGAL_TRANSITION` while the destination, whose it is by decision, has not answered.
   */
  kept(id: string): PortableDocument;
  /** Deletes what {@link kept} gives. */
  discard(id: string): Promise<void>;
  /** Migrations of other hosts to this one. */
  arrivals(): Iterable<ArrivalInfo>;
  /**
   * Gives up a VM that is prepared here and whose source does not come back: its ports, name and addresses are free. Should the
   * source come back it keeps its VM, so that this is safe at any moment. Throws `NOT_FOUND`, and `ILLEGAL_TRANSITION` for a VM
   * that was taken.
   */
  abandon(id: string): Promise<ArrivalInfo>;
}

/** What travels to the other host: one VM, its policies, what their classes are here. */
export interface MigrationDocument {
  readonly profile: ProfileName;
  /** Without `mof`: a built-in class, or one of a host that does not send it. */
  readonly features: readonly (Omit<PortableFeature, 'mof'> & Partial<PortableFeature>)[];
  readonly vm: PortableVm;
}

/** Name of a switch in the document → id or name there; left out: the same name. */
export type MigrationMapping = Readonly<Record<string, string>>;

/**
 * The other host, as a migration meets it: in this process another world, in a cluster another process. Each call is a message;
 * a peer answers the same message twice the same way, so that a lost answer can be asked for again.
 */
export interface MigrationPeer {
  readonly host: string;
  /** Checks, and asks the extensions about every policy on validation ports; changes nothing. */
  compare(document: MigrationDocument, switches: MigrationMapping): Promise<CompatibilityReport>;
  /**
   * S12 steps 1-3: skeleton VM, validation port with every policy, then the operational port. With a report that is not `ok`
   * nothing is prepared. Throws what refused the operational port.
   */
  prepare(
    migration: Guid,
    document: MigrationDocument,
    switches: MigrationMapping,
  ): Promise<CompatibilityReport>;
  /**
   * S12 steps 5-6, when the source has let go: NICs, records by adapter. The VM is there from now on. When it throws, nothing of
   * it is there, unless only the answer was lost: {@link outcome} tells.
   */
  take(
    migration: Guid,
    records: ReadonlyMap<Guid, readonly PortableRecord[]>,
    state: VmInfo['state'],
  ): Promise<RestoreReport>;
  /** Nothing of it stays and a later {@link take} is refused; of one that was taken, everything stays. */
  abandon(migration: Guid): Promise<void>;
  /** Whether it has taken the VM: asked after a crash or a lost answer. */
  outcome(migration: Guid): Promise<'unknown' | 'prepared' | 'taken' | 'abandoned' | 'superseded'>;
  /** The source has the VM by a person's decision: a copy here is taken away and kept; a later {@link take} is refused. */
  supersede(migration: Guid): Promise<SupersededCopy>;
  /** The source has written what came of it: it will not ask again. */
  forget(migration: Guid): Promise<void>;
}

/** Who is there: in one process `LocalHosts`, in a cluster its members. */
export interface HostDirectory {
  /** `undefined`: no such host, or it cannot be reached now. */
  peer(host: string): MigrationPeer | undefined;
  /** There is such a host, whether or not it can be reached now; left out: only those that can. */
  knows?(host: string): boolean;
  /** A world is open and can be migrated to. Throws `ALREADY_EXISTS` for a name that is taken. */
  join(peer: MigrationPeer): void;
  /** It is closing. */
  leave(peer: MigrationPeer): void;
  /** Called with the name of each host that joins; returns the unsubscribe function. */
  subscribe(listener: (host: string) => void): () => void;
}
