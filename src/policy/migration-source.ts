import { drive, type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { StoreOp } from '../store/store.ts';
import type { MigrationPeer, PortableRecord } from './migration-api.ts';
import { write } from './migration-arrival.ts';
import type { Departure } from './migration-departure.ts';
import { documentOf } from './migration-document.ts';
import { incompatible } from './migration-error.ts';
import { putMigration, type StoredData } from './migration-records.ts';
import { fallBack, forgetVm, leave, release, saveForTravel, takeBack } from './migration-vm.ts';
import { put, vmKey } from './records.ts';
import { type VmEntry, vmRecord } from './vm-entry.ts';
import { type Footings, footings } from './vm-power.ts';
import { savedData, savedOps } from './vm-saved-data.ts';
import type { World } from './world.ts';

/** Attempts before a host that does not answer, or a store that takes nothing, is waited for. */
const ATTEMPTS = 3;
/** Virtual milliseconds between attempts then. */
const RETRY_MS = 1000;

/** The world was emptied or closed in the middle: nothing is to be done here any more. */
class Interrupted extends Error {}

/**
 * The source's half of a migration (S11). What is durable at each moment decides who owns the VM (migration-states.ts): until the
 * destination has answered `taken` it is this host, which goes back to running with everything.
 */
export class MigrationSource {
  readonly #world: World;
  readonly #departure: Departure;
  readonly #vm: VmEntry;
  /** What the connections were. */
  #was: Footings = new Map();

  constructor(world: World, departure: Departure, vm: VmEntry) {
    this.#world = world;
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
        this.#mustBeCurrent();
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
      if (this.#departure.state === 'handing') return this.#settle();
      this.#departure.fail(cutOff());
      return this.#cancel();
    });
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    const departure = this.#departure;
    try {
      await work();
    } catch (error) {
      // After a reset nothing is left to decide: what was prepared there is told so, what was taken stays.
      if (!this.#world.isClosed)
        void this.#peer()
          ?.abandon(departure.id)
          .catch(() => undefined);
      if (!(error instanceof Interrupted)) {
        this.#world.log('error', `migration ${departure.id} was cut off`, { error: String(error) });
      }
    } finally {
      this.#vm.travel?.end(this.#vm);
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
    await this.#inTurn(() => this.#write([putMigration(id, departure.record('preparing'))]));
    const report = await this.#prepare(peer);
    this.#mustBeCurrent();
    departure.report = report;
    departure.begin('save');
    const state = vm.state;
    this.#was = footings(vm);
    const data = await this.#inTurn(() => saveForTravel(world, vm));
    departure.handed = { vmState: state, data: storedData(data) };
    // Rule G38: only now, and from here on the data hangs on no process.
    await this.#inTurn(() => this.#write([putMigration(id, departure.record('handing'))]));
    departure.state = departure.next('saved');
    departure.begin('release');
    await this.#inTurn(() => release(vm));
    departure.begin('take');
    departure.restore = await peer.take(id, recordsOf(departure.handed.data), state);
    this.#mustBeCurrent();
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
    await this.#inTurn(() => fallBack(this.#world, vm, this.#was));
    if (departure.state === 'preparing') departure.state = departure.next('refuse');
    departure.begin('undo');
    await this.#tried(putMigration(departure.id, departure.record('cancelling')));
    vm.travel?.end(vm);
    await this.#decided(() => {
      departure.isOver = true;
    });
    departure.succeed();
    departure.state = departure.next('settled');
    departure.isOver = true;
    await this.#tried(putMigration(departure.id, departure.record('failed')));
  }

  /** Somewhere between the save and the answer: the destination says who owns the VM. */
  async #settle(): Promise<void> {
    const { travel } = this.#vm;
    const { host } = this.#departure;
    const outcome = await this.#decided(() => {
      if (travel !== undefined) travel.undecided = `host ${JSON.stringify(host)} does not answer`;
    });
    if (travel !== undefined) travel.undecided = undefined;
    return outcome === 'taken' ? this.#finish() : this.#back();
  }

  /** It is there: nothing of it stays here (G39). */
  async #finish(): Promise<void> {
    const world = this.#world;
    const departure = this.#departure;
    const vm = this.#vm;
    const { id } = departure;
    // Only the answer was lost: it is given again.
    departure.restore ??= await this.#peer()
      ?.take(id, new Map(), departure.handed.vmState ?? 'off')
      .catch(() => undefined);
    departure.error = undefined;
    departure.steps = departure.steps.map((step) =>
      step.state === 'failed' ? { name: step.name, state: 'succeeded' } : step,
    );
    departure.begin('finish');
    const ops = await this.#inTurn(() => leave(world, vm, departure.host));
    departure.succeed();
    departure.state = departure.next('taken');
    await this.#insist([...ops, putMigration(id, departure.record('succeeded'))]);
    forgetVm(world, vm);
    departure.isOver = true;
    departure.handed = {};
    await this.#peer()
      ?.forget(id)
      .catch(() => undefined);
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
    await this.#inTurn(() => takeBack(world, vm, this.#was, vmState, recordsOf(data)));
    departure.succeed();
    departure.state = departure.next('abandoned');
    await this.#insist([
      put(vmKey(vm.id), vmRecord(vm)),
      ...savedOps(vm, before),
      putMigration(departure.id, departure.record('failed')),
    ]);
    departure.isOver = true;
    departure.handed = {};
  }

  // --- messages and writes that must come through ---------------------------------------------------------------------------

  /**
   * Tells the destination to let go and hears what it says then: it cannot take the VM any more, or it has. Waits for one that
   * does not answer; `waiting` is called then.
   */
  async #decided(waiting: () => void): Promise<'taken' | 'abandoned'> {
    const { id, host } = this.#departure;
    for (let attempt = 1; ; attempt += 1) {
      this.#mustBeCurrent();
      const peer = this.#peer();
      let why = 'it is not there';
      try {
        await peer?.abandon(id);
        const outcome = await peer?.outcome(id);
        this.#mustBeCurrent();
        if (outcome === 'taken' || outcome === 'abandoned') return outcome;
        if (outcome !== undefined) why = `it says ${outcome}`;
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        why = String(error);
      }
      if (attempt < ATTEMPTS) continue;
      this.#departure.note(`waiting for host ${JSON.stringify(host)}: ${why}`);
      waiting();
      await this.#wait();
    }
  }

  /** A write after which there is no way back. */
  async #insist(ops: readonly StoreOp[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#mustBeCurrent();
      try {
        await write(this.#world, ops);
        return;
      } catch (error) {
        this.#mustBeCurrent();
        if (attempt < ATTEMPTS) continue;
        this.#departure.note(`waiting for the store: ${String(error)}`);
        await this.#wait();
      }
    }
  }

  /** One that changes nothing about who owns the VM: a restart comes to the same end without it. */
  async #tried(op: StoreOp): Promise<void> {
    try {
      await write(this.#world, [op]);
    } catch (error) {
      this.#world.log('warn', `migration ${this.#departure.id} could not be written`, {
        error: String(error),
      });
    }
  }

  #wait(): Promise<void> {
    const departure = this.#departure;
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        departure.wake = undefined;
        resolve();
      };
      const timer = this.#world.clock.after(RETRY_MS, wake);
      departure.wake = wake;
    });
  }

  #peer(): MigrationPeer | undefined {
    return this.#world.hosts?.peer(this.#departure.host);
  }

  *#write(ops: readonly StoreOp[]): Steps<void> {
    yield* settled(write(this.#world, ops));
  }

  /** In the VM's turn, as every change of it. */
  #inTurn<T>(steps: () => Steps<T>): MaybePromise<T> {
    const { changes } = this.#world;
    return changes.run(undefined, () =>
      this.#vm.queue.run(() => {
        this.#mustBeCurrent();
        return drive(steps());
      }),
    );
  }

  #mustBeCurrent(): void {
    const { isClosed, departures } = this.#world;
    if (isClosed || departures.get(this.#departure.id) !== this.#departure) throw new Interrupted();
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

function storedData(
  data: ReadonlyMap<{ readonly id: Guid }, readonly PortableRecord[]>,
): StoredData {
  return Array.from(data, ([{ id }, records]) => ({ adapter: id, records }));
}

function recordsOf(data: StoredData = []): Map<Guid, readonly PortableRecord[]> {
  return new Map(data.map(({ adapter, records }) => [adapter, records]));
}

function cutOff(): ExtSwitchError {
  return new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    'the migration was cut off before the destination had taken the VM',
    { rule: 'G39' },
  );
}
