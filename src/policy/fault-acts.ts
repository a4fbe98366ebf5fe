import { ExtSwitchError } from '../core/errors.ts';
import type { FaultAct } from './faults-api.ts';
import { Switches } from './switch-collection.ts';
import { Vms } from './vm-collection.ts';
import type { World } from './world.ts';
import type { ActTarget } from './world-faults.ts';

/** Does what an `act` says, as a client of the world would: it waits for its turn like everything else. */
export async function performAct(world: World, act: FaultAct, target: ActTarget): Promise<void> {
  const all = new Switches(world, undefined);
  const sw = all.get(target.switch ?? '');
  switch (act) {
    case 'disableExtension':
      await sw.extensions.change(target.extension ?? '', { enabled: false });
      return;
    case 'restartStack':
      await world.switches.get(sw.info.id)?.machine.restartStack();
      return;
    case 'teardownPort':
      return teardown(world, sw, target.portId);
    case 'deleteSwitch':
      await sw.delete();
  }
}

async function teardown(
  world: World,
  sw: ReturnType<Switches['get']>,
  portId: number | undefined,
): Promise<void> {
  if (portId === undefined) {
    throw new ExtSwitchError('NOT_FOUND', 'there is no port at this place: name one with portId');
  }
  const port = sw.ports.get(String(portId));
  const { vmId, adapterId } = port.info.names;
  if (vmId === undefined || adapterId === undefined) return port.delete();
  // A VM's port goes with its connection.
  await new Vms(world, undefined).get(vmId).adapter(adapterId).disconnect();
}
