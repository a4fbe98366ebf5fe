import type { MaybePromise, Steps } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { StoreOp } from '../store/store.ts';
import type { AdapterOptions } from './api.ts';
import type { Transaction } from './change-log.ts';
import { findSwitch } from './find-switch.ts';
import { checkName } from './lookup.ts';
import { unicastMac } from './mac-pool.ts';
import { checkMtu, DEFAULT_MTU } from './nic-collection.ts';
import { adapterPropertyKey, remove, savedKey, vmKey } from './records.ts';
import { requiredFeaturesOf } from './required-features.ts';
import { type Committed, changeVm, commitOps, commitVm, mustBe, mustHave } from './vm-change.ts';
import {
  closeConnection,
  endStanding,
  footingOf,
  openConnection,
  standAgain,
  standOf,
  targetSwitch,
  validate,
} from './vm-connection.ts';
import { AdapterEntry, VmEntry } from './vm-entry.ts';
import { reopenAlive } from './vm-power.ts';
import type { World } from './world.ts';

type Tx = Transaction | undefined;

/** A VM that is off, once the extensions have seen its adapters on validation ports (rules B44-B47). */
export function createVm(
  world: World,
  transaction: Tx,
  options: { readonly name: string; readonly adapters?: readonly AdapterOptions[] },
): MaybePromise<VmEntry> {
  const name = checkName(options.name, 'VM');
  const vm = new VmEntry(world.rng.guid(), name, world.nextOrder());
  const steps = function* (): Steps<Committed> {
    claimVmName(world, name);
    try {
      for (const one of options.adapters ?? []) {
        vm.adapters = [...vm.adapters, newAdapter(world, vm, one)];
      }
      for (const adapter of vm.adapters) yield* validate(world, adapter);
    } catch (error) {
      yield* forgetVm(world, vm);
      throw error;
    }
    addVm(world, vm);
    return commitVm(world, transaction, vm, [], () => forgetVm(world, vm));
  };
  return changeVm(world, transaction, vm, steps, () => vm);
}

/** Throws `ALREADY_EXISTS` when another VM has it. */
export function claimVmName(world: World, name: string): void {
  if (world.vmNames.has(name)) {
    throw new ExtSwitchError(
      'ALREADY_EXISTS',
      `a VM named ${JSON.stringify(name)} exists already`,
      {
        member: 'name',
        found: name,
      },
    );
  }
  world.vmNames.add(name);
}

/** Into the world's tables; also when it comes from the store. */
export function addVm(world: World, vm: VmEntry): void {
  vm.isDeleted = false;
  world.vms.set(vm.id, vm);
  world.vmNames.add(vm.name);
  for (const adapter of vm.adapters) world.adapters.set(adapter.id, adapter);
}

/** Out of them, with the validation ports that stand, the latest first. */
export function* forgetVm(world: World, vm: VmEntry): Steps<void> {
  vm.isDeleted = true;
  world.vms.delete(vm.id);
  for (const adapter of vm.adapters.toReversed()) {
    yield* endStanding(world, adapter);
    forgetAdapter(world, adapter);
  }
  world.vmNames.delete(vm.name);
}

function forgetAdapter(world: World, adapter: AdapterEntry): void {
  world.adapters.delete(adapter.id);
  world.macs.forget(adapter.settings.mac);
}

/** Checked and with ids of its own; its MAC address is kept in the pool. */
function newAdapter(world: World, vm: VmEntry, options: AdapterOptions): AdapterEntry {
  const { type = 'synthetic' } = options;
  if (type !== 'synthetic' && type !== 'emulated') {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `adapter type ${JSON.stringify(type)}: expected synthetic or emulated (rule C6)`,
      { rule: 'C6', member: 'type', expected: 'synthetic or emulated', found: String(type) },
    );
  }
  const name = checkName(options.name ?? 'Network Adapter', 'adapter');
  const mtu = checkMtu(options.mtu ?? DEFAULT_MTU);
  const entry = options.switch === undefined ? undefined : findSwitch(world, options.switch);
  const isStatic = options.mac !== undefined;
  const mac = options.mac === undefined ? world.macs.dynamic() : unicastMac(options.mac);
  if (isStatic) world.macs.keep(mac);
  const macType = isStatic ? 'static' : 'dynamic';
  const identity = {
    id: world.rng.guid(),
    portName: world.rng.guid(),
    type,
    order: world.nextOrder(),
  };
  const settings = { name, mac, macType, vmMac: undefined, numaNode: 0, mtu } as const;
  const adapter = new AdapterEntry(vm, identity, { ...settings });
  if (entry !== undefined) adapter.target = { id: entry.id, name: entry.name };
  adapter.requiredFeatures = requiredFeaturesOf(world, options.requiredFeatures ?? []);
  // Before anything is asked of its switch, which otherwise could be deleted behind its back.
  world.adapters.set(adapter.id, adapter);
  return adapter;
}

