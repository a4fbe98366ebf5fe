import { ExtSwitchError } from '../core/errors.ts';
import type { StoreOp } from '../store/store.ts';
import type { MigrationPeer } from './migration-api.ts';
import { write } from './migration-arrival.ts';
import type { Departure } from './migration-departure.ts';
import { documentOf } from './migration-document.ts';
import { incompatible } from './migration-error.ts';
import { ATTEMPTS, Interrupted, MigrationLink } from './migration-link.ts';
import { putMigration, recordsOf, storedData } from './migration-records.ts';
import { handOver, reclaim, release, tellSuperseded } from './migration-ruling.ts';
import { disconnect, fallBack, forgetVm, leave, saveForTravel, takeBack } from './migration-vm.ts';
import { put, vmKey } from './records.ts';
import { type VmEntry, vmRecord } from './vm-entry.ts';
import { type Footings, footings } from './vm-power.ts';
import { savedData, savedOps } from './vm-saved-data.ts';
import type { World } from './world.ts';

/** What the destination says, or a person: whose it is. */
type Decision = 'taken' | 'abandoned' | 'source' | 'destination';

/**
 * The source's half of a migration (S11). What is durable at each moment decides who owns the VM (migration-states.ts): until the
 * destination has answered `taken` it is this host, which goes back to running with everything.
 */
export class MigrationSource {
  readonly #world: World;
  readonly #departure: Departure;
  readonly #vm: VmEntry;
  readonly #link: MigrationLink;
  /** What the connections were. */
  #was: Footings = new Map();

  constructor(world: World, departure: Departure, vm: VmEntry) {
    this.#world = world;
    this.#link = new MigrationLink(world, departure, vm);
    this.#departure = departure;
    this.#vm = vm;
  }

