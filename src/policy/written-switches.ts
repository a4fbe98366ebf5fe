import type { Guid } from '../core/guid.ts';
import type { Store, StoreOp } from '../store/store.ts';
import type { VmRecord } from './records.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { SwitchEntry } from './world.ts';

/** What tells of whom a record is. */
export interface Written {
  readonly switches: ReadonlyMap<Guid, SwitchEntry>;
  readonly vms: ReadonlyMap<Guid, VmEntry>;
  readonly adapters: ReadonlyMap<Guid, AdapterEntry>;
  readonly store: Pick<Store, 'get'>;
}

/**
 * Names of the switches whose records a write is about, in the order of its records: a switch, its ports and policies; a VM that is
 * configured for it, the VM's policies, run-time data and migrations. Classes are of no switch.
 */
export function switchesOf(world: Written, ops: readonly StoreOp[]): readonly string[] {
  const names = new Set<string>();
  for (const op of ops) {
    for (const id of switchIds(world, op)) {
      const name = id === undefined ? undefined : world.switches.get(id)?.name;
      if (name !== undefined) names.add(name);
    }
  }
  return [...names];
}

function switchIds(world: Written, op: StoreOp): readonly (Guid | undefined)[] {
  const [kind, id = '', owner = ''] = op.key.split('/', 3);
  switch (kind) {
    case 'switch':
    case 'port':
      return [id];
    case 'property':
      return [id === 'vm' ? world.adapters.get(owner)?.target?.id : id];
    case 'saved':
      return [world.adapters.get(owner)?.target?.id];
    case 'vm': {
      // One that is deleted is in no table any more.
      const record = (op.op === 'put' ? op.value : world.store.get(op.key)) as unknown;
      return (record as VmRecord | undefined)?.adapters.map(({ switchId }) => switchId) ?? [];
    }
    case 'migration': {
      const value = (op.op === 'put' ? op.value : undefined) as unknown;
      const { vm } = (value ?? {}) as { readonly vm?: { readonly id: Guid } };
      return world.vms.get(vm?.id ?? '')?.adapters.map(({ target }) => target?.id) ?? [];
    }
    default:
      return [];
  }
}
