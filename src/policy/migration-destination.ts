import { drive, type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { RestoreReport, VmState } from './api.ts';
import type {
  CompatibilityReport,
  MigrationDocument,
  MigrationMapping,
  MigrationPeer,
  PortableRecord,
  SupersededCopy,
} from './migration-api.ts';
import { Arrival, write } from './migration-arrival.ts';
import { askedProblems, namesTaken, reportOf, staticProblems } from './migration-compare.ts';
import { migrationKey, putMigration } from './migration-records.ts';
import { skeletonOf, type TypedSettings } from './migration-skeleton.ts';
import type { ArrivalState } from './migration-states.ts';
import { takeAway } from './migration-superseded.ts';
import { readAfterTravel } from './opaque-policies.ts';
import { remove } from './records.ts';
import type { VmEntry } from './vm-entry.ts';
import type { World } from './world.ts';

/** Answers that sources may still ask for, of migrations that came to nothing. */
const TOMBSTONES = 1000;

/** This world as a host that VMs are migrated to (S12). Messages of one migration follow each other. */
export class Destination implements MigrationPeer {
  readonly host: string;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.host = world.name;
  }

  async compare(
    document: MigrationDocument,
    switches: MigrationMapping,
  ): Promise<CompatibilityReport> {
    this.#mustBeOpen();
    return this.#world.changes.run(undefined, () =>
      drive(compared(this.#world, document, switches)),
    );
  }

  async prepare(
    migration: Guid,
    document: MigrationDocument,
    switches: MigrationMapping,
  ): Promise<CompatibilityReport> {
    this.#mustBeOpen();
    const world = this.#world;
    const known = world.arrivals.get(migration);
    const arrival = known ?? new Arrival(migration, document.vm, world.nextOrder());
    if (known === undefined) world.arrivals.set(migration, arrival);
    return this.#turn(arrival, () => this.#prepare(arrival, document, switches));
  }

  *#prepare(
    arrival: Arrival,
    document: MigrationDocument,
    switches: MigrationMapping,
  ): Steps<CompatibilityReport> {
    const world = this.#world;
    const prepared = arrival.next('prepare');
    if (arrival.state !== 'unknown') return reportOf([]);
    try {
      // The first thing that stands against it ends it (S12 step 1).
      const typed: TypedSettings = new Map();
      const problems = staticProblems(world, document, switches, false, typed);
      let skeleton: VmEntry | undefined;
      if (reportOf(problems).ok) {
        skeleton = skeletonOf(world, document, switches, false, typed);
        problems.push(...(yield* askedProblems(world, skeleton, true)));
        // A name that was taken while the extensions were asked.
        if (reportOf(problems).ok) namesTaken(world, document, problems);
      }
      const report = reportOf(problems);
      if (!report.ok) {
        this.#forget(arrival);
        return report;
      }
      arrival.document = document;
      arrival.switches = switches;
      yield* arrival.open(world, skeleton);
      this.#mustBeCurrent(arrival);
      yield* settled(write(world, [putMigration(arrival.id, arrival.record('prepared'))]));
      arrival.state = prepared;
      return report;
    } catch (error) {
      yield* arrival.drop(world);
      this.#forget(arrival);
      throw error;
    }
  }

  async take(
    migration: Guid,
    records: ReadonlyMap<Guid, readonly PortableRecord[]>,
    state: VmState,
  ): Promise<RestoreReport> {
    this.#mustBeOpen();
    const world = this.#world;
    const arrival = world.arrivals.get(migration);
    if (arrival === undefined) throw unknownMigration(migration, this.host);
    const taken = await this.#turn(arrival, () => this.#take(arrival, records, state));
    // A class may have been registered while its policies were on their way.
    const vm = world.vms.get(arrival.vm.id);
    if (vm !== undefined) readAfterTravel(world, vm, Promise.resolve());
    world.events.add(world.clock.now(), 'state', undefined, {
      event: 'vmArrived',
      migration,
      vm: arrival.vm.name,
      id: arrival.vm.id,
      state,
    });
    return taken;
  }

  *#take(
    arrival: Arrival,
    records: ReadonlyMap<Guid, readonly PortableRecord[]>,
    state: VmState,
  ): Steps<RestoreReport> {
    arrival.next('take');
    if (arrival.state === 'taken' && arrival.restore !== undefined) return arrival.restore;
    try {
      this.#mustBeCurrent(arrival);
      return yield* arrival.take(this.#world, records, state);
    } catch (error) {
      // Nothing of it stays, and it is not tried again (OP-17): the source takes its VM back.
      yield* this.#abandon(arrival);
      throw error;
    }
  }

  async abandon(migration: Guid): Promise<void> {
    this.#mustBeOpen();
    const arrival = this.#known(migration);
    return this.#turn(arrival, () => this.#abandon(arrival));
  }

  /** Also one that was never heard of: a message that comes late is to be refused. */
  #known(migration: Guid): Arrival {
    const { arrivals } = this.#world;
    const known = arrivals.get(migration);
    if (known !== undefined) return known;
    const arrival = new Arrival(migration, { id: migration, name: '' }, this.#world.nextOrder());
    arrivals.set(migration, arrival);
    return arrival;
  }

  *#abandon(arrival: Arrival): Steps<void> {
    const world = this.#world;
    if (arrival.next('abandon') !== 'abandoned' || arrival.state === 'abandoned') return;
    yield* arrival.drop(world);
    this.#mustBeCurrent(arrival);
    yield* settled(write(world, [putMigration(arrival.id, arrival.record('abandoned'))]));
    arrival.state = 'abandoned';
    arrival.document = undefined;
    yield* this.#trim();
  }

  async supersede(migration: Guid): Promise<SupersededCopy> {
    this.#mustBeOpen();
    const world = this.#world;
    const arrival = this.#known(migration);
    const { state } = arrival;
    const found = await this.#turn(arrival, () => this.#supersede(arrival));
    if (state === 'taken') {
      world.events.add(world.clock.now(), 'state', undefined, {
        event: 'vmSuperseded',
        migration,
        vm: arrival.vm.name,
        id: arrival.vm.id,
        ...found,
      });
    }
    return found;
  }

  *#supersede(arrival: Arrival): Steps<SupersededCopy> {
    const world = this.#world;
    const next = arrival.next('supersede');
    if (arrival.state === next) return arrival.found ?? { copy: 'none' };
    let found: SupersededCopy = { copy: 'none' };
    if (arrival.state === 'taken') found = yield* takeAway(world, arrival);
    else yield* arrival.drop(world);
    this.#mustBeCurrent(arrival);
    arrival.found = found;
    // What was taken away is written, with this.
    if (found.copy !== 'kept') {
      yield* settled(write(world, [putMigration(arrival.id, arrival.record('superseded'))]));
    }
    arrival.state = next;
    arrival.document = undefined;
    return found;
  }

  async outcome(migration: Guid): Promise<ArrivalState> {
    this.#mustBeOpen();
    const arrival = this.#world.arrivals.get(migration);
    if (arrival === undefined) return 'unknown';
    return arrival.queue.run(() => arrival.state);
  }

  async forget(migration: Guid): Promise<void> {
    this.#mustBeOpen();
    const arrival = this.#world.arrivals.get(migration);
    if (arrival?.state !== 'taken') return;
    await this.#turn(arrival, () => this.#erase(arrival));
  }

  *#erase(arrival: Arrival): Steps<void> {
    yield* settled(write(this.#world, [remove(migrationKey(arrival.id))]));
    this.#forget(arrival);
  }

  /** The oldest answers that nobody has asked for since. */
  *#trim(): Steps<void> {
    const { arrivals } = this.#world;
    if (arrivals.size <= TOMBSTONES) return;
    for (const [id, { state, kept }] of arrivals) {
      if ((state !== 'abandoned' && state !== 'superseded') || kept !== undefined) continue;
      arrivals.delete(id);
      yield* settled(write(this.#world, [remove(migrationKey(id))]));
      return;
    }
  }

  #forget(arrival: Arrival): void {
    const { arrivals } = this.#world;
    if (arrivals.get(arrival.id) === arrival) arrivals.delete(arrival.id);
  }

  #turn<T>(arrival: Arrival, steps: () => Steps<T>): MaybePromise<T> {
    return this.#world.changes.run(undefined, () => arrival.queue.run(() => drive(steps())));
  }

  #mustBeOpen(): void {
    if (!this.#world.isClosed) return;
    throw new ExtSwitchError('SHUTTING_DOWN', `host ${JSON.stringify(this.host)} is closed`);
  }

  /** The world may have been emptied while an extension held the request. */
  #mustBeCurrent(arrival: Arrival): void {
    this.#mustBeOpen();
    if (this.#world.arrivals.get(arrival.id) === arrival) return;
    throw unknownMigration(arrival.id, this.host);
  }
}

/** The report: tables first, then the extensions are asked about all that can be asked. */
function* compared(
  world: World,
  document: MigrationDocument,
  switches: MigrationMapping,
): Steps<CompatibilityReport> {
  const problems = staticProblems(world, document, switches);
  const asked = yield* askedProblems(world, skeletonOf(world, document, switches, true), false);
  return reportOf([...problems, ...asked]);
}

function unknownMigration(id: Guid, host: string): ExtSwitchError {
  return new ExtSwitchError(
    'NOT_FOUND',
    `host ${JSON.stringify(host)} has prepared no migration ${id}`,
    {
      found: id,
    },
  );
}
