import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';

/** A host, open, of a history that has ended: no VM is there any more and nothing is under way. */
interface EndedHost {
  readonly name: string;
  readonly fabric: FabricInterface;
}

/**
 * What migrations have left on these hosts though nobody is to need it any more, in words: a destination that stays prepared for a
 * source that has given up (G36, OP-17), one that still keeps its answer though the source has all it needs (G39), and names of
 * VMs that never came, or went back, and that nobody can use all the same (S12).
 */
export async function leftByMigrations(hosts: readonly EndedHost[]): Promise<readonly string[]> {
  const left = answersLeft(hosts);
  for (const { name: host, fabric } of hosts) {
    for (const vm of await namesTaken(fabric)) {
      left.push(`${host}: no VM is called ${vm}, and the name is taken`);
    }
  }
  return left;
}

/** Hosts that owe a farewell: what they have is written, and the destination still keeps its answer for them. */
export function owingFarewell(hosts: readonly EndedHost[]): readonly string[] {
  const kept = new Set(
    hosts.flatMap(({ fabric }) =>
      Array.from(fabric.migrations.arrivals()).flatMap(({ id, state }) =>
        state === 'taken' ? id : [],
      ),
    ),
  );
  const owes = ({ fabric }: EndedHost): boolean =>
    [...fabric.migrations.list()].some(({ id, state }) => state === 'succeeded' && kept.has(id));
  return hosts.filter(owes).map(({ name }) => name);
}

function answersLeft(hosts: readonly EndedHost[]): string[] {
  const departures = new Map(
    hosts.flatMap(({ fabric }) =>
      Array.from(fabric.migrations.list(), ({ id, state }) => [id, state] as const),
    ),
  );
  const left: string[] = [];
  for (const { name: host, fabric } of hosts) {
    for (const { id, vm, state } of fabric.migrations.arrivals()) {
      const source = departures.get(id);
      const isGivenUp = state === 'prepared' && source === 'failed';
      if (!isGivenUp && !(state === 'taken' && source === 'succeeded')) continue;
      left.push(`${host}: the arrival of ${vm.name} is ${state}, its source says ${source}`);
    }
  }
  return left;
}

async function namesTaken(fabric: FabricInterface): Promise<readonly string[]> {
  const arrivals = [...fabric.migrations.arrivals()];
  const held = new Set(arrivals.flatMap(({ vm, state }) => (state === 'prepared' ? vm.name : [])));
  const free = arrivals.flatMap(({ vm, state }) =>
    state === 'abandoned' || state === 'superseded' ? vm.name : [],
  );
  const taken: string[] = [];
  for (const name of new Set(free)) {
    // Of a migration never heard of nothing was known but its id.
    if (name === '' || held.has(name)) continue;
    try {
      const vm = await fabric.vms.create({ name });
      await vm.delete();
    } catch (error) {
      if (!isExtSwitchError(error) || error.code !== 'ALREADY_EXISTS') throw error;
      taken.push(name);
    }
  }
  return taken;
}
