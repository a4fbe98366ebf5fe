import { ExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';
import type { ExtensionDefinition, ExtensionHandlers, SwitchContext } from '../sdk/extension.ts';
import { IsolatedExtension, moduleOf } from './isolated-extension.ts';
import type { EndReason, WorkerLimits } from './isolated-worker.ts';

/** What follows when an isolated extension's worker has ended, or it threw outside its handlers. */
export type CrashAnswer = 'report' | 'restart' | 'disable';

/** Which extensions of a world run in a worker thread of their own, and what they may. */
export interface IsolationOptions {
  /** `all`, or names or ids of extensions. */
  readonly extensions: 'all' | readonly string[];
  /** Wall milliseconds a handler may run, 1 to 3,600,000; default 1,000. What the switch does for it meanwhile does not count. */
  readonly watchdogMs?: number;
  /** Mebibytes of heap, 8 to 65,536, and again of buffers outside it; default 128. */
  readonly memoryMb?: number;
  /** Wall milliseconds loading its module may take; default 10,000, or the watchdog's when that is more. */
  readonly loadMs?: number;
  /** Default `restart`. `report`: requests that come to an extension whose worker has ended fail until it is enabled anew. */
  readonly onCrash?: CrashAnswer;
}

/** {@link IsolationOptions} with nothing left out. */
export type IsolationSettings = Required<IsolationOptions>;

/** How the workers of one extension fared. */
export interface IsolationCounts {
  /** Times it was detached and attached anew. */
  readonly restarts: number;
  readonly watchdogKills: number;
  readonly memoryKills: number;
  /** Threads that ended by themselves, as by `process.exit()`. */
  readonly exits: number;
}

/** What happened to an isolated extension where no handler of it could say. */
export interface IsolationCrash {
  readonly definition: ExtensionDefinition;
  /** Its worker has ended; else it only threw. */
  readonly isEnded: boolean;
  /** Names the extension. */
  readonly message: string;
}

const WATCHDOG_MS = 1_000;
const MEMORY_MB = 128;
const LOAD_MS = 10_000;

interface Entry {
  readonly extension: IsolatedExtension;
  restarts: number;
  watchdogKills: number;
  memoryKills: number;
  exits: number;
}

/** Checks options and gives the limits. Throws `INVALID_ARGUMENT`. */
export function limitsOf(options: Omit<IsolationOptions, 'extensions'>): WorkerLimits {
  const { watchdogMs = WATCHDOG_MS, memoryMb = MEMORY_MB } = options;
  const { loadMs = Math.max(LOAD_MS, watchdogMs) } = options;
  whole('watchdogMs', watchdogMs, 1, 3_600_000);
  whole('memoryMb', memoryMb, 8, 65_536);
  whole('loadMs', loadMs, 1, 3_600_000);
  return { watchdogMs, memoryMb, loadMs };
}

function whole(member: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `isolate.${member} ${value}: expected a whole number from ${min} to ${max}`,
    { member, expected: `${min} to ${max}`, found: String(value) },
  );
}

/** The isolated extensions of one world. */
export class Isolation {
  readonly limits: WorkerLimits;
  readonly onCrash: CrashAnswer;
  readonly #chosen: 'all' | readonly string[];
  readonly #entries = new Map<string, Entry>();
  readonly #sleeps: boolean;
  #isClosed = false;
  /** Crashes before anybody listened. */
  #early: IsolationCrash[] = [];
  #listener: ((crash: IsolationCrash) => void) | undefined;
  /**
   * `sleeps`: waits for threads by stopping this one, never by turns of its loop: for worlds whose time somebody moves by hand, so
   * that nothing takes time in them that took none.
   */
  constructor(options: IsolationOptions, sleeps = false) {
    this.#sleeps = sleeps;
    this.limits = limitsOf(options);
    this.onCrash = options.onCrash ?? 'restart';
    this.#chosen = options.extensions;
  }

