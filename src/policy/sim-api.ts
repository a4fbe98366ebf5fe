import type { FabricInterface } from './api.ts';

/** `wall`: follows the machine's clock. `stopped`: would, and stands still. `manual`: only moves when told to. */
export type TimeMode = 'wall' | 'stopped' | 'manual';

/** The virtual time of a world. */
export interface TimeInfo {
  readonly mode: TimeMode;
  /** Virtual milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowMs: number;
  /** Virtual time of the next timer: a limit of an OID, or an extension's own. */
  readonly nextTimerMs?: number;
}

/** Whole milliseconds a warp may cover: a year of 365 days. */
export const WARP_LIMIT_MS = 31_536_000_000;

/** Stops, moves and resumes the time of one world (design.md 2: one virtual clock for everything). */
export interface TimeControl {
  readonly info: TimeInfo;
  /** Time stands still until {@link warp} or {@link resume}. A manual world's time stands anyway. */
  stop(): Promise<TimeInfo>;
  /**
   * Moves time by `ms`, 0 to 31,536,000,000 (a year), and gives the time when everything it set off has settled: timers fire in
   * order, each at its own time, and what one sets off (an OID that ends, the next one, writes to the store) is done before the
   * next fires. In a world that follows the wall, time goes on from there. Errors: `INVALID_ARGUMENT`; `ILLEGAL_TRANSITION`
   * after 1,000,000 timers, with time where it had got to.
   */
  warp(ms: number): Promise<TimeInfo>;
  /**
   * Time goes on at the machine's pace from where it stands: it neither jumps back nor catches up with what was slept through.
   * `ILLEGAL_TRANSITION` for a manual world, which has no wall to follow.
   */
  resume(): Promise<TimeInfo>;
}

/** A named moment of a world. */
export interface SnapshotInfo {
  readonly name: string;
  /** Virtual milliseconds when it was taken. */
  readonly time: number;
  /** Newest number of trace and events at that moment. */
  readonly seq: number;
  readonly switches: number;
  readonly ports: number;
  readonly properties: number;
  readonly vms: number;
  /** Records of the store in it. */
  readonly records: number;
}

/**
 * Moments of a world to go back to, or to go on from in another world. They are in memory and end with the world; for a copy
 * that lasts see {@link FabricInterface.backup}. All of them refuse with `ILLEGAL_TRANSITION` while a migration of a VM is under
 * way, naming it, and inside an atomic change.
 */
export interface SnapshotCollection {
  /**
   * The world as of one moment between two changes: all that is stored, installed extensions, what the next ids and addresses
   * will be. Waits for changes under way; when one cannot end since an extension pends its OID while time stands still:
   * `ILLEGAL_TRANSITION` naming both. `name`: 1 to 64 letters, digits, `.`, `_`, `-`; default `snapshot-1`, … Other errors:
   * `INVALID_ARGUMENT`, `ALREADY_EXISTS`, `FORBIDDEN` above 1,000 snapshots.
   */
  create(options?: { readonly name?: string }): Promise<SnapshotInfo>;
  /** Oldest first. */
  list(): readonly SnapshotInfo[];
  /** Throws `NOT_FOUND`. */
  get(name: string): SnapshotInfo;
  /** Throws `NOT_FOUND`. */
  delete(name: string): Promise<void>;
  /**
   * The world becomes what it was, exactly: what came since is gone, what went is back. Requests in flight end with
   * REQUEST_ABORTED; every extension is detached and attached anew, and told what there is as after a restart of the service.
   * One durable write. Time goes on; trace and events begin anew, their numbers go on. All or nothing.
   */
  restore(name: string): Promise<SnapshotInfo>;
  /**
   * A world of its own, in memory, that begins as this one was: same ids, seed, profile, behaviour, extensions. A manual world's
   * clock begins at the snapshot's time. `name`: of the host it is, for migrations; without one it is no host.
   */
  fork(name: string, options?: { readonly name?: string }): Promise<FabricInterface>;
}

/** What a recording begins with. */
export interface RecordingOptions {
  /** A snapshot: the world as it was then, and what came since. Left out: all since the world was opened, reset or restored. */
  readonly snapshot?: string;
}
