import { type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import type { StoreOp } from '../store/store.ts';
import type { VmInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { mustOffer } from './required-features.ts';
import { type Committed, changeVm, commitVm, mustBe } from './vm-change.ts';
import {
  closeConnection,
  endStanding,
  type Footing,
  footingOf,
  type Origin,
  openConnection,
  originOf,
  reopenConnection,
  standAgain,
  standOf,
  targetSwitch,
  uncreate,
  validateAfterwards,
} from './vm-connection.ts';
import type { AdapterEntry, Stand, VmEntry } from './vm-entry.ts';
import { vmInfo } from './vm-info.ts';
import {
  collectData,
  connectedNics,
  NO_DATA,
  savedData,
  savedOps,
  setSavedData,
} from './vm-saved-data.ts';
import type { World } from './world.ts';

type Tx = Transaction | undefined;

const NO_OPS: readonly StoreOp[] = [];

/** What an adapter was before it was connected. */
interface Before extends Origin {
  /** Where its validation port stood. */
  readonly stand: Stand | undefined;
}

type Connected = Map<AdapterEntry, Before>;

/** S2 for every adapter that has a switch; all of them, or the VM stays off. */
export function startVm(world: World, transaction: Tx, vm: VmEntry): MaybePromise<VmInfo> {
  const change = function* (): Steps<Committed> {
    mustBe(vm, ['off'], 'started', 'S2', adviceForStart(vm));
    const connected = yield* connectAll(world, vm);
    // A cold start ends the life that run-time data belonged to (OP-15).
    const before = savedData(vm);
    if (before.size > 0) setSavedData(vm, NO_DATA);
    vm.state = 'running';
    const ops = before.size > 0 ? savedOps(vm, before) : NO_OPS;
    return commitVm(world, transaction, vm, ops, function* () {
      yield* disconnectAll(world, vm, connected);
      vm.state = 'off';
      setSavedData(vm, before);
    });
  };
  return changeVm(world, transaction, vm, change, () => vmInfo(world, vm));
}

function adviceForStart(vm: VmEntry): string {
  return vm.state === 'saved' ? 'restore it, or stop it to discard its saved state' : '';
}

/**
 * S2 steps 1-6 for each adapter. When one is refused, those before it are disconnected again, the latest first, and the
 * validation ports that stood stand again. Returns what each was before, for {@link disconnectAll}.
 */
export function* connectAll(
  world: World,
  vm: VmEntry,
  isRestoring: (adapter: AdapterEntry) => boolean = () => false,
): Steps<Connected> {
  // Before the first OID, so that a missing switch costs the others nothing.
  for (const adapter of vm.adapters) {
    const entry = targetSwitch(world, adapter);
    if (entry !== undefined) mustOffer(world, adapter, entry);
  }
  const begun: Connected = new Map();
  try {
    for (const adapter of vm.adapters) {
      const entry = targetSwitch(world, adapter);
      if (entry === undefined) continue;
      begun.set(adapter, { ...originOf(adapter), stand: standOf(adapter) });
      yield* endStanding(world, adapter);
      yield* openConnection(world, adapter, entry, { isRestoring: isRestoring(adapter) });
    }
  } catch (error) {
    yield* disconnectAll(world, vm, begun);
    throw error;
  }
  return begun;
}

/** What {@link connectAll} did, taken back: ports away, the latest first, and validation ports where they stood. */
export function* disconnectAll(world: World, vm: VmEntry, connected: Connected): Steps<void> {
  for (const adapter of vm.adapters.toReversed()) yield* closeConnection(adapter);
  for (const [adapter, before] of connected) {
    uncreate(adapter, before);
    yield* standAgain(world, adapter, before.stand);
  }
}

/** What the connections of a VM were, by adapter. */
export type Footings = ReadonlyMap<AdapterEntry, Footing>;

/** The VM as it was before its connections went: each on the port id it had. Refusals are reported. */
export function* reconnectAll(
  world: World,
  vm: VmEntry,
  footings: Footings,
  state: VmEntry['state'],
): Steps<void> {
  for (const [adapter, footing] of footings) {
    yield* endStanding(world, adapter);
    yield* reopenConnection(world, adapter, footing);
  }
  if (state === 'paused') yield* suspendAll(vm);
  vm.state = state;
}

/** What the connections are now, for {@link reconnectAll}. */
export function footings(vm: VmEntry): Map<AdapterEntry, Footing> {
  const all = new Map<AdapterEntry, Footing>();
  for (const adapter of vm.adapters) {
    const footing = footingOf(adapter);
    if (footing !== undefined) all.set(adapter, footing);
  }
  return all;
}

/**
 * S3, with its step 8: the extensions are asked about the configuration as it is now. From `saved`, the saved state is
 * discarded. Nobody can refuse: what an extension says to the pass or to a save on the way (OP-15) is reported.
 */
export function stopVm(world: World, transaction: Tx, vm: VmEntry): MaybePromise<VmInfo> {
  const change = function* (): Steps<Committed> {
    mustBe(vm, ['running', 'paused', 'saved'], 'stopped', 'S3');
    const { state } = vm;
    const before = savedData(vm);
    const isAsked = world.saveOnStop && vm.isAlive;
    const data = isAsked ? yield* collectData(world, vm, 'report') : before;
    const was = footings(vm);
    yield* closeAll(world, vm);
    vm.state = 'off';
    if (data !== before || before.size > 0) setSavedData(vm, state === 'saved' ? NO_DATA : data);
    return commitVm(world, transaction, vm, savedOps(vm, before), function* () {
      setSavedData(vm, before);
      yield* reconnectAll(world, vm, was, state);
    });
  };
  return changeVm(world, transaction, vm, change, () => vmInfo(world, vm));
}

/** S3 per adapter, its validation pass included. */
export function* closeAll(world: World, vm: VmEntry): Steps<void> {
  for (const adapter of vm.adapters) {
    if (adapter.connection === undefined) continue;
    yield* closeConnection(adapter);
    yield* validateAfterwards(world, adapter);
  }
}

/** OP-16: in memory, NICs stay connected; with `suspendOids` each is told (OP-39). */
export function pauseVm(world: World, transaction: Tx, vm: VmEntry): MaybePromise<VmInfo> {
  const change = function* (): Steps<Committed> {
    mustBe(vm, ['running'], 'paused', 'OP-16');
    yield* suspendAll(vm);
    vm.state = 'paused';
    return commitVm(world, transaction, vm, NO_OPS, function* () {
      yield* resumeAll(vm);
      vm.state = 'running';
    });
  };
  return changeVm(world, transaction, vm, change, () => vmInfo(world, vm));
}

export function resumeVm(world: World, transaction: Tx, vm: VmEntry): MaybePromise<VmInfo> {
  const change = function* (): Steps<Committed> {
    mustBe(vm, ['paused'], 'resumed', 'OP-16');
    yield* resumeAll(vm);
    vm.state = 'running';
    return commitVm(world, transaction, vm, NO_OPS, function* () {
      yield* suspendAll(vm);
      vm.state = 'paused';
    });
  };
  return changeVm(world, transaction, vm, change, () => vmInfo(world, vm));
}

/** One connection as it was, of a VM that is running or paused: a paused VM's NIC is suspended (OP-16, OP-39). */
export function* reopenAlive(
  world: World,
  adapter: AdapterEntry,
  footing: Footing | undefined,
): Steps<void> {
  yield* reopenConnection(world, adapter, footing);
  const { connection, vm } = adapter;
  const nic = connection?.port.nics.get(0);
  if (vm.state !== 'paused' || nic?.state !== 'connected') return;
  if (connection !== undefined) {
    yield* settled(connection.entry.machine.suspendNic(connection.port, nic));
  }
}

/** OID_SWITCH_NIC_SUSPEND for each connected NIC, where the world uses it (OP-39). */
export function* suspendAll(vm: VmEntry): Steps<void> {
  for (const [, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    if (nic !== undefined) yield* settled(entry.machine.suspendNic(port, nic));
  }
}

function* resumeAll(vm: VmEntry): Steps<void> {
  for (const [, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    if (nic !== undefined) yield* settled(entry.machine.resumeNic(port, nic));
  }
}