  /** What was chosen, with the defaults of what was left out. */
  settings(): IsolationSettings {
    const { limits, onCrash } = this;
    return { extensions: this.#chosen, ...limits, onCrash };
  }

  /** `listener` is told of every crash, also of those there were. */
  onCrashes(listener: (crash: IsolationCrash) => void): void {
    this.#listener = listener;
    for (const crash of this.#early.splice(0)) listener(crash);
  }

  #crashed(crash: IsolationCrash): void {
    if (this.#isClosed) return;
    if (this.#listener === undefined) this.#early.push(crash);
    else this.#listener(crash);
  }

  /** Whether the world runs it in a worker. */
  chooses({ id, name }: ExtensionDefinition): boolean {
    if (this.#chosen === 'all') return true;
    return this.#chosen.some((each) => each === name || tryParseGuid(each) === id);
  }

  /** Throws `INVALID_ARGUMENT` for an extension that is chosen and has no module. */
  check(definition: ExtensionDefinition): void {
    if (this.chooses(definition)) moduleOf(definition);
  }

  /** Throws `NOT_FOUND` for a name that is none of `known`. */
  checkNames(known: Iterable<ExtensionDefinition>): void {
    if (this.#chosen === 'all') return;
    const all = [...known];
    for (const wanted of this.#chosen) {
      const isKnown = all.some(({ id, name }) => wanted === name || tryParseGuid(wanted) === id);
      if (isKnown) continue;
      throw new ExtSwitchError(
        'NOT_FOUND',
        `isolate: no extension is named ${JSON.stringify(wanted)}; there are ${all.map(({ name }) => name).join(', ') || 'none'}`,
        { member: 'isolate', found: wanted },
      );
    }
  }

  /** `attach` of a definition, in its worker when it is isolated. */
  attach(definition: ExtensionDefinition, sw: SwitchContext): ExtensionHandlers {
    if (!this.chooses(definition)) return definition.attach(sw);
    return this.#entry(definition).extension.attach(sw);
  }

  /** Has its worker loaded, so that attaching it need not wait. */
  async prepare(definition: ExtensionDefinition): Promise<void> {
    if (!this.chooses(definition)) return;
    const { extension } = this.#entry(definition);
    if (this.#sleeps) extension.waitReady();
    else await extension.prepare();
  }

  counts(definition: ExtensionDefinition): IsolationCounts | undefined {
    if (!this.chooses(definition)) return undefined;
    const entry = this.#entries.get(definition.id);
    const { restarts = 0, watchdogKills = 0, memoryKills = 0, exits = 0 } = entry ?? {};
    return { restarts, watchdogKills, memoryKills, exits };
  }

  /** Of all extensions, as counters of the world. */
  totals(): Readonly<Record<string, number>> {
    const sum = (what: keyof IsolationCounts): number =>
      [...this.#entries.values()].reduce((total, entry) => total + entry[what], 0);
    return {
      isolated_restarts_total: sum('restarts'),
      isolated_watchdog_kills_total: sum('watchdogKills'),
      isolated_memory_kills_total: sum('memoryKills'),
      isolated_exits_total: sum('exits'),
    };
  }

  /** It was detached and attached anew. */
  restarted({ id }: ExtensionDefinition): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.restarts += 1;
  }

  #entry(definition: ExtensionDefinition): Entry {
    if (this.#isClosed) {
      throw new ExtSwitchError('SHUTTING_DOWN', `the world of ${definition.name} is closed`);
    }
    const known = this.#entries.get(definition.id);
    if (known !== undefined) return known;
    const { name } = definition;
    const extension = new IsolatedExtension(definition, this.limits, {
      ended: (reason, message) => {
        count(entry, reason);
        this.#crashed({ definition, isEnded: true, message: `${name} ${message}` });
      },
      stray: (message) => this.#crashed({ definition, isEnded: false, message }),
    });
    const entry: Entry = { extension, restarts: 0, watchdogKills: 0, memoryKills: 0, exits: 0 };
    this.#entries.set(definition.id, entry);
    return entry;
  }

  /** Ends all workers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closing = [...this.#entries.values()].map(({ extension }) => extension.close());
    if (!this.#sleeps) await Promise.all(closing);
  }
}

function count(entry: Entry, reason: EndReason): void {
  if (reason === 'watchdog') entry.watchdogKills += 1;
  else if (reason === 'memory') entry.memoryKills += 1;
  else if (reason === 'exit') entry.exits += 1;
}
