import type { Guid } from '../core/guid.ts';
import type { NdisStatus } from '../core/status.ts';

/** Typed values of a feature class: numbers up to 32 bits, `bigint` for 64-bit members, text, booleans, arrays of these. */
export type SettingValue =
  | number
  | bigint
  | boolean
  | string
  | readonly (number | bigint | boolean | string)[];
export type Settings = Readonly<Record<string, SettingValue>>;

/**
 * Filled in by the files `extswitch mof types` writes (module augmentation): class name → settings type.
 * `PortProperty<'Fabrikam_PortCustomSettingData'>` then has typed `settings`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: augmented by generated files
export interface FeatureTypes {}

/** Settings type of a class: the generated one when there is one, else {@link Settings}. */
export type SettingsOf<Name extends string> = Name extends keyof FeatureTypes
  ? FeatureTypes[Name]
  : Settings;

/** Fixed position class of an extension in the stack, top to bottom capture, filter, forward (rule A2). */
export type ExtensionType = 'capture' | 'filter' | 'forward';

declare const pended: unique symbol;
/** What {@link OidRequest.pend} returns: the handler keeps the request and completes or forwards it later. */
export type Pended = { readonly [pended]: true };

/**
 * What a handler says about a request. `'forward'` (or nothing at all) passes it down unchanged; an `NdisStatus`
 * completes it here — a veto is `NdisStatus.DATA_NOT_ACCEPTED`; `pend(request)` keeps it. A promise of the first two
 * is a pended request with sugar. `NdisStatus.PENDING` is the same as `pend(request)` (rule D6).
 */
export type FinalVerdict = 'forward' | NdisStatus;
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing forwards
export type Verdict = FinalVerdict | Pended | Promise<FinalVerdict | void> | void;

/** `query`, `set` and `method` are NDIS_REQUEST_TYPE 0, 1 and 12. */
export type RequestType = 'query' | 'set' | 'method';

/** One OID request as an extension sees it. Valid until it completes; a copy is needed to keep the bytes longer. */
export interface OidRequest {
  /** OID code, e.g. 0x00010271, and its name. */
  readonly oid: number;
  readonly oidName: string;
  readonly requestType: RequestType;
  /** Number of the request on its switch, from 1 in order of issue; the trace, pending lists and findings carry it. */
  readonly id: number;
  /**
   * The InformationBuffer: exactly the bytes Windows would pass. Reading costs a copy once (the switch checks
   * afterwards that nothing was changed that may not be: rules D4, B26, C42, E22, F10).
   */
  readonly bytes: Uint8Array;
  /** Result so far; meaningful in `oidRequestComplete`. */
  readonly status: NdisStatus;
  bytesRead: number;
  bytesWritten: number;
  bytesNeeded: number;
  /** Decoded view when the OID is a property OID, else `undefined`. */
  readonly property: PortProperty | SwitchProperty | undefined;
  /** Keeps the request; complete it with {@link complete} or {@link forward} exactly once (rule D6). */
  pend(): Pended;
  /** Completes a pended request here. A second call is a violation (NdisOidDoubleComplete) and changes nothing. */
  complete(status: NdisStatus): void;
  /** Passes a pended request on to the module below. */
  forward(): void;
}

interface PropertyBase<Name extends string> {
  /** Class name of the feature, when its class is registered. */
  readonly feature: Name | undefined;
  /** PropertyId (GUID): the class's UUID. Only meaningful when the type is custom (rule E24). */
  readonly propertyId: Guid;
  readonly propertyInstanceId: Guid;
  /** major * 256 + minor of the class (rule E9); 0 in a delete, which carries none. */
  readonly propertyVersion: number;
  readonly serializationVersion: number;
  /** The vendor data: for custom properties the serialized class, for standard ones the NDIS structure; empty in a delete. */
  readonly raw: Uint8Array;
  /** The typed values. In a delete: `undefined`. When the class is unknown or the bytes do not fit it: `undefined`. */
  readonly settings: SettingsOf<Name> | undefined;
  readonly request: OidRequest;
}

/** NDIS_SWITCH_PORT_PROPERTY_TYPE. */
export type PortPropertyType =
  | 'custom'
  | 'security'
  | 'vlan'
  | 'profile'
  | 'isolation'
  | 'routingDomain';

export interface PortProperty<Name extends string = string> extends PropertyBase<Name> {
  readonly portId: number;
  readonly propertyType: PortPropertyType;
}

export interface SwitchProperty<Name extends string = string> extends PropertyBase<Name> {
  readonly propertyType: 'custom';
}

