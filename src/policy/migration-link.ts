import { drive, type MaybePromise, type Steps } from '../../switch/steps.ts';
import type { StoreOp } from '../store/store.ts';
import type { MigrationPeer } from './migration-api.ts';
import { write } from './migration-arrival.ts';
import type { Departure } from './migration-departure.ts';
import type { VmEntry } from './vm-entry.ts';
import type { World } from './world.ts';

/** Attempts before a host that does not answer, or a store that takes nothing, is waited for. */
export const ATTEMPTS = 3;
/** Virtual milliseconds between attempts then. */
const RETRY_MS = 1000;

/** The world was emptied or closed in the middle: nothing is to be done here any more. */
export class Interrupted extends Error {}

/** Messages and writes of a migration's source that must come through, and steps in its VM's turn. */
export class MigrationLink {
  readonly world: World;
  readonly departure: Departure;
  readonly vm: VmEntry;

  constructor(world: World, departure: Departure, vm: VmEntry) {
    this.world = world;
    this.departure = departure;
    this.vm = vm;
  }

  /** A write after which there is no way back. */
  async insist(ops: readonly StoreOp[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.mustBeCurrent();
      try {
        await write(this.world, ops);
        return;
      } catch (error) {
        this.mustBeCurrent();
        if (attempt < ATTEMPTS) continue;
        this.departure.note(`waiting for the store: ${String(error)}`);
        this.departure.interrupt();
        await this.wait();
      }
    }
  }

  /** One that changes nothing about who owns the VM: a restart comes to the same end without it. */
  async tried(op: StoreOp): Promise<void> {
    try {
      await write(this.world, [op]);
    } catch (error) {
      this.world.log('warn', `migration ${this.departure.id} could not be written`, {
        error: String(error),
      });
    }
  }

  wait(): Promise<void> {
    const departure = this.departure;
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        departure.wake = undefined;
        resolve();
      };
      const timer = this.world.clock.after(RETRY_MS, wake);
      departure.wake = wake;
    });
  }

  peer(): MigrationPeer | undefined {
    return this.world.hosts?.peer(this.departure.host);
  }

  /** In the VM's turn, as every change of it. */
  inTurn<T>(steps: () => Steps<T>): MaybePromise<T> {
    return this.atTurn(() => drive(steps()));
  }

  /** The same for one act, whose turn ends with it. */
  atTurn<T>(act: () => MaybePromise<T>): MaybePromise<T> {
    const { changes } = this.world;
    return changes.run(undefined, () =>
      this.vm.queue.run(() => {
        this.mustBeCurrent();
        return act();
      }),
    );
  }

  mustBeCurrent(): void {
    const { isClosed, departures } = this.world;
    if (isClosed || departures.get(this.departure.id) !== this.departure) throw new Interrupted();
  }
}
