import type { SaveRecord } from '../../switch/save-record.ts';
import { type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import type { RestoreReport, SavedRecordInfo, VmInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { refused } from './veto.ts';
import { type Committed, changeVm, commitVm, mustBe } from './vm-change.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import { vmInfo } from './vm-info.ts';
import { closeAll, connectAll, disconnectAll, footings, reconnectAll } from './vm-power.ts';
import {
  collectData,
  connectedNics,
  NO_DATA,
  type SavedData,
  savedData,
  savedOps,
  savedRecordInfo,
  setSavedData,
} from './vm-saved-data.ts';
import type { World } from './world.ts';

/** NDIS_SWITCH_PORT_FLAGS_RESTORING_PORT (rule B9). */
const RESTORING_PORT = 2;

/**
 * S9: all NICs give their run-time data first, so that a refusal leaves the VM running exactly as before; then the
 * connections go (OP-16), and data and state are stored in one write.
 */
export function saveVm(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
): MaybePromise<VmInfo> {
  const change = function* (): Steps<Committed> {
    mustBe(vm, ['running', 'paused'], 'saved', 'S9');
    const state = vm.state;
    const before = savedData(vm);
    const data = yield* collectData(world, vm, 'throw');
    const was = footings(vm);
    yield* closeAll(world, vm);
    vm.state = 'saved';
    setSavedData(vm, data);
    return commitVm(world, transaction, vm, savedOps(vm, before), function* () {
      setSavedData(vm, before);
      yield* reconnectAll(world, vm, was, state);
      yield* giveBack(world, vm, data);
    });
  };
  return changeVm(world, transaction, vm, change, () => vmInfo(world, vm));
}

/** After a save that was not stored: the extensions get what they gave, since their NIC was deleted meanwhile. */
function* giveBack(world: World, vm: VmEntry, data: SavedData): Steps<void> {
  for (const [adapter, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    const records = data.get(adapter);
    if (nic === undefined || records === undefined) continue;
    const outcome = yield* settled(entry.machine.restoreNic(port, nic, records));
    if (outcome.refused === undefined) continue;
    world.environment.finding(entry.name, {
      rule: 'G27',
      severity: 'error',
      message: refused(world, outcome.refused, `run-time data of ${adapter.description}`).message,
    });
  }
}

/**
 * S10: the connections first (rule G29), then each NIC its records in the order they were saved (OP-18). A refusal takes
 * everything down again; the VM stays saved with its records (OP-17).
 */
export function restoreVm(
  world: World,
  transaction: Transaction | undefined,
  vm: VmEntry,
): MaybePromise<RestoreReport> {
  let restored = 0;
  const unowned: SavedRecordInfo[] = [];
  const change = function* (): Steps<Committed> {
    mustBe(vm, ['saved'], 'restored', 'S10', 'it has no saved state');
    const before = savedData(vm);
    const connected = yield* connectAll(world, vm, (adapter) => adapter.saved.length > 0);
    const left = new Map<AdapterEntry, readonly SaveRecord[]>();
    try {
      for (const [adapter, { entry, port }] of connectedNics(vm)) {
        const nic = port.nics.get(0);
        if (nic === undefined) continue;
        const outcome = yield* settled(entry.machine.restoreNic(port, nic, adapter.saved));
        if (outcome.refused !== undefined) {
          throw refused(world, outcome.refused, `run-time data of ${adapter.description}`);
        }
        port.flags &= ~RESTORING_PORT;
        restored += outcome.restored;
        if (outcome.unowned.length > 0) left.set(adapter, outcome.unowned);
        for (const record of outcome.unowned) unowned.push(savedRecordInfo(adapter, record));
      }
    } catch (error) {
      yield* disconnectAll(world, vm, connected);
      throw error;
    }
    // What belongs to adapters that are not connected waits for the next restore.
    for (const [adapter, records] of before) if (!adapter.isConnected) left.set(adapter, records);
    vm.state = 'running';
    setSavedData(vm, left.size === 0 ? NO_DATA : left);
    return commitVm(world, transaction, vm, savedOps(vm, before), function* () {
      yield* disconnectAll(world, vm, connected);
      vm.state = 'saved';
      setSavedData(vm, before);
    });
  };
  return changeVm(world, transaction, vm, change, () => ({ restored, unowned }));
}
