import type { NdisVersion } from '../src/abi/index.ts';
import type { Clock } from '../src/core/clock.ts';
import type { Guid } from '../src/core/guid.ts';
import type { Rng } from '../src/core/rng.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  Settings,
  SwitchContext,
} from '../src/sdk/extension.ts';
import type { FaultPoints } from './fault-points.ts';
import type { SwitchObserver } from './observer.ts';
import type { TraceRing } from './trace.ts';

/**
 * How the values of one feature become property bytes and back. Custom classes write the serialized class; standard
 * port properties write their NDIS structure.
 */
export interface PropertyCodec {
  /** Class name. */
  readonly name: string;
  /** NDIS_SWITCH_PORT_PROPERTY_TYPE; 1 = custom. */
  readonly propertyType: number;
  readonly id: Guid;
  /** PropertyId on the wire as little-endian words: the UUID of a custom class, zeros for the rest (rule E24). */
  readonly idWords: Uint32Array;
  readonly extensionId: Guid;
  /** major * 256 + minor (rule E9). */
  readonly version: number;
  /** Size of the fixed part, bytes: room offered first for a status of this class. */
  readonly fixedSize: number;
  /** Validates whatever an extension or client gives and fills defaults; throws `SETTINGS_INVALID`. */
  normalize(values: Readonly<Record<string, unknown>>): Settings;
  /** Bytes `write` will need. */
  size(settings: Settings): number;
  /** Writes at `offset`, zero-filling pads; returns the length. */
  write(settings: Settings, bytes: Uint8Array, offset: number): number;
  decode(bytes: Uint8Array, offset: number, lengthBytes: number): Settings;
}

/** The registered classes, as far as a switch asks for them. */
export interface FeatureCatalog {
  /** Setting class of a custom property, by UUID. */
  setting(scope: 'port' | 'switch', id: Guid): PropertyCodec | undefined;
  /** Status class by UUID. */
  status(scope: 'port' | 'switch', id: Guid): PropertyCodec | undefined;
  /** Standard port property of a type (2-6). */
  standard(propertyType: number): PropertyCodec | undefined;
  /** Value in force when nothing is configured (rule E45, OP-8); `undefined`: zero entries. */
  standardDefault(propertyType: number): Settings | undefined;
  /** GUID of a class name or GUID text. */
  resolve(scope: 'port' | 'switch', nameOrId: string): PropertyCodec | undefined;
}

/** A broken rule, seen from outside an extension. */
export interface Finding {
  /** Rule of the rule book or Driver Verifier's name, e.g. `E22`, `NdisOidDoubleComplete`. */
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly extensionId?: Guid;
  readonly oid?: string;
  /** Number of the request on its switch. */
  readonly request?: number;
  /** Only while an observer watches: the request's bytes as they were when it happened. */
  readonly bytes?: Uint8Array;
  /** Byte of {@link bytes} that is wrong. */
  readonly offset?: number;
  /** What the byte at {@link offset} belongs to: structure, class and member, where it can be read. Added where findings are kept. */
  readonly member?: string;
  /** Ids of the modules it had passed, top to bottom; the last one is where it happened. */
  readonly route?: readonly string[];
  /** A fault that was injected broke it, not the extension. */
  readonly injected?: true;
}

/** What a trace entry tells of a finding about its request; the rest stands in the entry itself. */
export type TraceFinding = Pick<
  Finding,
  'rule' | 'severity' | 'message' | 'extensionId' | 'offset' | 'injected'
>;

/** Where the documents leave a choice (open points of the rule book); the defaults are the recommended readings. */
export interface SwitchBehaviour {
  /** `seeded`: operations that may overlap do, OID by OID, in an order the environment's rng picks. */
  readonly scheduling: 'fifo' | 'seeded';
  /** OP-29: how often an OID that failed with NDIS_STATUS_RESOURCES is sent again. */
  readonly transientRetries: number;
  /** OP-17. */
  readonly completeFailedRestore: boolean;
  /** OP-36. */
  readonly internalNics: number;
  /** OP-39. */
  readonly suspendOids: boolean;
}

export const DEFAULT_BEHAVIOUR: SwitchBehaviour = {
  scheduling: 'fifo',
  transientRetries: 0,
  completeFailedRestore: true,
  internalNics: 1,
  suspendOids: false,
};

/** Everything a switch gets from outside: time, randomness, ids, classes, and where its observations go (design.md 2). */
export interface SwitchEnvironment {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly ndis: NdisVersion;
  readonly catalog: FeatureCatalog;
  readonly trace: TraceRing;
  /** Virtual milliseconds a module may hold an OID (NdisTimedOidComplete: 12,000). */
  readonly oidTimeoutMs: number;
  readonly behaviour: SwitchBehaviour;
  /** Sees every act of every module; left out: nobody looks. */
  readonly observer?: SwitchObserver | undefined;
  /** A request with which an extension breaks a rule fails with NDIS_STATUS_FAILURE; left out: it is only reported. */
  readonly enforce?: boolean | undefined;
  /** Asked wherever something may be made to fail; left out: nothing is. May come and go while the switch runs. */
  readonly faults?: FaultPoints | undefined;
  /** Attaches an extension to a switch; left out: by its own `attach`, in this thread. */
  readonly attach?:
    | ((definition: ExtensionDefinition, sw: SwitchContext) => ExtensionHandlers)
    | undefined;
  /** What was there is being made again: it comes also while the stack of its switch is down (rule A50). Left out: it never is. */
  isRebuilding?(): boolean;
  finding(switchName: string, finding: Finding): void;
  stateChange(switchName: string, data: Readonly<Record<string, unknown>>): void;
  log(
    switchName: string,
    extension: string,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
}
