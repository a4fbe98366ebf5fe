import { type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { AdapterInfo } from './api.ts';
import type { Transaction } from './change-log.ts';
import { findSwitch } from './find-switch.ts';
import { type Committed, changeVm, commitVm, mustBe, mustHave } from './vm-change.ts';
import {
  assignVf,
  closeConnection,
  endStanding,
  footingOf,
  openConnection,
  openNic,
  originOf,
  reopenConnection,
  reopenNic,
  standAgain,
  standOf,
  uncreate,
  validate,
} from './vm-connection.ts';
import type { AdapterEntry } from './vm-entry.ts';
import { adapterInfo } from './vm-info.ts';
import { reopenAlive } from './vm-power.ts';
import type { SwitchEntry, World } from './world.ts';

type Tx = Transaction | undefined;

/**
 * Connects an adapter to a switch, or moves it there with its policies (S4). While the VM runs: from no switch, S2 steps 2-6;
 * from another, S3 steps 1-7 there and S2 steps 2-6 here; to the one it is on, a NIC anew on the same port. While it is off
 * or saved: configuration, with a validation pass. A veto leaves it where it was.
 */
export function connectAdapter(
  world: World,
  transaction: Tx,
  adapter: AdapterEntry,
  switchIdOrName: string,
): MaybePromise<AdapterInfo> {
  const { vm } = adapter;
  const steps = function* (): Steps<Committed> {
    mustHave(adapter);
    // Rule C26: a NIC is connected when the guest binds, and a paused guest does not.
    mustBe(vm, ['off', 'saved', 'running'], 'connected to a switch', 'C26', 'resume it first');
    const entry = findSwitch(world, switchIdOrName);
    if (vm.state !== 'running') return yield* reconfigure(world, transaction, adapter, entry);
    if (adapter.connection?.entry === entry) {
      return yield* reconnect(world, transaction, adapter);
    }
    return yield* move(world, transaction, adapter, entry);
  };
  return changeVm(world, transaction, vm, steps, () => adapterInfo(world, adapter));
}

/** The VM does not run: only what it is to connect to changes, asked about on a validation port (rules B44, B47). */
function* reconfigure(
  world: World,
  transaction: Tx,
  adapter: AdapterEntry,
  entry: SwitchEntry,
): Steps<Committed> {
  const before = adapter.target;
  const stood = standOf(adapter);
  yield* endStanding(world, adapter);
  adapter.target = { id: entry.id, name: entry.name };
  try {
    yield* validate(world, adapter);
  } catch (error) {
    adapter.target = before;
    yield* standAgain(world, adapter, stood);
    throw error;
  }
  return commitVm(world, transaction, adapter.vm, [], function* () {
    yield* endStanding(world, adapter);
    adapter.target = before;
    yield* standAgain(world, adapter, stood);
  });
}

/**
 * S4, reconnect on the same port: its type and policies are the same, so it may be used again (rules B15, C33, OP-27). When
 * the NIC is refused the one that was there is made again; refused once more, the port stays without one (rule C23), and
 * connecting again tries again.
 */
function* reconnect(world: World, transaction: Tx, adapter: AdapterEntry): Steps<Committed> {
  const { connection, isConnected } = adapter;
  const footing = footingOf(adapter);
  const origin = originOf(adapter);
  if (connection !== undefined) {
    yield* settled(connection.entry.machine.closeNics(connection.port));
  }
  try {
    yield* openNic(world, adapter);
  } catch (error) {
    if (isConnected) yield* reopenNic(world, adapter, footing);
    throw error;
  }
  return commitVm(world, transaction, adapter.vm, [], function* () {
    // It is connected to the same switch with the same policies: what it may lack is its virtual function.
    if (footing?.vfAssigned === true) yield* assignVf(world, adapter);
    if (isConnected || connection === undefined) return;
    yield* settled(connection.entry.machine.closeNics(connection.port));
    uncreate(adapter, origin);
  });
}

function* move(
  world: World,
  transaction: Tx,
  adapter: AdapterEntry,
  entry: SwitchEntry,
): Steps<Committed> {
  const before = adapter.target;
  const footing = footingOf(adapter);
  const origin = originOf(adapter);
  yield* closeConnection(adapter);
  adapter.target = { id: entry.id, name: entry.name };
  const back = function* (): Steps<void> {
    adapter.target = before;
    uncreate(adapter, origin);
    if (footing !== undefined) yield* reopenConnection(world, adapter, footing);
  };
  try {
    yield* openConnection(world, adapter, entry);
  } catch (error) {
    yield* back();
    throw error;
  }
  return commitVm(world, transaction, adapter.vm, [], function* () {
    yield* closeConnection(adapter);
    yield* back();
  });
}

/** S3 steps 1-7 while the VM runs; its policies stay. */
export function disconnectAdapter(
  world: World,
  transaction: Tx,
  adapter: AdapterEntry,
): MaybePromise<AdapterInfo> {
  const { vm } = adapter;
  const steps = function* (): Steps<Committed> {
    mustHave(adapter);
    const before = adapter.target;
    if (before === undefined) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${adapter.description} is not connected to a switch (rule C30)`,
        { rule: 'C30' },
      );
    }
    const footing = footingOf(adapter);
    const stood = standOf(adapter);
    yield* closeConnection(adapter);
    yield* endStanding(world, adapter);
    adapter.target = undefined;
    return commitVm(world, transaction, vm, [], function* () {
      adapter.target = before;
      if (vm.isAlive) yield* reopenAlive(world, adapter, footing);
      else yield* standAgain(world, adapter, stood);
    });
  };
  return changeVm(world, transaction, vm, steps, () => adapterInfo(world, adapter));
}
