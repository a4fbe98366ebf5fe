import type { SaveOutcome } from '../../switch/save-operations.ts';
import type { SaveRecord } from '../../switch/save-record.ts';
import { type Steps, settled } from '../../switch/steps.ts';
import type { StoreOp } from '../store/store.ts';
import type { SavedRecordInfo } from './api.ts';
import { put, remove, savedKey } from './records.ts';
import { type Cause, refused } from './veto.ts';
import type { AdapterEntry, Connection, VmEntry } from './vm-entry.ts';
import type { SwitchEntry, World } from './world.ts';

/** Run-time data of a VM's adapters; those without any are not in it. */
export type SavedData = ReadonlyMap<AdapterEntry, readonly SaveRecord[]>;

export const NO_DATA: SavedData = new Map();

export function savedData(vm: VmEntry): SavedData {
  let data: Map<AdapterEntry, readonly SaveRecord[]> | undefined;
  for (const adapter of vm.adapters) {
    if (adapter.saved.length === 0) continue;
    data ??= new Map();
    data.set(adapter, adapter.saved);
  }
  return data ?? NO_DATA;
}

export function setSavedData(vm: VmEntry, data: SavedData): void {
  for (const adapter of vm.adapters) adapter.saved = data.get(adapter) ?? [];
}

/** What brings the store from `before` to what the adapters have now. */
export function savedOps(vm: VmEntry, before: SavedData): StoreOp[] {
  const ops: StoreOp[] = [];
  for (const adapter of vm.adapters) {
    const key = savedKey(vm.id, adapter.id);
    if (adapter.saved.length > 0) ops.push(put(key, { records: adapter.saved }));
    else if (before.has(adapter)) ops.push(remove(key));
  }
  return ops;
}

/** Adapters whose NIC is connected, with it. */
export function* connectedNics(vm: VmEntry): Iterable<readonly [AdapterEntry, Connection]> {
  for (const adapter of vm.adapters) {
    if (adapter.connection !== undefined && adapter.isConnected) {
      yield [adapter, adapter.connection];
    }
  }
}

/**
 * Asks for the run-time data of each NIC (rule G1, S9 steps 2-5). What no extension took at an earlier restore stays before
 * it (rule G26), unless the same extension has newer data of the same kind now. A refused save fails it all (rule G10), or
 * is reported.
 */
export function* collectData(
  world: World,
  vm: VmEntry,
  onRefusal: 'throw' | 'report',
): Steps<SavedData> {
  const data = new Map<AdapterEntry, readonly SaveRecord[]>();
  for (const [adapter, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    if (nic === undefined) continue;
    if (onRefusal === 'report' && entry.machine.state.life === 'down') {
      nobodyAsked(world, adapter, entry);
      continue;
    }
    const outcome = yield* settled(entry.machine.saveNic(port, nic));
    if (outcome.refused !== undefined) {
      const error = refused(
        world,
        outcome.refused,
        `the save of ${adapter.description}`,
        causeOf(world, outcome),
      );
      if (onRefusal === 'throw') throw error;
      world.environment.finding(entry.name, {
        rule: outcome.rule ?? 'G10',
        severity: 'error',
        message: `${error.message}; the VM is turned off without it`,
      });
    }
    const kept = adapter.saved.filter((old) => !outcome.records.some((one) => replaces(one, old)));
    const records = [...kept, ...outcome.records];
    if (records.length > 0) data.set(adapter, records);
  }
  for (const adapter of vm.adapters) {
    if (!data.has(adapter) && adapter.saved.length > 0) data.set(adapter, adapter.saved);
  }
  return data;
}

/** Rule A50: who would have data to give does not run; what it gave before stays. */
function nobodyAsked(world: World, adapter: AdapterEntry, { name }: SwitchEntry): void {
  world.environment.finding(name, {
    rule: 'A50',
    severity: 'warning',
    message: `${adapter.description} is asked for no run-time data, since the stack of switch ${name} is down; the VM is turned off without it`,
  });
}

/** Why in words, where the status alone does not say it. */
function causeOf({ profile }: World, { reason, rule }: SaveOutcome): Cause | undefined {
  if (reason === undefined) return undefined;
  return { reason: `${reason}, profile ${profile}`, ...(rule === undefined ? {} : { rule }) };
}

function replaces(one: SaveRecord, old: SaveRecord): boolean {
  return one.extensionId === old.extensionId && one.featureClassId === old.featureClassId;
}

export function savedRecordInfo(adapter: AdapterEntry, record: SaveRecord): SavedRecordInfo {
  return {
    adapterId: adapter.id,
    extensionId: record.extensionId,
    extensionFriendlyName: record.extensionFriendlyName,
    featureClassId: record.featureClassId,
    bytes: record.data.length,
  };
}
