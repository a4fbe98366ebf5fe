import type { Item } from './client.ts';
import { commandName, type Invocation } from './command.ts';
import { UsageError } from './usage-error.ts';

/** What `nic set` and `vm adapter set` change: the flags that are given. Throws {@link UsageError} when none is. */
export function nicChange(call: Invocation): Item {
  const change = nicChangeOf(call);
  if (Object.keys(change).length > 0) return change;
  throw nothing(call, '--name, --mac, --vm-mac, --mtu or --numa-node');
}

/** `vm adapter set`: that, and what the switch must offer. */
export function adapterChange(call: Invocation): Item {
  const isNone = call.has('require-none');
  if (isNone && call.has('require')) {
    throw new UsageError('give --require or --require-none, not both', commandName(call.spec));
  }
  const change = {
    ...nicChangeOf(call),
    ...(isNone || call.has('require') ? { requiredFeatures: call.list('require') } : {}),
  };
  if (Object.keys(change).length > 0) return change;
  throw nothing(call, '--name, --mac, --vm-mac, --mtu, --numa-node, --require or --require-none');
}

function nicChangeOf(call: Invocation): Item {
  return {
    ...(call.has('name') ? { name: call.text('name') } : {}),
    ...(call.has('mac') ? { mac: call.text('mac') } : {}),
    ...(call.has('vm-mac') ? { vmMac: call.text('vm-mac') } : {}),
    ...(call.has('mtu') ? { mtu: call.integer('mtu') } : {}),
    ...(call.has('numa-node') ? { numaNode: call.integer('numa-node') } : {}),
  };
}

function nothing(call: Invocation, flags: string): UsageError {
  return new UsageError(`nothing to change: give ${flags}`, commandName(call.spec));
}