/** A feature status query (rules F1-F13). Answer with `return query.respond(values)`, which forwards what is not yours. */
export interface FeatureStatusQuery {
  readonly featureStatusId: Guid;
  readonly feature: string | undefined;
  readonly featureStatusInstanceId: Guid;
  /** Room for vendor data in this buffer, in bytes. */
  readonly capacityBytes: number;
  readonly request: OidRequest;
  /**
   * Serializes `values` by the status class into the buffer, sets version and length (rule F9) and gives SUCCESS. When
   * it does not fit: INVALID_LENGTH with BytesNeeded set (rule F11); the switch asks again with room. Values that do
   * not fit the class throw `SETTINGS_INVALID`, which ends the query with FAILURE (rule F12). `values`: members by name,
   * such as the class's generated type; members left out take their defaults. Gives `'forward'`, and writes nothing, when
   * the id is of no registered class of this extension (rule F7). With several status classes, look at {@link feature}
   * first.
   */
  respond(values: object): FinalVerdict;
  /**
   * The same with bytes already serialized, whatever the id: for ids without a class, look at {@link featureStatusId}
   * first (rule F7). `version` defaults to the class version or 0x0100.
   */
  respondRaw(bytes: Uint8Array, version?: number): NdisStatus;
}

export interface PortFeatureStatusQuery extends FeatureStatusQuery {
  readonly portId: number;
}

/** A NIC of the switch by the pair that identifies it (rule C1). */
export interface NicAddress {
  readonly portId: number;
  readonly nicIndex: number;
}

/** OID_SWITCH_NIC_SAVE (rules G1-G19). Save one record with `return state.save(bytes)`; forward when nothing (more) is left. */
export interface NicSaveState extends NicAddress {
  /** Room for data in this buffer, in bytes. */
  readonly capacityBytes: number;
  readonly request: OidRequest;
  /**
   * Writes one record with the extension's id and name (rules G13, G14, G16) and gives SUCCESS; the switch keeps it and asks
   * again (rule G5). When it does not fit: BUFFER_TOO_SHORT with BytesNeeded (rule G17); the switch asks again with room.
   * `data`: 1 to 65,535 bytes less the fixed part, more from NDIS 6.50 on (rule G12).
   */
  save(data: Uint8Array, featureClassId?: string): NdisStatus;
}

/** OID_SWITCH_NIC_RESTORE: one stored record (rules G23-G33). Return SUCCESS when it is yours and taken; else forward. */
export interface NicRestoreState extends NicAddress {
  /** Owner of the record; {@link isMine} compares it with the extension's own id (rule G30). */
  readonly extensionId: Guid;
  readonly extensionFriendlyName: string;
  /** Zeros when the owner has no class for it. */
  readonly featureClassId: Guid;
  readonly isMine: boolean;
  /** The saved bytes; a copy, so that it may be kept (rule G35). */
  readonly data: Uint8Array;
  readonly request: OidRequest;
}

/** An encapsulated OID request: OID_SWITCH_NIC_REQUEST (rules D24-D44). */
export interface NicOidRequest {
  /** 0/0: the switch interface itself (rule B11). */
  readonly source: NicAddress;
  /** 0/0: for inspection by the extensions, completed at the miniport edge (rule D27). */
  readonly destination: NicAddress;
  readonly requestType: RequestType;
  /** Code and name of the OID inside. */
  readonly oid: number;
  readonly oidName: string;
  /** InformationBuffer of the request inside. */
  readonly data: Uint8Array;
  /** OID_SWITCH_NIC_REQUEST itself. */
  readonly request: OidRequest;
  /** In `nicRequestComplete`: status the request came back with. */
  readonly status: NdisStatus;
}

/** What an extension originates with {@link SwitchContext.nicRequest} (rules D30-D38). */
export interface NicRequestOptions {
  /** Default 0/0; on behalf of a partition: its port and NIC (rule D33). */
  readonly source?: NicAddress;
  /** The external port and a lower adapter, index 1 to 32 (rule D32). */
  readonly destination: NicAddress;
  readonly requestType: RequestType;
  readonly oid: number;
  readonly input?: Uint8Array;
  /** Room for the answer of a query or method, in bytes. */
  readonly outputLengthBytes?: number;
}

/** NDIS_STATUS_SWITCH_NIC_STATUS on its way up (rules H1-H16). */
export interface NicStatusIndication {
  readonly source: NicAddress;
  readonly destination: NicAddress;
  /** Status code inside, e.g. NDIS_STATUS_LINK_STATE, and its name. */
  readonly statusCode: number;
  readonly statusName: string;
  /** StatusBuffer of the indication inside. */
  readonly data: Uint8Array;
  /** The bytes of NDIS_SWITCH_NIC_STATUS_INDICATION with what it points to. */
  readonly bytes: Uint8Array;
}

