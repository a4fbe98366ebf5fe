import { type Steps, settled } from '../../switch/steps.ts';
import type { Guid } from '../core/guid.ts';
import type { StoreOp } from '../store/store.ts';
import type { VmState } from './api.ts';
import type { PortableRecord } from './migration-api.ts';
import { refused } from './veto.ts';
import { removalOps } from './vm-configuration.ts';
import { assignVf, closeConnection, endStanding } from './vm-connection.ts';
import type { VmEntry } from './vm-entry.ts';
import { type Footings, reconnectAll } from './vm-power.ts';
import { collectData, connectedNics, type SavedData, savedData } from './vm-saved-data.ts';
import type { World } from './world.ts';

/*
 * What a migration does to the VM on its source, each in the VM's turn (S11).
 */

/**
 * S11 steps 2-4 and 7: suspended-migration OIDs around it where the world uses them (rule G44, OP-39), virtual functions back to
 * the synthetic path first (rule G46). A refused save leaves the NIC connected and throws (S11 step 5).
 */
export function* saveForTravel(world: World, vm: VmEntry): Steps<SavedData> {
  if (!vm.isAlive) return savedData(vm);
  for (const [, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    if (nic !== undefined) yield* settled(entry.machine.startMigrationSource(port, nic));
  }
  try {
    for (const [, { entry, port }] of connectedNics(vm)) {
      const nic = port.nics.get(0);
      if (nic !== undefined) yield* settled(entry.machine.fallBackToSynthetic(port, nic));
    }
    return yield* collectData(world, vm, 'throw');
  } finally {
    for (const [, { entry, port }] of connectedNics(vm)) {
      const nic = port.nics.get(0);
      if (nic !== undefined) yield* settled(entry.machine.finishMigrationSource(port, nic));
    }
  }
}

/** A migration that ended before the release: virtual functions come back to NICs that had one. */
export function* fallBack(world: World, vm: VmEntry, was: Footings): Steps<void> {
  for (const adapter of vm.adapters) {
    const hasNow = adapter.connection?.port.nics.get(0)?.vfAssigned === true;
    if (was.get(adapter)?.vfAssigned !== true || hasNow || !adapter.isConnected) continue;
    try {
      yield* world.again(assignVf(world, adapter));
    } catch (error) {
      world.environment.finding(adapter.target?.name ?? '', {
        rule: 'G46',
        severity: 'warning',
        message: `${adapter.description} stays on the synthetic path: ${String(error)}`,
      });
    }
  }
}

/** S11 step 6 (rule G39). */
export function* disconnect(vm: VmEntry): Steps<void> {
  for (const adapter of vm.adapters) yield* closeConnection(adapter);
}

/** The VM as it was: ports with their ids, policies, NICs, virtual functions, and what the extensions gave. */
export function* takeBack(
  world: World,
  vm: VmEntry,
  was: Footings,
  state: VmState,
  data: ReadonlyMap<Guid, readonly PortableRecord[]>,
): Steps<void> {
  yield* world.again(broughtBack(world, vm, was, state, data));
}

function* broughtBack(
  world: World,
  vm: VmEntry,
  was: Footings,
  state: VmState,
  data: ReadonlyMap<Guid, readonly PortableRecord[]>,
): Steps<void> {
  yield* reconnectAll(world, vm, was, state);
  if (!vm.isAlive) return;
  for (const adapter of vm.adapters) adapter.saved = data.get(adapter.id) ?? [];
  for (const [adapter, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    if (nic === undefined || adapter.saved.length === 0) continue;
    const outcome = yield* settled(entry.machine.restoreNic(port, nic, adapter.saved));
    // What its owner refuses now is kept with the VM, like what has no owner (rule G26).
    if (outcome.refused === undefined) {
      adapter.saved = outcome.unowned;
      continue;
    }
    world.environment.finding(entry.name, {
      rule: 'G27',
      severity: 'error',
      message: `${refused(world, outcome.refused, `run-time data of ${adapter.description}`).message}; it is kept with the VM`,
    });
  }
}

/** What the store is to forget of a VM that is somewhere else now; here it can be found no more. */
export function* leave(world: World, vm: VmEntry, host?: string): Steps<StoreOp[]> {
  const ops = removalOps(world, vm);
  vm.isDeleted = true;
  vm.movedTo = host;
  world.vms.delete(vm.id);
  for (const adapter of vm.adapters.toReversed()) {
    yield* closeConnection(adapter);
    yield* endStanding(world, adapter);
  }
  return ops;
}

/** Names and addresses are free, once the store has forgotten it too. */
export function forgetVm(world: World, vm: VmEntry): void {
  for (const adapter of vm.adapters) {
    world.adapters.delete(adapter.id);
    world.macs.forget(adapter.settings.mac);
  }
  world.vmNames.delete(vm.name);
}
