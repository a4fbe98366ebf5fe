import type { AdapterFacts } from '../../switch/physical-adapter.ts';
import type { Nic, Port } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import { nicOptions, now, portOptions } from './switch-world.ts';

/** The external port with its NIC and these adapters below it, indexes from 1, all connected. */
export function makeUplink(
  machine: Switch,
  adapters: readonly AdapterFacts[] = [{ name: 'pNIC 1', virtualFunctions: 2, queues: 2 }],
): Port {
  const external = (index: number, adapter?: AdapterFacts) =>
    nicOptions({
      index,
      type: 'external',
      name: `external ${index}`,
      mac: Uint8Array.of(0x02, 0, 0, 0, 0, index),
      ...(adapter === undefined ? {} : { adapter }),
    });
  const outcome = now(
    machine.openConnection({
      port: portOptions('external', 'uplink'),
      properties: [],
      nics: [external(0), ...adapters.map((adapter, i) => external(i + 1, adapter))],
    }),
  );
  if (outcome.port === undefined) throw new Error('the uplink was refused');
  return outcome.port;
}

/** A VM's port with its connected NIC. */
export function makeVm(machine: Switch, name = 'vm'): { port: Port; nic: Nic } {
  const outcome = now(
    machine.openConnection({
      port: portOptions('synthetic', name),
      properties: [],
      nics: [nicOptions({ name, vmName: `id of ${name}`, vmFriendlyName: name })],
    }),
  );
  const nic = outcome.port?.nics.get(0);
  if (outcome.port === undefined || nic === undefined) throw new Error('the VM was refused');
  return { port: outcome.port, nic };
}

/** The adapter with this index below the external NIC. */
export function adapterOf(uplink: Port, index = 1) {
  const adapter = uplink.nics.get(index)?.adapter;
  if (adapter === undefined) throw new Error(`no adapter ${index}`);
  return adapter;
}