/** What an extension indicates with {@link SwitchContext.indicateNicStatus} (rules H5-H13). */
export interface NicStatusOptions {
  /** For an adapter's status: the external port with NIC index 0 (rule H7). Default 0/0. */
  readonly source?: NicAddress;
  /** For a VM NIC's offload resources: its port and NIC (rule H8). Default 0/0. */
  readonly destination?: NicAddress;
  readonly statusCode: number;
  readonly data?: Uint8Array;
}

/**
 * FilterNetPnPEvent: `switchActivate` once, bottom-up (rule A68; also calls `activate`), `filterPreDetach` before a module is
 * paused for removal (rule A75), `stackChange` when modules came or went (rule A46).
 */
export interface NetPnPEvent {
  readonly event: 'switchActivate' | 'filterPreDetach' | 'stackChange';
  /** Extension ids of the stack now, top to bottom. */
  readonly stack: readonly Guid[];
}

export type PortType = 'generic' | 'external' | 'synthetic' | 'emulated' | 'internal';
export type PortState = 'created' | 'teardown' | 'deleted';
export type NicType = 'external' | 'synthetic' | 'emulated' | 'internal';
export type NicState = 'created' | 'connected' | 'disconnected' | 'deleted';

/** NDIS_SWITCH_PORT_PARAMETERS, decoded. */
export interface PortParameters {
  readonly portId: number;
  readonly name: string;
  readonly friendlyName: string;
  readonly type: PortType;
  readonly state: PortState;
  readonly isValidationPort: boolean;
}

/** NDIS_SWITCH_NIC_PARAMETERS, decoded. MAC addresses as `00-15-5d-00-00-01`. */
export interface NicParameters {
  readonly portId: number;
  readonly index: number;
  readonly name: string;
  readonly friendlyName: string;
  readonly type: NicType;
  readonly state: NicState;
  readonly vmName: string;
  readonly vmFriendlyName: string;
  readonly mtu: number;
  readonly permanentMacAddress: string;
  readonly vmMacAddress: string;
  readonly currentMacAddress: string;
  readonly vfAssigned: boolean;
}

/** NDIS_SWITCH_PARAMETERS, decoded. */
export interface SwitchParameters {
  readonly name: string;
  readonly friendlyName: string;
  readonly numSwitchPorts: number;
  readonly isActive: boolean;
}

/** One entry of a property enumeration. */
export interface PropertyEntry {
  readonly propertyInstanceId: Guid;
  readonly propertyVersion: number;
  readonly raw: Uint8Array;
  readonly settings: Settings | undefined;
}

/** Result of an OID an extension issued itself. */
export interface OidResult {
  readonly status: NdisStatus;
  /** The output (query, method) as written by the completer. */
  readonly output: Uint8Array;
  readonly bytesNeeded: number;
}

/**
 * What an extension may call on its switch. The queries travel down from the extension's own place (rule D2) and are
 * repeated with room while they answer INVALID_LENGTH (rule J10). They complete at once unless a module below pends
 * them: then the sync forms throw `ILLEGAL_TRANSITION` and {@link request} gives a promise. None may be used inside
 * `attach` (rule A53).
 */
