import { ExtSwitchError } from '../core/errors.ts';
import type {
  BehaviourOptions,
  FabricInterface,
  FabricOptions,
  IsolationOptions,
  IsolationSettings,
  ProfileName,
  VerifierMode,
} from '../policy/api.ts';
import type { FaultRuleOptions } from '../policy/faults-api.ts';
import type { SpokenFaults } from './fault-words.ts';
import { IdempotencyCache } from './idempotency.ts';

/** One world and what the plane keeps beside it. */
export interface World {
  readonly name: string;
  readonly fabric: FabricInterface;
  /** `memory`, or the engine and place of the default world. */
  readonly store: string;
  readonly verifier: VerifierMode;
  readonly idempotency: IdempotencyCache;
  readonly spokenFaults: SpokenFaults;
  /** Ends an event stream each; called when the world goes away. */
  readonly streams: Set<() => void>;
}

/** World as `GET /v1/worlds` shows it. */
export interface WorldInfo {
  readonly name: string;
  readonly seed: string;
  readonly profile: ProfileName;
  readonly store: string;
  readonly verifier: VerifierMode;
  /** Left out: no extension runs in a worker thread. */
  readonly isolate?: IsolationSettings;
}

export interface WorldsOptions {
  /** The world `default`. */
  readonly main: FabricInterface;
  /** Engine and place of the default world's store, for people. */
  readonly mainStore: string;
  /** How extensions of the default world are verified, and of a world that does not say; default `off`. */
  readonly verifier?: VerifierMode;
  /** Makes a memory world; the server's extensions, and the verifier, are the opener's business. */
  readonly open: (options: FabricOptions, verifier: VerifierMode) => Promise<FabricInterface>;
  /** Worlds beside `default`, 0 to 100,000; default 1,000. */
  readonly limit?: number;
}

export const DEFAULT_WORLD = 'default';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The named worlds of a server. `default` is given and stays; the others are memory worlds made over HTTP. */
export class Worlds {
  readonly main: World;
  readonly #open: WorldsOptions['open'];
  readonly #limit: number;
  readonly #verifier: VerifierMode;
  readonly #byName = new Map<string, World>();
  /** Names being opened, so that two creations at once cannot both win. */
  readonly #opening = new Set<string>();
  #lastNumber = 0;
  #closed = false;

  constructor(options: WorldsOptions) {
    this.#verifier = options.verifier ?? 'off';
    this.main = makeWorld(DEFAULT_WORLD, options.main, options.mainStore, this.#verifier);
    this.#open = options.open;
    this.#limit = options.limit ?? 1_000;
    this.#byName.set(DEFAULT_WORLD, this.main);
  }

  get count(): number {
    return this.#byName.size;
  }

  /** Throws `NOT_FOUND`. */
  get(name: string): World {
    const world = this.#byName.get(name);
    if (world === undefined) {
      throw new ExtSwitchError('NOT_FOUND', `there is no world ${JSON.stringify(name)}`);
    }
    return world;
  }

  list(): Iterable<World> {
    return this.#byName.values();
  }

  /** Throws `INVALID_ARGUMENT` (name), `ALREADY_EXISTS`, `FORBIDDEN` (limit), `SHUTTING_DOWN`. */
  async create(input: {
    readonly name?: string;
    readonly seed?: string;
    readonly profile?: ProfileName;
    readonly scheduling?: FabricOptions['scheduling'];
    readonly behaviour?: BehaviourOptions;
    readonly verifier?: VerifierMode;
    readonly isolate?: IsolationOptions;
    readonly faults?: readonly FaultRuleOptions[];
  }): Promise<World> {
    const verifier = input.verifier ?? this.#verifier;
    const open = (name: string): Promise<FabricInterface> =>
      this.#open(
        {
          name,
          store: 'memory',
          ...(input.seed === undefined ? {} : { seed: input.seed }),
          ...(input.profile === undefined ? {} : { profile: input.profile }),
          ...(input.scheduling === undefined ? {} : { scheduling: input.scheduling }),
          ...(input.behaviour === undefined ? {} : { behaviour: input.behaviour }),
          ...(input.isolate === undefined ? {} : { isolate: input.isolate }),
          ...(input.faults === undefined ? {} : { faults: { rules: input.faults } }),
        },
        verifier,
      );
    return this.#add(input.name, verifier, open);
  }

