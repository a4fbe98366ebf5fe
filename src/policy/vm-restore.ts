import { parseMac } from '../../switch/parameters.ts';
import { drive, type Steps } from '../../switch/steps.ts';
import { isUndecided } from './migration-restore.ts';
import type { AdapterRecord, SavedRecord, VmRecord } from './records.ts';
import { savedKey } from './records.ts';
import { propertiesByOwner } from './restore.ts';
import { storedFooting } from './vf-adapter.ts';
import { addVm } from './vm-configuration.ts';
import { reopenConnection, validateAfterwards } from './vm-connection.ts';
import { AdapterEntry, VmEntry } from './vm-entry.ts';
import { suspendAll } from './vm-power.ts';
import type { World } from './world.ts';

interface Stored {
  readonly vm: VmEntry;
  readonly record: VmRecord;
}

/**
 * Brings the stored VMs back in the state they had: those that ran are connected again in order of creation, each on its
 * port id (S2), then validation ports that stand (OP-19); what an extension refuses now stays configured and is reported.
 * The switches are there already.
 */
export async function restoreVms(world: World): Promise<void> {
  const stored: Stored[] = [];
  for (const [key, value] of world.store.range('vm/')) {
    const record = value as unknown as VmRecord;
    world.sawOrder(record.order);
    const vm = new VmEntry(key.slice('vm/'.length), record.name, record.order);
    vm.adapters = record.adapters.map((adapter) => restoreAdapter(world, vm, adapter));
    stored.push({ vm, record });
  }
  stored.sort((a, b) => a.vm.order - b.vm.order);
  for (const { vm } of stored) addVm(world, vm);
  const properties = propertiesByOwner(
    world,
    'vm',
    (adapter) => world.adapters.get(adapter)?.target?.name ?? '',
  );
  for (const adapter of world.adapters.values()) {
    for (const one of properties.get(adapter.id) ?? []) adapter.properties.set(one.id, one);
  }
  for (const one of stored) {
    // In its turn: what changes the VM as soon as it is there, such as the act of a fault, comes after its connections.
    const connected = one.vm.queue.run(() => drive(connectAgain(world, one)));
    if (connected instanceof Promise) await connected;
  }
  // Last, since the ids of validation ports are not kept: none takes the id of a port that is.
  for (const { vm } of stored) {
    const standing =
      vm.isAlive || world.validationPorts === 'short'
        ? undefined
        : vm.queue.run(() => drive(standAll(world, vm)));
    if (standing instanceof Promise) await standing;
  }
}

function* standAll(world: World, vm: VmEntry): Steps<void> {
  for (const adapter of vm.adapters) yield* validateAfterwards(world, adapter);
}

function restoreAdapter(world: World, vm: VmEntry, record: AdapterRecord): AdapterEntry {
  world.sawOrder(record.order);
  const mac = parseMac(record.mac) ?? new Uint8Array(6);
  world.macs.keep(mac);
  const adapter = new AdapterEntry(vm, record, {
    name: record.name,
    mac,
    macType: record.macType,
    vmMac: record.vmMac === undefined ? undefined : parseMac(record.vmMac),
    numaNode: record.numaNode,
    mtu: record.mtu,
  });
  const { switchId, switchName } = record;
  if (switchId !== undefined) adapter.target = { id: switchId, name: switchName ?? switchId };
  adapter.isKnown = record.isKnown;
  adapter.requiredFeatures = record.requiredFeatures ?? [];
  const saved = world.store.get(savedKey(vm.id, record.id)) as unknown as SavedRecord | undefined;
  if (saved !== undefined) adapter.saved = saved.records;
  return adapter;
}

function* connectAgain(world: World, { vm, record }: Stored): Steps<void> {
  vm.state = record.state;
  if (isUndecided(world, vm)) return;
  if (!vm.isAlive) return;
  for (const adapter of vm.adapters) {
    const before = record.adapters.find(({ id }) => id === adapter.id);
    yield* reopenConnection(world, adapter, before && storedFooting(world, before));
  }
  if (vm.state === 'paused') yield* suspendAll(vm);
}