/** Configuration, policies and saved data go in one write; a validation port that stood is taken down. */
export function deleteVm(world: World, transaction: Tx, vm: VmEntry): MaybePromise<void> {
  const steps = function* (): Steps<Committed> {
    mustBe(vm, ['off', 'saved'], 'deleted', 'S3', 'stop it first');
    const ops = removalOps(world, vm);
    const stood = new Map(vm.adapters.map((adapter) => [adapter, standOf(adapter)]));
    yield* forgetVm(world, vm);
    return commitOps(world, transaction, vm, ops, function* () {
      addVm(world, vm);
      // In its place again: VMs are listed in order of creation.
      const all = [...world.vms.values()].sort((a, b) => a.order - b.order);
      world.vms.clear();
      for (const one of all) world.vms.set(one.id, one);
      for (const [adapter, was] of stood) {
        world.macs.keep(adapter.settings.mac);
        yield* standAgain(world, adapter, was);
      }
    });
  };
  return changeVm(world, transaction, vm, steps, () => undefined);
}

/** Removes what the store has of a VM. */
export function removalOps(world: World, vm: VmEntry): StoreOp[] {
  const ops = [remove(vmKey(vm.id))];
  for (const adapter of vm.adapters) ops.push(...adapterOps(world, adapter));
  return ops;
}

/** Removes what the store has of an adapter beside its VM's record: also policies nobody could be told of at a restart. */
function adapterOps(world: World, adapter: AdapterEntry): StoreOp[] {
  const ops: StoreOp[] = [];
  const prefix = adapterPropertyKey(adapter.id, '');
  for (const id of adapter.properties.keys()) ops.push(remove(prefix + id));
  for (const [key] of world.store.range(prefix)) {
    if (!adapter.properties.has(key.slice(prefix.length))) ops.push(remove(key));
  }
  if (adapter.saved.length > 0) ops.push(remove(savedKey(adapter.vm.id, adapter.id)));
  return ops;
}

/** While the VM is off: configuration and a validation pass; while it runs: hot add (S4). */
export function addAdapter(
  world: World,
  transaction: Tx,
  vm: VmEntry,
  options: AdapterOptions,
): MaybePromise<AdapterEntry> {
  const steps = function* (): Steps<Committed> {
    mustBe(vm, ['off', 'running'], 'given an adapter', 'S4');
    const adapter = newAdapter(world, vm, options);
    try {
      const entry = targetSwitch(world, adapter);
      if (vm.state === 'off') yield* validate(world, adapter);
      else if (entry !== undefined) yield* openConnection(world, adapter, entry);
    } catch (error) {
      forgetAdapter(world, adapter);
      throw error;
    }
    vm.adapters = [...vm.adapters, adapter];
    world.adapters.set(adapter.id, adapter);
    return commitVm(world, transaction, vm, [], function* () {
      vm.adapters = vm.adapters.filter((one) => one !== adapter);
      adapter.isRemoved = true;
      yield* closeConnection(adapter);
      yield* endStanding(world, adapter);
      forgetAdapter(world, adapter);
    });
  };
  return changeVm(world, transaction, vm, steps, () => vm.adapters.at(-1) as AdapterEntry);
}

/** Hot remove while the VM runs (S4: S3 steps 1-7); its policies go with it. */
export function removeAdapter(
  world: World,
  transaction: Tx,
  adapter: AdapterEntry,
): MaybePromise<void> {
  const { vm } = adapter;
  const steps = function* (): Steps<Committed> {
    mustHave(adapter);
    mustBe(vm, ['off', 'running', 'paused'], 'deprived of an adapter', 'G41');
    const before = vm.adapters;
    const footing = footingOf(adapter);
    const stood = standOf(adapter);
    const ops = adapterOps(world, adapter);
    yield* closeConnection(adapter);
    yield* endStanding(world, adapter);
    adapter.isRemoved = true;
    vm.adapters = before.filter((one) => one !== adapter);
    forgetAdapter(world, adapter);
    return commitVm(world, transaction, vm, ops, function* () {
      vm.adapters = before;
      adapter.isRemoved = false;
      world.adapters.set(adapter.id, adapter);
      world.macs.keep(adapter.settings.mac);
      if (vm.isAlive) yield* reopenAlive(world, adapter, footing);
      else yield* standAgain(world, adapter, stood);
    });
  };
  return changeVm(world, transaction, vm, steps, () => undefined);
}
