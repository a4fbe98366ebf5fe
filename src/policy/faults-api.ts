import type { FailingCall } from '../../switch/fault-points.ts';
import type { Guid } from '../core/guid.ts';
import type { RequestType } from '../sdk/extension.ts';

export { FAILING_CALLS } from '../../switch/fault-points.ts';

/*
 * Faults on purpose: rules that a world meets, set over the library, HTTP (`/v1/sim/faults`), the CLI and scenario files; and
 * the list of places where one could have been met, which a sweep fails one at a time.
 */

/** `oid`: a request at an extension or at the miniport edge; `call`: an extension's call of its switch; `store`: a write; `message`: to another host. */
export const FAULT_PLACES = ['oid', 'call', 'store', 'message'] as const;
export type FaultPlace = (typeof FAULT_PLACES)[number];

/**
 * What happens there. `oid`: status, throw, hang, delay, twice. `call`: status. `store`: fail, delay. `message`: lost, lostAnswer,
 * twice, delay. `act` anywhere: the world does `act` in that instant and what was met goes on. Only in a world that was given a
 * way to die ({@link OpeningFaults.crash}): `crash` at `store` and `message`, before the write or the message; `crashAnswered`, when
 * it is in the store, or the other host has got it.
 */
export const FAULT_EFFECTS = [
  'status',
  'throw',
  'hang',
  'delay',
  'twice',
  'fail',
  'lost',
  'lostAnswer',
  'act',
  'crash',
  'crashAnswered',
] as const;
export type FaultEffect = (typeof FAULT_EFFECTS)[number];

/**
 * What a world can be made to do at a place: to the switch of the place, or to the extension or port met. `teardownPort`: of a VM,
 * its adapter is disconnected. At `store` and `message`, which have none of these, the rule names them (`switch`, `extension`,
 * `portId`); they are then not matched.
 */
export const FAULT_ACTS = [
  'disableExtension',
  'restartStack',
  'teardownPort',
  'deleteSwitch',
] as const;
export type FaultAct = (typeof FAULT_ACTS)[number];

/** Names of the messages between two hosts of a migration. */
export const FAULT_MESSAGES = [
  'compare',
  'prepare',
  'take',
  'abandon',
  'outcome',
  'supersede',
  'forget',
] as const;
export type FaultMessage = (typeof FAULT_MESSAGES)[number];

/** `extension` of the bottom of the stack, which completes what no extension completed. */
export const MINIPORT_EDGE = 'miniportEdge';

/** What has to be so for a rule to be met; members left out match everything. */
export interface FaultMatch {
  readonly at: FaultPlace;
  /** Name or id of an extension; {@link MINIPORT_EDGE} for the bottom of the stack. */
  readonly extension?: string;
  /** Name of an OID, or `0x…`. */
  readonly oid?: string;
  readonly requestType?: RequestType;
  /** Name of a switch. `store`: writes about it, its ports and policies, and VMs that are configured for it. */
  readonly switch?: string;
  readonly portId?: number;
  /** `call`: which one. */
  readonly call?: FailingCall;
  /** `message`: its name and the host it goes to. */
  readonly message?: FaultMessage;
  readonly to?: string;
}

/** One rule as it is given. */
export interface FaultRuleOptions extends FaultMatch {
  /** Default: `fault-1`, `fault-2`, … */
  readonly id?: string;
  readonly effect: FaultEffect;
  /**
   * Name of an NDIS_STATUS, with or without that prefix, or a number as text (`0xC000009A`); default of `status`:
   * NDIS_STATUS_RESOURCES. Any but NDIS_STATUS_PENDING; of a `call`, an error.
   */
  readonly status?: string;
  readonly act?: FaultAct;
  /** Whole virtual milliseconds from 0 to a year, `delay` only; default 1,000. */
  readonly delayMs?: number;
  /** The first match that is hit, from 1: default. */
  readonly nth?: number;
  /** How many matches are hit; default: all from {@link nth} on, of an `act` one. */
  readonly times?: number;
  /** From 0 to 1, default 1: drawn from a stream of the world's seed that nothing else draws from. 0 equals no rule. */
  readonly probability?: number;
}

/** What may be changed of a rule: all but its id. `undefined` takes a member away. */
export type FaultRuleChange = {
  readonly [M in keyof FaultRuleOptions]?: FaultRuleOptions[M] | undefined;
};

/** A rule that is set, and what came of it. */
export interface FaultRule extends FaultRuleOptions {
  readonly id: string;
  readonly nth: number;
  readonly probability: number;
  /** Matches so far, and how many of them were hit. */
  readonly matched: number;
  readonly hits: number;
}

/** A place that was passed: {@link FaultMatch} that fits it alone with `nth`, the how many-th of its kind it was, from 1. */
export interface FaultSite extends FaultMatch {
  readonly nth: number;
}

/**
 * `fabric.faults`. Changes take effect between two requests; in `fabric.atomic` and in an atomic batch they apply to the changes that
 * follow, and when it fails they are taken back before anything else is. Several rules at one place: the first one that is hit
 * counts, all that match are counted; an `act` comes beside what else is hit.
 *
 * Rules are in memory. A snapshot has them with their counts, so that restoring and forking it go on as that world would have;
 * `reset` clears them. Nothing is met while a snapshot is being restored or a reset is under way.
 */
export interface FaultCollection {
  list(): readonly FaultRule[];
  get(id: string): FaultRule;
  /**
   * All or none. Throws `INVALID_ARGUMENT` naming rule, member and what was expected, `ALREADY_EXISTS`, `FORBIDDEN` above 1,000
   * rules.
   */
  add(...rules: readonly FaultRuleOptions[]): readonly FaultRule[];
  /** Changes members of a rule; counts, and the numbers it draws, go on. */
  update(id: string, change: FaultRuleChange): FaultRule;
  remove(id: string): void;
  clear(): void;
  /** From now on every place that is passed is written down, until it is stopped. */
  record(): FaultRecording;
}

export interface FaultRecording {
  readonly sites: readonly FaultSite[];
  stop(): void;
}

/**
 * `FabricOptions.faults`: in force from the first instant of a world, also while what its store holds comes back to life. For
 * sweeps, which fail what happens there too.
 */
export interface OpeningFaults {
  readonly rules?: readonly FaultRuleOptions[];
  /**
   * Told each place as it is passed, before what happens there; numbers as in {@link FaultCollection.record}. `classId`: the class of
   * the property, feature status or saved record that an OID is about.
   */
  readonly passed?: (site: FaultSite, classId: Guid | undefined) => void;
  /** Ends the world as a kill of its process does, for the effects `crash` and `crashAnswered`; left out: there are none. */
  readonly crash?: () => void;
}
