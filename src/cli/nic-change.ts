import type { Item } from './client.ts';
import { commandName, type Invocation } from './command.ts';
import { UsageError } from './usage-error.ts';

/** What `nic set` and `vm adapter set` change: the flags that are given. Throws {@link UsageError} when none is. */
export function nicChange(call: Invocation): Item {
  const change = {
    ...(call.has('name') ? { name: call.text('name') } : {}),
    ...(call.has('mac') ? { mac: call.text('mac') } : {}),
    ...(call.has('vm-mac') ? { vmMac: call.text('vm-mac') } : {}),
    ...(call.has('mtu') ? { mtu: call.integer('mtu') } : {}),
    ...(call.has('numa-node') ? { numaNode: call.integer('numa-node') } : {}),
  };
  if (Object.keys(change).length > 0) return change;
  throw new UsageError(
    'nothing to change: give --name, --mac, --vm-mac, --mtu or --numa-node',
    commandName(call.spec),
  );
}
