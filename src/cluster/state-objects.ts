import { randomUUID } from 'node:crypto';
import { ExtSwitchError } from '../core/errors.ts';
import { ObjectBytes } from './object-bytes.ts';
import type { ClusterSession } from './session.ts';
import { pause } from './stream-reads.ts';

/** Loaded, or taken back, at a time. */
const PARALLEL = 16;
/** For each answer of a server; whoever keeps an object tries again under another name. */
const ANSWER_MS = 3_000;
/** A leader that has just become one may not show yet what it has. */
const ABSENT_MS = 2_000;
const ABSENT_RETRY_MS = 150;

/**
 * Values and commits that are not in a message, of one host: objects with names that were never used before, so that a
 * name says what is in it for ever.
 */
export class StateObjects {
  readonly #objects: ObjectBytes;
  readonly #host: string;
  /** Of the process; names begin with host and epoch. */
  #epoch = 0;
  readonly #process = randomUUID();
  #count = 0;
  readonly #answerMs: number;
  /** For people. */
  readonly place: string;
  /** What is being removed, so that closing may wait. */
  readonly #removals = new Set<Promise<void>>();

  constructor(session: ClusterSession, host: string) {
    const { jetstream, manager, address } = session;
    this.place = session.bucketName('state');
    this.#objects = new ObjectBytes(jetstream, manager, this.place);
    this.#host = host;
    this.#answerMs = Math.min(ANSWER_MS, address.writeTimeoutMs);
  }

  /** The process has become the host: names say its epoch from now on. */
  begin(epoch: number): void {
    this.#epoch = epoch;
  }

  /**
   * Stores bytes under a new name. Throws what the client throws; what is left then is removed in the background, or by a later
   * {@link sweep}.
   */
  async keep(bytes: Uint8Array): Promise<string> {
    const name = `${this.#host}/${this.#epoch}.${this.#process}.${this.#count++}`;
    try {
      await this.#objects.put(name, idOf(name), bytes, this.#answerMs);
    } catch (cause) {
      this.remove([name]);
      throw cause;
    }
    return name;
  }

  /**
   * The bytes of object `name`; `STORE_CORRUPT` naming `what` when it is not there. Until `deadline` (of `performance.now`), then what
   * the client throws.
   */
  async load(name: string, what: string, deadline: number): Promise<Uint8Array> {
    const absentAt = performance.now() + ABSENT_MS;
    for (;;) {
      const bytes = await this.#objects.get(name, deadline);
      if (bytes !== undefined) return bytes;
      if (performance.now() >= absentAt) break;
      await pause(ABSENT_RETRY_MS);
    }
    throw new ExtSwitchError(
      'STORE_CORRUPT',
      `the store in ${this.place} is damaged: ${what}: expected object ${name}, found none`,
      { expected: name, found: 'no such object' },
    );
  }

  /** Removes objects in the background; what fails is an orphan for the next {@link sweep}. */
  remove(names: readonly string[]): void {
    for (const name of names) {
      const removal = this.#objects
        .remove(name, idOf(name))
        .catch(() => undefined)
        .finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
  }

  /**
   * Removes what processes before left of this host's objects, but `used`; of one whose storing was cut off, its parts. Those of
   * later epochs are no orphans, whoever this process thinks is the host.
   */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    const prefix = `${this.#host}/`;
    const found = new Set<string>();
    for (const name of await this.#objects.names()) if (name.startsWith(prefix)) found.add(name);
    for (const id of await this.#objects.ids(this.#host)) found.add(nameOf(id));
    const orphans = [...found].filter(
      (name) => !used.has(name) && Number.parseInt(name.slice(prefix.length), 10) < this.#epoch,
    );
    await inParallel(orphans, (name) => this.#objects.remove(name, idOf(name)));
  }

  /** Resolves when what was to be removed is. */
  async idle(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }
}

/** Tokens of the subject of an object's parts: `a.3.<process>.<count>` of `a/3.<process>.<count>`. */
function idOf(name: string): string {
  return name.replace('/', '.');
}

function nameOf(id: string): string {
  return id.replace('.', '/');
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
