import { drive, type MaybePromise, type Steps } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { StoreOp } from '../store/store.ts';
import type { VmState } from './api.ts';
import type { Transaction } from './change-log.ts';
import { MIGRATING, unlessMigrating } from './migration-travel.ts';
import { put, vmKey } from './records.ts';
import { type AdapterEntry, type VmEntry, vmRecord } from './vm-entry.ts';
import type { World } from './world.ts';

/** A change the extensions have accepted and the store has been given. */
export interface Committed {
  /** `undefined`: written already. */
  readonly durable: Promise<void> | undefined;
}

/**
 * Runs a change in the VM's turn and waits, the turn given back, until the store has it. What makes two changes of a VM
 * follow each other is the turn alone. `result` is taken in the turn: what the change led to, whatever comes after it.
 */
export function changeVm<T>(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
  change: () => Steps<Committed>,
  result: () => T,
): MaybePromise<T> {
  const attempt = (): MaybePromise<T | typeof MIGRATING> =>
    inTurn(world, transaction, vm, change, result);
  return unlessMigrating(vm, transaction !== undefined, attempt);
}

function inTurn<T>(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
  change: () => Steps<Committed>,
  result: () => T,
): MaybePromise<T | typeof MIGRATING> {
  return world.changes.run(transaction, () => {
    const done = vm.queue.run(() => {
      // It has begun since: waiting for it here would keep the turn it needs.
      if (vm.travel !== undefined) return new Changed(NOTHING, MIGRATING as T | typeof MIGRATING);
      const committed = drive(telling(world, vm, change));
      return committed instanceof Promise
        ? committed.then((one) => new Changed<T | typeof MIGRATING>(one, result()))
        : new Changed<T | typeof MIGRATING>(committed, result());
    });
    return done instanceof Promise ? done.then(whenDurable) : whenDurable(done);
  });
}

const NOTHING: Committed = { durable: undefined };

/** A class, so that neither promise in it is taken for the outcome of the turn. */
class Changed<T> {
  readonly committed: Committed;
  readonly value: T;

  constructor(committed: Committed, value: T) {
    this.committed = committed;
    this.value = value;
  }
}

function whenDurable<T>({ committed: { durable }, value }: Changed<T>): MaybePromise<T> {
  return durable === undefined ? value : durable.then(() => value);
}

/** A change, then an event when the VM has come to another state by it, be it done or taken back. */
function* telling<T>(world: World, vm: VmEntry, change: () => Steps<T>): Steps<T> {
  const before = vm.state;
  const result = yield* change();
  if (vm.state !== before) {
    world.events.add(world.clock.now(), 'state', undefined, {
      event: 'vmStateChanged',
      vm: vm.name,
      id: vm.id,
      before,
      state: vm.state,
    });
  }
  return result;
}

/**
 * Writes the VM as it is now, with `ops`, in one go. When the store fails, `undo` makes switch and extensions as they were,
 * in the VM's turn; when another change has come after this one, its write decides for both.
 */
export function commitVm(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
  ops: readonly StoreOp[],
  undo: () => Steps<void>,
): Committed {
  const record = put(vmKey(vm.id), vmRecord(vm));
  return commitOps(world, transaction, vm, ops.length === 0 ? [record] : [record, ...ops], undo);
}

/** The same, when the VM itself is not (or no longer) to be written. */
export function commitOps(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
  ops: readonly StoreOp[],
  undo: () => Steps<void>,
): Committed {
  vm.changes += 1;
  const mine = vm.changes;
  for (const { key } of ops) vm.written.set(key, mine);
  const durable = world.changes.commit(transaction, ops, () =>
    vm.queue.run(() => {
      vm.undos.set(mine, { undo, ops });
      // A later change is stored already: this one stands.
      return mine <= vm.stored ? storeStanding(world, vm) : drive(takeBack(world, vm));
    }),
  );
  if (durable === undefined) {
    if (transaction === undefined) vm.stored = mine;
    if (vm.inFlight === 0) vm.written.clear();
    return { durable };
  }
  vm.inFlight += 1;
  const kept = durable.then(() => {
    vm.stored = Math.max(vm.stored, mine);
    return storeStanding(world, vm);
  });
  // By now the recovery has undone what failed, or let it stand.
  const ended = (): void => {
    vm.inFlight -= 1;
    if (vm.inFlight === 0) vm.written.clear();
  };
  return { durable: kept.finally(ended) };
}

/**
 * The VM as it is now is stored, with what failed changes before that made of it: what else those wanted to write, and no later one
 * has written, is stored too.
 */
function storeStanding(world: World, vm: VmEntry): Promise<void> | undefined {
  const ops: StoreOp[] = [];
  for (const [change, failed] of vm.undos) {
    if (change > vm.stored) continue;
    vm.undos.delete(change);
    ops.push(...failed.ops.filter(({ key }) => (vm.written.get(key) ?? 0) <= change));
  }
  return ops.length === 0 ? undefined : world.changes.writeAgain(ops);
}

/** Undoes what failed from the latest change on, back to one that has not failed. */
function* takeBack(world: World, vm: VmEntry): Steps<void> {
  for (;;) {
    const failed = vm.undos.get(vm.changes);
    if (failed === undefined) return;
    vm.undos.delete(vm.changes);
    vm.changes -= 1;
    yield* telling(world, vm, failed.undo);
  }
}

/** Throws `NOT_FOUND` for a VM that is deleted. */
export function mustExist(vm: VmEntry): void {
  if (!vm.isDeleted) return;
  const where =
    vm.movedTo === undefined
      ? 'no longer exists'
      : `has moved to host ${JSON.stringify(vm.movedTo)}`;
  throw new ExtSwitchError('NOT_FOUND', `VM ${vm.name} ${where}`, { found: vm.id });
}

/** Throws `NOT_FOUND` for an adapter that is gone, or its VM. */
export function mustHave(adapter: AdapterEntry): void {
  mustExist(adapter.vm);
  if (!adapter.isRemoved) return;
  throw new ExtSwitchError('NOT_FOUND', `${adapter.description} no longer exists`, {
    found: adapter.id,
  });
}

/** Throws `ILLEGAL_TRANSITION`, naming the state the VM is in, unless it is one of these. */
export function mustBe(
  vm: VmEntry,
  states: readonly VmState[],
  what: string,
  rule: string,
  advice = '',
): void {
  mustExist(vm);
  if (states.includes(vm.state)) return;
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `VM ${JSON.stringify(vm.name)} is ${vm.state} and cannot be ${what}${advice === '' ? '' : `: ${advice}`} (rule ${rule})`,
    { rule, expected: states.join(' or '), found: vm.state },
  );
}
