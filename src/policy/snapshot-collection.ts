import { ExtSwitchError } from '../core/errors.ts';
import type { FabricInterface } from './api.ts';
import { pendingOids } from './pending.ts';
import type { SnapshotCollection, SnapshotInfo } from './sim-api.ts';
import { settle } from './sim-time.ts';
import { replaceCatalog, type Snapshot, takeSnapshot } from './snapshot.ts';
import { storeDifference } from './snapshot-difference.ts';
import type { World } from './world.ts';
import { restoreHost, stopWorld } from './world-life.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const LIMIT = 1_000;

/** What it takes from the fabric it is of. */
export interface SnapshotHost {
  readonly world: World;
  /** Time does not move by itself. */
  readonly isTimeStill: () => boolean;
  /** Throws inside an atomic change. */
  readonly notInside: (what: string) => void;
  readonly fork: (snapshot: Snapshot, name: string | undefined) => Promise<FabricInterface>;
}

/** The snapshots of one world, oldest first. */
export class Snapshots implements SnapshotCollection {
  readonly #host: SnapshotHost;
  readonly #byName: Map<string, Snapshot>;

  /** `byName` is shared by all handles of the world. */
  constructor(host: SnapshotHost, byName: Map<string, Snapshot>) {
    this.#host = host;
    this.#byName = byName;
  }

  list(): readonly SnapshotInfo[] {
    return Array.from(this.#byName.values(), ({ info }) => info);
  }

  get(name: string): SnapshotInfo {
    return this.#find(name).info;
  }

  #find(name: string): Snapshot {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    throw new ExtSwitchError('NOT_FOUND', `there is no snapshot ${JSON.stringify(name)}`, {
      member: 'snapshot',
      found: name,
    });
  }

  async create({ name }: { readonly name?: string } = {}): Promise<SnapshotInfo> {
    const { world, notInside } = this.#host;
    notInside('taking a snapshot');
    if (name !== undefined) this.#checkName(name);
    if (this.#byName.size >= LIMIT) {
      throw new ExtSwitchError(
        'FORBIDDEN',
        `this world has ${LIMIT} snapshots, and a world keeps no more: delete one first`,
      );
    }
    mayNotMove(world, 'a snapshot of the world');
    await this.#changesEnd();
    return world.changes.atomic(async () => {
      mayNotMove(world, 'a snapshot of the world');
      const free = name ?? this.#freeName();
      this.#checkName(free);
      const snapshot = takeSnapshot(world, free);
      this.#byName.set(free, snapshot);
      return snapshot.info;
    });
  }

  #checkName(name: string): void {
    if (!NAME.test(name)) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `snapshot name ${JSON.stringify(name)} is not 1 to 64 letters, digits, ".", "_", "-" that begin with a letter or digit`,
        { member: 'name', expected: String(NAME), found: name },
      );
    }
    if (!this.#byName.has(name)) return;
    throw new ExtSwitchError(
      'ALREADY_EXISTS',
      `a snapshot named ${JSON.stringify(name)} exists already`,
      { member: 'name', found: name },
    );
  }

  #freeName(): string {
    for (let number = 1; ; number += 1) {
      const name = `snapshot-${number}`;
      if (!this.#byName.has(name)) return name;
    }
  }

  /** A change that waits for an OID whose end waits for time that stands still would be waited for for ever. */
  async #changesEnd(): Promise<void> {
    const { world, isTimeStill } = this.#host;
    if (world.changes.active === 0 || !isTimeStill()) return;
    await settle(world);
    if (world.changes.active === 0) return;
    const [held] = pendingOids(world).filter(({ origin }) => origin === 'protocolEdge');
    const name = world.extensions.get(held?.heldBy ?? '')?.name ?? held?.heldBy;
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      held === undefined
        ? 'a change is under way and time stands still: let it end, then take the snapshot'
        : `${name} holds ${held.oid} (request ${held.request}) on switch ${held.switch} and time stands still: ` +
            'complete it, move time, or let time run, then take the snapshot',
      held === undefined ? {} : { oid: held.oid, extensionId: held.heldBy },
    );
  }

  async delete(name: string): Promise<void> {
    this.#find(name);
    this.#byName.delete(name);
  }

  async restore(name: string): Promise<SnapshotInfo> {
    const { world, notInside } = this.#host;
    notInside('restoring a snapshot');
    const snapshot = this.#find(name);
    mayNotMove(world, 'a snapshot restored');
    await restoreSnapshot(world, snapshot);
    return snapshot.info;
  }

  async fork(name: string, options: { readonly name?: string } = {}): Promise<FabricInterface> {
    this.#host.notInside('forking a snapshot');
    return this.#host.fork(this.#find(name), options.name);
  }
}

/** Which host has a VM hangs on both of them: one cannot go back alone. */
function mayNotMove(world: World, what: string): void {
  for (const { id, vm, host, isOver } of world.departures.values()) {
    if (!isOver) refuse(what, id, vm.name, `to host ${JSON.stringify(host)}`);
  }
  for (const { id, vm, state } of world.arrivals.values()) {
    if (state === 'prepared') refuse(what, id, vm.name, 'to this host');
  }
}

function refuse(what: string, id: string, vm: string, where: string): never {
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `${what} is not possible while VM ${vm} migrates ${where} (migration ${id}): wait for its end, or cancel it`,
    { found: id },
  );
}

async function restoreSnapshot(world: World, snapshot: Snapshot): Promise<void> {
  const before = { extensions: new Map(world.extensions), position: world.position };
  const { rules } = world.faults;
  // At once, so that nothing in flight keeps it waiting; again when it runs alone, for what came meanwhile.
  await stopWorld(world);
  let inverse: ReturnType<typeof storeDifference>['inverse'] = [];
  let isWritten = false;
  await world.changes.atomic(
    async (transaction) => {
      transaction.undos.push(() =>
        rules.without(async () => {
          await stopWorld(world);
          if (isWritten && inverse.length > 0) await world.store.write(inverse);
          replaceCatalog(world, before.extensions);
          await restoreHost(world);
          world.goTo(before.position);
        }),
      );
      await stopWorld(world);
      const difference = storeDifference(world.store, snapshot.store);
      ({ inverse } = difference);
      transaction.ops.push(...difference.ops);
    },
    async () => {
      isWritten = true;
      world.clearHistory();
      const { name } = snapshot.info;
      const fact = { event: 'snapshotRestored', snapshot: name };
      world.events.add(world.clock.now(), 'state', undefined, fact);
      replaceCatalog(world, snapshot.extensions);
      await rules.without(() => restoreHost(world));
      world.goTo(snapshot.position);
      rules.goTo(snapshot.faults);
    },
  );
}
