import { randomUUID } from 'node:crypto';
import { ExtSwitchError } from '../core/errors.ts';
import type { ClusterSession } from './session.ts';
import { retried } from './stream-reads.ts';

/** Loaded, or taken back, at a time. */
const PARALLEL = 16;

/**
 * Values and commits that are not in a message, of one host: objects with names that were never used before, so that a
 * name says what is in it for ever.
 */
export class StateObjects {
  readonly #session: ClusterSession;
  readonly #prefix: string;
  /** Of the process; names begin with host and epoch. */
  #epoch = 0;
  readonly #process = randomUUID();
  #count = 0;
  readonly #stream: string;
  /** For people. */
  readonly place: string;
  /** What is being removed, so that closing may wait. */
  readonly #removals = new Set<Promise<void>>();

  constructor(session: ClusterSession, host: string) {
    this.#session = session;
    this.#prefix = `${host}/`;
    this.place = session.bucketName('state');
    this.#stream = `OBJ_${this.place}`;
  }

  /** The process has become the host: names say its epoch from now on. */
  begin(epoch: number): void {
    this.#epoch = epoch;
  }

  /** Stores bytes under a new name. Throws what the client throws; nothing is left then, or an orphan for {@link sweep}. */
  async keep(bytes: Uint8Array): Promise<string> {
    const name = `${this.#prefix}${this.#epoch}.${this.#process}.${this.#count++}`;
    const timeout = this.#session.address.writeTimeoutMs;
    // Of a bucket that is full the client may wait for an answer that has come and was a refusal.
    const deadline = performance.now() + timeout;
    const kept = await until(deadline, this.#session.objects.putBlob({ name }, bytes, { timeout }));
    if (kept === undefined) throw new Error(`no answer within ${timeout} ms`);
    return name;
  }

  /** The bytes of object `name`; `STORE_CORRUPT` naming `what` when it is not there. */
  async load(name: string, what: string, deadline: number): Promise<Uint8Array> {
    const read = () => this.#session.objects.getBlob(name);
    // The client waits for parts that are gone for ever.
    const bytes = await until(deadline, retried(deadline, read));
    if (bytes === undefined) {
      const message = `cannot read ${what}: object ${name} in ${this.place} does not come`;
      throw new ExtSwitchError('STORE_UNAVAILABLE', message);
    }
    if (bytes !== null) return bytes;
    throw new ExtSwitchError(
      'STORE_CORRUPT',
      `the store in ${this.place} is damaged: ${what}: expected object ${name}, found none`,
      { expected: name, found: 'no such object' },
    );
  }

  /** Removes objects in the background; what fails is an orphan for the next {@link sweep}. */
  remove(names: readonly string[]): void {
    for (const name of names) {
      const removal = this.#purge(name)
        .catch(() => undefined)
        .finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
  }

  /**
   * Removes what processes before left of this host's objects, but `used`. Those of later epochs are no orphans, whoever this process
   * thinks is the host.
   */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    const orphans: string[] = [];
    for (const { name, deleted } of await this.#session.objects.list()) {
      if (!name.startsWith(this.#prefix) || deleted || used.has(name)) continue;
      if (Number.parseInt(name.slice(this.#prefix.length), 10) < this.#epoch) orphans.push(name);
    }
    await inParallel(orphans, (name) => this.#purge(name));
  }

  /** Resolves when what was to be removed is. */
  async idle(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }

  /** The client's own deletion leaves a message for every name, for ever; these names never come back. */
  async #purge(name: string): Promise<void> {
    const { manager, objects } = this.#session;
    const info = await objects.info(name);
    if (info === null) return;
    const meta = Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    // The bytes first: cut short in between, the next sweep still finds the name.
    await manager.streams.purge(this.#stream, { filter: `$O.${this.place}.C.${info.nuid}` });
    await manager.streams.purge(this.#stream, { filter: `$O.${this.place}.M.${meta}` });
  }
}

/** Runs `work` for every item, {@link PARALLEL} at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) await work(items[i] as T);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker));
}

/** `undefined` when it takes longer than `deadline` (of `performance.now`). */
async function until<T>(deadline: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, deadline - performance.now()));
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