export interface SwitchContext {
  /** Switch GUID and name. */
  readonly id: Guid;
  readonly name: string;
  /** NDIS version of the profile, e.g. `6.85`. */
  readonly ndisVersion: string;
  /** Virtual time in milliseconds. */
  now(): number;
  /** Virtual timer; cancelled when the extension detaches. */
  after(delayMs: number, fire: () => void): { cancel(): void };
  /** Seeded random number in [0, 1). */
  random(): number;
  log(message: string, fields?: Readonly<Record<string, unknown>>): void;
  parameters(): SwitchParameters;
  ports(): readonly PortParameters[];
  nics(): readonly NicParameters[];
  /** Custom properties of one feature (class name or GUID), or the standard ones of a type. Takes a port reference meanwhile (rule E48). */
  portProperties(portId: number, feature: string): readonly PropertyEntry[];
  switchProperties(feature: string): readonly PropertyEntry[];
  /** Rules B36-B41, C57-C60. SUCCESS or the reason; each success is balanced by one dereference. */
  referencePort(portId: number): NdisStatus;
  dereferencePort(portId: number): NdisStatus;
  referenceNic(portId: number, nicIndex: number): NdisStatus;
  dereferenceNic(portId: number, nicIndex: number): NdisStatus;
  /** Issues any OID with raw bytes. `input` for set and method; `outputLengthBytes` is the room for query and method. */
  request(
    requestType: RequestType,
    oid: number,
    input: Uint8Array,
    outputLengthBytes?: number,
  ): OidResult | Promise<OidResult>;
  /**
   * Originates an encapsulated OID request downwards (rules D32-D38). The switch builds NDIS_SWITCH_NIC_OID_REQUEST around it;
   * the result is that of the request inside. NICs are the caller's to reference (rule D34). A synchronous redirect
   * inside `nicRequest` is `return sw.nicRequest({…}).status`: the same OID and request type as the one the handler has, which
   * then has the answer as well, as a clone shares its buffer with the original (rules D31, D38).
   */
  nicRequest(options: NicRequestOptions): OidResult | Promise<OidResult>;
  /** Indicates NDIS_STATUS_SWITCH_NIC_STATUS upwards from the extension's own place (rules H4-H13). */
  indicateNicStatus(options: NicStatusOptions): void;
  /** NdisFRestartFilter: asks for a pause and restart of the stack; done when its turn comes (rule A66). */
  restartStack(): void;
}

type PortHandler = (port: PortParameters, request: OidRequest) => Verdict;
type NicHandler = (nic: NicParameters, request: OidRequest) => Verdict;

/**
 * Handlers of one extension on one switch. All optional; what is missing forwards. Each is called when the OID reaches
 * the extension on its way down, at most one request at a time (rule D1); `oidRequestComplete` when a request it
 * forwarded comes back up, with the final `request.status` — the place to roll back (rules B29, C39, E37).
 */
export interface ExtensionHandlers {
  createPort?: PortHandler;
  updatePort?: PortHandler;
  teardownPort?: PortHandler;
  deletePort?: PortHandler;
  createNic?: NicHandler;
  connectNic?: NicHandler;
  updateNic?: NicHandler;
  disconnectNic?: NicHandler;
  deleteNic?: NicHandler;
  addPortProperty?(property: PortProperty): Verdict;
  updatePortProperty?(property: PortProperty): Verdict;
  deletePortProperty?(property: PortProperty): Verdict;
  addSwitchProperty?(property: SwitchProperty): Verdict;
  updateSwitchProperty?(property: SwitchProperty): Verdict;
  deleteSwitchProperty?(property: SwitchProperty): Verdict;
  queryPortFeatureStatus?(query: PortFeatureStatusQuery): Verdict;
  querySwitchFeatureStatus?(query: FeatureStatusQuery): Verdict;
  saveNic?(state: NicSaveState): Verdict;
  saveNicComplete?(nic: NicAddress, request: OidRequest): Verdict;
  restoreNic?(state: NicRestoreState): Verdict;
  restoreNicComplete?(nic: NicAddress, request: OidRequest): Verdict;
  nicRequest?(request: NicOidRequest): Verdict;
  /** A NIC_REQUEST this extension forwarded came back up; `request.status` says how. */
  nicRequestComplete?(request: NicOidRequest): void;
  /** A status indication on its way up. `'drop'` swallows it (rule H6: forwarding extensions, with a replacement). */
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing forwards
  nicStatus?(indication: NicStatusIndication): 'forward' | 'drop' | void;
  /** Any plug-and-play event, before the specific handler. */
  netPnPEvent?(event: NetPnPEvent): void;
  /** Every OID, before the specific handler. A status here ends the request; `'forward'` lets the specific handler decide. */
  oidRequest?(request: OidRequest): Verdict;
  oidRequestComplete?(request: OidRequest): void;
  /** NetEventSwitchActivate: the switch is active; query what is there (rule J12). */
  activate?(): void;
  /** The stack restarts with this extension in it; on a live switch: catch up by queries (rule J11). Throwing refuses to run (OP-31). */
  restart?(): void | Promise<void>;
  pause?(): void | Promise<void>;
  detach?(): void;
}

/** What an ISV writes. */
export interface ExtensionDefinition {
  /** The extension's GUID: NetCfgInstanceId of its INF and ExtensionId of its MOF classes (rule A32). */
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  /** `major.minor`. */
  readonly version: string;
  readonly type: ExtensionType;
  /** MOF files registered with it; relative paths are relative to the module that calls `defineExtension`. */
  readonly mof?: readonly (string | URL)[];
  /** Once per switch instance, when the stack attaches it. No OIDs may be issued here (rule A53). Throwing refuses. */
  attach(sw: SwitchContext): ExtensionHandlers;
}