  /** A world that begins as a snapshot of another one. Throws what {@link create} throws, and `NOT_FOUND`, `ILLEGAL_TRANSITION`. */
  async fork(source: World, snapshot: string, name: string | undefined): Promise<World> {
    return this.#add(name, source.verifier, (free) =>
      source.fabric.snapshots.fork(snapshot, { name: free }),
    );
  }

  async #add(
    wanted: string | undefined,
    verifier: VerifierMode,
    open: (name: string) => Promise<FabricInterface>,
  ): Promise<World> {
    if (this.#closed) throw new ExtSwitchError('SHUTTING_DOWN', 'the server is shutting down');
    const name = wanted ?? this.#freeName();
    if (!NAME.test(name)) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `world name ${JSON.stringify(name)} is not 1 to 64 letters, digits, ".", "_", "-" that begin with a letter or digit`,
        { member: 'name', expected: String(NAME), found: name },
      );
    }
    if (this.#byName.has(name) || this.#opening.has(name)) {
      throw new ExtSwitchError('ALREADY_EXISTS', `world ${JSON.stringify(name)} already exists`);
    }
    if (this.#byName.size - 1 + this.#opening.size >= this.#limit) {
      throw new ExtSwitchError(
        'FORBIDDEN',
        `this server holds at most ${this.#limit} worlds beside "default": delete one first`,
      );
    }
    this.#opening.add(name);
    try {
      const fabric = await open(name);
      if (this.#closed) {
        await fabric.close();
        throw new ExtSwitchError('SHUTTING_DOWN', 'the server is shutting down');
      }
      const world = makeWorld(name, fabric, 'memory', verifier);
      this.#byName.set(name, world);
      return world;
    } finally {
      this.#opening.delete(name);
    }
  }

  /** Ends the world's event streams and closes it. Throws `NOT_FOUND`, and `FORBIDDEN` for `default`. */
  async delete(name: string): Promise<void> {
    const world = this.get(name);
    if (world === this.main) {
      throw new ExtSwitchError('FORBIDDEN', 'the world "default" cannot be deleted: reset it');
    }
    this.#byName.delete(name);
    endStreams(world);
    await world.fabric.close();
  }

  /** Ends every event stream; part of shutting down. */
  endStreams(): void {
    for (const world of this.#byName.values()) endStreams(world);
  }

  /** Closes every world, `default` last. Idempotent; the first error is thrown after all were tried. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.endStreams();
    const worlds = [...this.#byName.values()].reverse();
    const results = await Promise.allSettled(worlds.map((world) => world.fabric.close()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #freeName(): string {
    for (;;) {
      this.#lastNumber += 1;
      const name = `world-${this.#lastNumber}`;
      if (!this.#byName.has(name) && !this.#opening.has(name)) return name;
    }
  }
}

export function worldInfo(world: World): WorldInfo {
  const { isolate } = world.fabric;
  return {
    name: world.name,
    seed: world.fabric.seed,
    profile: world.fabric.profile,
    store: world.store,
    verifier: world.verifier,
    ...(isolate === undefined ? {} : { isolate }),
  };
}

function makeWorld(
  name: string,
  fabric: FabricInterface,
  store: string,
  verifier: VerifierMode,
): World {
  const idempotency = new IdempotencyCache();
  return {
    name,
    fabric,
    store,
    verifier,
    idempotency,
    spokenFaults: new Map(),
    streams: new Set(),
  };
}

function endStreams(world: World): void {
  for (const end of [...world.streams]) end();
  world.streams.clear();
}
