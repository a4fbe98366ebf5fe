import type { NicChange } from '../../switch/ports.ts';
import { type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { AdapterInfo, AdapterUpdate, NicUpdate } from './api.ts';
import type { Transaction } from './change-log.ts';
import { currentMacOf } from './current-mac.ts';
import { checkName } from './lookup.ts';
import { type MacClaim, macNumber, unicastMac } from './mac-pool.ts';
import { checkMtu } from './nic-collection.ts';
import { mustOffer, requiredFeaturesOf } from './required-features.ts';
import { type Committed, changeVm, commitVm, mustHave } from './vm-change.ts';
import { assignVf, removeVf } from './vm-connection.ts';
import type { AdapterEntry, AdapterSettings, RequiredFeature } from './vm-entry.ts';
import { adapterInfo } from './vm-info.ts';
import type { World } from './world.ts';

/**
 * Name, addresses, MTU of an adapter: NIC_UPDATED while it is connected (rules C28, C29; S2 step 8). What it requires is asked of the
 * switch it is on before anything is changed.
 */
export function updateAdapter(
  world: World,
  transaction: Transaction | undefined,
  adapter: AdapterEntry,
  change: AdapterUpdate,
): MaybePromise<AdapterInfo> {
  const steps = function* (): Steps<Committed> {
    mustHave(adapter);
    const before = { ...adapter.settings };
    const { requiredFeatures } = adapter;
    const required = requiredAfter(world, adapter, change);
    yield* become(world, adapter, settingsAfter(before, change));
    adapter.requiredFeatures = required;
    return commitVm(world, transaction, adapter.vm, [], function* () {
      adapter.requiredFeatures = requiredFeatures;
      yield* become(world, adapter, before);
    });
  };
  return changeVm(world, transaction, adapter.vm, steps, () => adapterInfo(world, adapter));
}

/** S2 step 7; a veto or a used-up adapter refuses. */
export function assignAdapterVf(
  world: World,
  transaction: Transaction | undefined,
  adapter: AdapterEntry,
): MaybePromise<AdapterInfo> {
  const steps = function* (): Steps<Committed> {
    mustHave(adapter);
    yield* assignVf(world, adapter);
    return commitVm(world, transaction, adapter.vm, [], () => removeVf(adapter));
  };
  return changeVm(world, transaction, adapter.vm, steps, () => adapterInfo(world, adapter));
}

/** S17 step 3. */
export function removeAdapterVf(
  world: World,
  transaction: Transaction | undefined,
  adapter: AdapterEntry,
): MaybePromise<AdapterInfo> {
  const steps = function* (): Steps<Committed> {
    mustHave(adapter);
    yield* removeVf(adapter);
    return commitVm(world, transaction, adapter.vm, [], () => assignVf(world, adapter));
  };
  return changeVm(world, transaction, adapter.vm, steps, () => adapterInfo(world, adapter));
}

function requiredAfter(
  world: World,
  adapter: AdapterEntry,
  { requiredFeatures }: AdapterUpdate,
): readonly RequiredFeature[] {
  if (requiredFeatures === undefined) return adapter.requiredFeatures;
  const required = requiredFeaturesOf(world, requiredFeatures);
  const entry = adapter.connection?.entry;
  if (entry !== undefined) mustOffer(world, adapter, entry, required);
  return required;
}

function settingsAfter(before: AdapterSettings, change: NicUpdate): AdapterSettings {
  const after = { ...before };
  if (change.name !== undefined) after.name = checkName(change.name, 'adapter');
  if (change.mtu !== undefined) after.mtu = checkMtu(change.mtu);
  if (change.vmMac !== undefined) after.vmMac = unicastMac(change.vmMac, 'vmMac');
  if (change.numaNode !== undefined) after.numaNode = numaNode(change.numaNode);
  if (change.mac !== undefined) {
    after.mac = unicastMac(change.mac);
    after.macType = 'static';
  }
  return after;
}

function numaNode(given: number): number {
  if (Number.isInteger(given) && given >= 0 && given <= 65_535) return given;
  throw new ExtSwitchError('INVALID_ARGUMENT', `numaNode ${given}: expected 0 to 65535`, {
    member: 'numaNode',
    expected: '0 to 65535',
    found: String(given),
  });
}

/** The adapter gets these settings, on the switch first. */
function* become(world: World, adapter: AdapterEntry, after: AdapterSettings): Steps<void> {
  const { connection, settings: before } = adapter;
  const nic = connection?.port.nics.get(0);
  if (connection !== undefined && nic?.state === 'connected') {
    const change = nicChange(world, adapter, after);
    if (Object.keys(change).length > 0) {
      let claim: MacClaim | undefined;
      const check = (): void => {
        if (change.permanentMac !== undefined) claim = world.macs.claim(after.mac, adapter);
      };
      try {
        yield* settled(connection.entry.machine.updateNic(connection.port, nic, change, { check }));
      } finally {
        world.macs.settle(claim, nic);
      }
    }
  }
  if (!isSame(after.mac, before.mac)) {
    world.macs.keep(after.mac);
    world.macs.forget(before.mac);
  }
  Object.assign(before, after);
}

/** What NIC_UPDATED shall say: what differs (rule C29), with the CurrentMacAddress that follows (rule C15). */
function nicChange(world: World, adapter: AdapterEntry, after: AdapterSettings): NicChange {
  const { settings: before, properties, vm } = adapter;
  const change: { -readonly [Member in keyof NicChange]: NicChange[Member] } = {};
  if (after.name !== before.name) change.friendlyName = after.name;
  if (after.mtu !== before.mtu) change.mtu = after.mtu;
  if (after.numaNode !== before.numaNode) change.numaNodeId = after.numaNode;
  if (!isSame(after.mac, before.mac)) change.permanentMac = after.mac;
  // A guest that set no address of its own follows the adapter's.
  const vmMac = after.vmMac ?? after.mac;
  if (!isSame(vmMac, before.vmMac ?? before.mac)) change.vmMac = vmMac;
  if (change.permanentMac !== undefined || change.vmMac !== undefined) {
    const addresses = { mac: after.mac, vmMac, vmName: vm.id };
    change.currentMac = currentMacOf(world, properties.values(), addresses);
  }
  return change;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return macNumber(a) === macNumber(b);
}
