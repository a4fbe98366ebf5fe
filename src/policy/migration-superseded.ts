import { drive, type Steps, settled } from '../../switch/steps.ts';
import type { PortableDocument, SupersededCopy } from './migration-api.ts';
import { type Arrival, write } from './migration-arrival.ts';
import { putMigration } from './migration-records.ts';
import { isMigrating, Travel } from './migration-travel.ts';
import { disconnect, forgetVm, leave, takeBack } from './migration-vm.ts';
import { exportVm } from './portable-export.ts';
import { addVm } from './vm-configuration.ts';
import { standAgain, standOf } from './vm-connection.ts';
import type { VmEntry } from './vm-entry.ts';
import { footings } from './vm-power.ts';
import { collectData, savedData, setSavedData } from './vm-saved-data.ts';
import type { World } from './world.ts';

/*
 * A VM this host has taken and that a person has given back to the source meanwhile (decision 0010): it must not run beside that
 * one, and nothing of it may be lost.
 */

/**
 * Takes the VM away, with the run-time data it has now, as a document that the arrival keeps: one write. A VM that is on its way
 * somewhere else refuses, and the source asks again.
 */
export function* takeAway(world: World, arrival: Arrival): Steps<SupersededCopy> {
  const vm = world.vms.get(arrival.vm.id);
  if (vm === undefined) {
    const host = whereTo(world, arrival);
    return { copy: 'gone', ...(host === undefined ? {} : { host }) };
  }
  yield* settled(vm.queue.run(() => drive(removed(world, arrival, vm))));
  return { copy: 'kept' };
}

function* removed(world: World, arrival: Arrival, vm: VmEntry): Steps<void> {
  if (vm.travel !== undefined) throw isMigrating(vm, vm.travel);
  const travel = new Travel(arrival.id);
  vm.travel = travel;
  const { state } = vm;
  const before = savedData(vm);
  const was = footings(vm);
  const stood = vm.adapters.map((adapter) => [adapter, standOf(adapter)] as const);
  try {
    let kept: PortableDocument | undefined;
    const data = vm.isAlive ? yield* collectData(world, vm, 'report') : before;
    try {
      setSavedData(vm, data);
      if (vm.isAlive) {
        yield* disconnect(vm);
        vm.state = 'saved';
      }
      kept = exportVm(world, vm);
      const ops = yield* leave(world, vm);
      const record = { ...arrival.record('superseded'), found: { copy: 'kept' } as const, kept };
      yield* settled(write(world, [...ops, putMigration(arrival.id, record)]));
    } catch (error) {
      addVm(world, vm);
      inOrder(world);
      const held = new Map([...data].map(([{ id }, records]) => [id, records]));
      yield* takeBack(world, vm, was, state, held);
      if (!vm.isAlive) setSavedData(vm, before);
      for (const [adapter, stand] of stood) yield* standAgain(world, adapter, stand);
      throw error;
    }
    forgetVm(world, vm);
    arrival.kept = kept;
  } finally {
    travel.end(vm);
  }
}

/** VMs are listed in order of creation. */
function inOrder({ vms }: World): void {
  const all = [...vms.values()].sort((a, b) => a.order - b.order);
  vms.clear();
  for (const vm of all) vms.set(vm.id, vm);
}

/** The host it has gone on to, by the latest migration of it from here. */
function whereTo({ departures }: World, { vm, order }: Arrival): string | undefined {
  let host: string | undefined;
  for (const departure of departures.values()) {
    const isIts = departure.vm.id === vm.id && departure.order > order;
    if (isIts && departure.state === 'succeeded') host = departure.host;
  }
  return host;
}