  /** From the beginning to the end; never throws. */
  async run(peer: MigrationPeer): Promise<void> {
    await this.#guarded(async () => {
      try {
        await this.#leave(peer);
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        this.#link.mustBeCurrent();
        this.#departure.fail(error);
        if (this.#departure.state === 'preparing') return this.#cancel();
        return this.#settle();
      }
      await this.#finish();
    });
  }

  /** What a process that ended in the middle has left: `was` is what the store says the connections were. */
  async resume(was: Footings): Promise<void> {
    this.#was = was;
    await this.#guarded(async () => {
      const { state } = this.#departure;
      if (state === 'handing') return this.#settle();
      if (state === 'reclaimed') return tellSuperseded(this.#link);
      if (state === 'released') return handOver(this.#link);
      this.#departure.fail(cutOff());
      return this.#cancel();
    });
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    const departure = this.#departure;
    // Of this migration: when it only has something left to tell, the VM may be on its way again.
    const { travel } = this.#vm;
    try {
      await work();
    } catch (error) {
      // After a reset nothing is left to decide: what was prepared there is told so, what was taken stays.
      if (!this.#world.isClosed)
        void this.#link
          .peer()
          ?.abandon(departure.id)
          .catch(() => undefined);
      if (!(error instanceof Interrupted)) {
        this.#world.log('error', `migration ${departure.id} was cut off`, { error: String(error) });
      }
    } finally {
      travel?.end(this.#vm);
      departure.interrupt();
    }
  }

  // --- S11 step by step ---------------------------------------------------------------------------------------------------

  async #leave(peer: MigrationPeer): Promise<void> {
    const world = this.#world;
    const departure = this.#departure;
    const vm = this.#vm;
    const { id } = departure;
    departure.begin('compare');
    // Durable after everything acknowledged before it: what travels is never taken back here (store.ts).
    await this.#write(putMigration(id, departure.record('preparing')));
    const report = await this.#prepare(peer);
    this.#link.mustBeCurrent();
    departure.report = report;
    departure.begin('save');
    const state = vm.state;
    this.#was = footings(vm);
    const data = await this.#link.inTurn(() => saveForTravel(world, vm));
    departure.handed = { vmState: state, data: storedData(data) };
    // Rule G38: only now, and from here on the data hangs on no process.
    await this.#write(putMigration(id, departure.record('handing')));
    departure.state = departure.next('saved');
    departure.begin('release');
    await this.#link.inTurn(() => disconnect(vm));
    departure.begin('take');
    departure.restore = await peer.take(id, recordsOf(departure.handed.data), state);
    this.#link.mustBeCurrent();
  }

  /** S12 steps 1-3, in one message: the first step that failed tells how far it came. */
  async #prepare(peer: MigrationPeer): ReturnType<MigrationPeer['prepare']> {
    const departure = this.#departure;
    const { id, destination } = departure;
    const document = documentOf(this.#world, this.#vm);
    const switches = mappingOf(document.vm.adapters, destination.switch);
    let report: Awaited<ReturnType<MigrationPeer['prepare']>>;
    try {
      report = await peer.prepare(id, document, switches);
    } catch (error) {
      departure.begin('validate');
      departure.begin('prepare');
      throw error;
    }
    const isAsked = report.problems.some(
      ({ code, severity, ndisStatus }) =>
        severity === 'error' && ndisStatus !== undefined && /^(PROPERTY|PORT)_REFUSED$/.test(code),
    );
    if (report.ok || isAsked) departure.begin('validate');
    if (!report.ok) {
      departure.report = report;
      throw incompatible(this.#vm.name, peer.host, report);
    }
    departure.begin('prepare');
    return report;
  }

  /** The VM has never left. What was prepared there is told so, again and again if need be; the VM does not wait for it. */
  async #cancel(): Promise<void> {
    const departure = this.#departure;
    const vm = this.#vm;
    await this.#link.inTurn(() => fallBack(this.#world, vm, this.#was));
    if (departure.state === 'preparing') departure.state = departure.next('refuse');
    departure.begin('undo');
    await this.#link.tried(putMigration(departure.id, departure.record('cancelling')));
    vm.travel?.end(vm);
    await this.#decided(() => {
      departure.end();
    });
    departure.succeed();
    departure.state = departure.next('settled');
    departure.end();
    await this.#link.tried(putMigration(departure.id, departure.record('failed')));
  }

  /** Somewhere between the save and the answer: the destination says who owns the VM. */
  async #settle(): Promise<void> {
    const { travel } = this.#vm;
    const { host } = this.#departure;
    const outcome = await this.#decided(() => {
      if (travel !== undefined) travel.undecided = `host ${JSON.stringify(host)} does not answer`;
    });
    if (travel !== undefined) travel.undecided = undefined;
    if (outcome === 'source') return reclaim(this.#link, this.#was);
    if (outcome === 'destination') return release(this.#link);
    // What a person has decided meanwhile is decided otherwise by the one who knows.
    this.#departure.ruling = undefined;
    return outcome === 'taken' ? this.#finish() : this.#back();
  }

  /** It is there: nothing of it stays here (G39). */
  async #finish(): Promise<void> {
    const world = this.#world;
    const departure = this.#departure;
    const vm = this.#vm;
    const { id } = departure;
    // Only the answer was lost: it is given again.
    departure.restore ??= await this.#link
      .peer()
      ?.take(id, new Map(), departure.handed.vmState ?? 'off')
      .catch(() => undefined);
    departure.error = undefined;
    departure.steps = departure.steps.map((step) =>
      step.state === 'failed' ? { name: step.name, state: 'succeeded' } : step,
    );
    departure.begin('finish');
    const ops = await this.#link.inTurn(() => leave(world, vm, departure.host));
    departure.succeed();
    departure.state = departure.next('taken');
    await this.#link.insist([...ops, putMigration(id, departure.record('succeeded'))]);
    forgetVm(world, vm);
    departure.end();
    await world.farewells.tell(id, departure.host);
  }

  /** It is not: the same ports, policies and NICs as before, and each its own run-time data back. */
  async #back(): Promise<void> {
    const world = this.#world;
    const departure = this.#departure;
    const vm = this.#vm;
    const { vmState = vm.state, data = [] } = departure.handed;
    departure.fail(cutOff());
    departure.begin('undo');
    const before = savedData(vm);
    await this.#link.inTurn(() => takeBack(world, vm, this.#was, vmState, recordsOf(data)));
    departure.succeed();
    departure.state = departure.next('abandoned');
    await this.#link.insist([
      put(vmKey(vm.id), vmRecord(vm)),
      ...savedOps(vm, before),
      putMigration(departure.id, departure.record('failed')),
    ]);
    departure.end();
  }

  /**
   * Behind every change of the VM so far; the turn is given back while the store works, since what is undone when it fails needs it
   * before this write is told so.
   */
  async #write(op: StoreOp): Promise<void> {
    const { durable } = await this.#link.atTurn(() => ({ durable: write(this.#world, [op]) }));
    await durable;
  }

  /**
   * Tells the destination to let go and hears what it says then: it cannot take the VM any more, or it has. Waits for one that
   * does not answer, and `waiting` is called then, unless a person decides.
   */
  async #decided(waiting: () => void): Promise<Decision> {
    const departure = this.#departure;
    const { id, host } = departure;
    for (let attempt = 1; ; attempt += 1) {
      this.#link.mustBeCurrent();
      if (departure.ruling !== undefined) return departure.ruling.owner;
      const peer = this.#link.peer();
      let why = 'it is not there';
      try {
        await peer?.abandon(id);
        const outcome = await peer?.outcome(id);
        this.#link.mustBeCurrent();
        if (outcome === 'taken' || outcome === 'abandoned') return outcome;
        // What a person has decided here, of which this host's disk knows nothing any more.
        if (outcome === 'superseded') return 'abandoned';
        if (outcome !== undefined) why = `it says ${outcome}`;
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        why = String(error);
      }
      if (attempt < ATTEMPTS) continue;
      departure.note(`waiting for host ${JSON.stringify(host)}: ${why}`);
      waiting();
      await this.#link.wait();
    }
  }
}

/** `destination.switch` is for every adapter. */
export function mappingOf(
  adapters: readonly { readonly switch?: { readonly name: string } }[],
  wanted: string | undefined,
): Record<string, string> {
  const mapping: Record<string, string> = {};
  if (wanted === undefined) return mapping;
  for (const { switch: on } of adapters) {
    if (on !== undefined) mapping[on.name] = wanted;
  }
  return mapping;
}

function cutOff(): ExtSwitchError {
  return new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    'the migration was cut off before the destination had taken the VM',
    { rule: 'G39' },
  );
}
