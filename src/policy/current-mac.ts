import type { Nic, NicChange, NicOptions, Port, PropertyInstance } from '../../switch/ports.ts';
import { NIC_STATES, tryNextState } from '../../switch/states.ts';
import type { MaybePromise } from '../../switch/steps.ts';
import type { Switch } from '../../switch/switch.ts';
import { macNumber } from './mac-pool.ts';
import type { World } from './world.ts';

/** NdisSwitchPortPropertyTypeSecurity. */
export const SECURITY_TYPE = 2;

type Addresses = Pick<NicOptions, 'mac' | 'vmMac' | 'vmName'>;

/**
 * Rule C15, CurrentMacAddress: VMMacAddress when the port's security property has AllowMacSpoofing; with AllowTeaming the
 * address the guest's team failed over to; else PermanentMacAddress. Failed over means that the guest set the address of
 * another NIC of the same VM: what a team does when it takes over for a member.
 */
export function currentMacOf(
  world: World,
  properties: Iterable<PropertyInstance>,
  nic: Addresses,
): Uint8Array {
  const vmMac = nic.vmMac;
  if (vmMac === undefined) return nic.mac;
  for (const { codec, settings, refused } of properties) {
    if (codec.propertyType !== SECURITY_TYPE || refused !== undefined) continue;
    if (settings['AllowMacSpoofing'] === true) return vmMac;
    if (settings['AllowTeaming'] !== true) continue;
    const other = world.macs.nicOf(vmMac);
    if (other !== undefined && nic.vmName !== '' && other.vmName === nic.vmName) return vmMac;
  }
  return nic.mac;
}

/** CurrentMacAddress of a NIC after `change`. */
export function currentMacAfter(world: World, port: Port, nic: Nic, change: NicChange): Uint8Array {
  const vmMac = change.vmMac ?? nic.vmMac;
  const addresses = { mac: change.permanentMac ?? nic.permanentMac, vmName: nic.vmName };
  return currentMacOf(
    world,
    port.properties.values(),
    vmMac === undefined ? addresses : { ...addresses, vmMac },
  );
}

/** Thrown in its turn when there is nothing to say any more. */
const NOTHING = new Error('the address is right or the NIC is gone');

/**
 * After the port's security property changed: NIC_UPDATED for its NIC when CurrentMacAddress is another one now (rules C15,
 * C28, C29). `undefined` at once when nothing changes, which is nearly always.
 */
export function refreshCurrentMac(
  world: World,
  machine: Switch,
  port: Port,
): Promise<void> | undefined {
  const nic = port.nics.get(0);
  if (nic?.vmMac === undefined || isRight(world, port, nic)) return undefined;
  const check = (): void => {
    const isUpdatable = tryNextState(NIC_STATES, nic.state, 'update') !== undefined;
    if (!isUpdatable || port.state !== 'created' || isRight(world, port, nic)) throw NOTHING;
  };
  return ignoreNothing(() =>
    machine.updateNic(port, nic, { currentMac: currentMacAfter(world, port, nic, {}) }, { check }),
  );
}

function isRight(world: World, port: Port, nic: Nic): boolean {
  return macNumber(currentMacAfter(world, port, nic, {})) === macNumber(nic.currentMac);
}

function ignoreNothing(update: () => MaybePromise<void>): Promise<void> | undefined {
  const ignore = (error: unknown): void => {
    if (error !== NOTHING) throw error;
  };
  try {
    const updating = update();
    return updating instanceof Promise ? updating.catch(ignore) : undefined;
  } catch (error) {
    ignore(error);
    return undefined;
  }
}
