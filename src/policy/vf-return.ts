import type { Port } from '../../switch/ports.ts';
import { drive } from '../../switch/steps.ts';
import { reassignVf } from './vm-connection.ts';
import type { AdapterEntry } from './vm-entry.ts';
import { presentSwitch, type SwitchEntry, type World } from './world.ts';

/* Virtual functions that went with an uplink, when its removal is undone. */

/** Adapters with a virtual function on this switch, before something of its uplink goes. */
export function vfHolders(world: World, { id }: SwitchEntry, { type }: Port): AdapterEntry[] {
  if (type !== 'external') return [];
  return [...world.adapters.values()].filter(
    ({ connection }) =>
      connection?.entry.id === id && connection.port.nics.get(0)?.vfAssigned === true,
  );
}

/**
 * Of `holders` those that have lost their virtual function by now. The answer gives it back, in each VM's turn, when the uplink
 * is there again; not to a VM that changed meanwhile, since what was written then says that it has none.
 */
export function vfLosers(
  world: World,
  entry: SwitchEntry,
  holders: readonly AdapterEntry[],
): () => Promise<void> {
  const lost = holders
    .filter(({ connection }) => connection?.port.nics.get(0)?.vfAssigned !== true)
    .map((adapter) => ({ adapter, changes: adapter.vm.changes }));
  return async () => {
    for (const { adapter, changes } of lost) {
      const { vm } = adapter;
      await vm.queue.run(() => {
        const { connection } = adapter;
        const isAsItWas = vm.changes === changes && vm.travel === undefined && adapter.isConnected;
        if (!isAsItWas || connection?.entry !== presentSwitch(world, entry)) return undefined;
        return drive(reassignVf(world, adapter));
      });
    }
  };
}
