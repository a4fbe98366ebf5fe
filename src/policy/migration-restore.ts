import { Arrival } from './migration-arrival.ts';
import { Departure } from './migration-departure.ts';
import { Destination } from './migration-destination.ts';
import type { ArrivalRecord, DepartureRecord } from './migration-records.ts';
import { MigrationSource } from './migration-source.ts';
import { Travel } from './migration-travel.ts';
import { type VmRecord, vmKey } from './records.ts';
import { storedFooting } from './vf-adapter.ts';
import type { Footing } from './vm-connection.ts';
import { type AdapterEntry, VmEntry } from './vm-entry.ts';
import type { Footings } from './vm-power.ts';
import type { World } from './world.ts';

/** The stored migrations, before the VMs: one that was on its way is not connected until it is known who owns it. */
export function restoreMigrations(world: World): void {
  const departures: [string, DepartureRecord][] = [];
  const arrivals: [string, ArrivalRecord][] = [];
  for (const [key, value] of world.store.range('migration/')) {
    const record = value as unknown as DepartureRecord | ArrivalRecord;
    world.sawOrder(record.order);
    const id = key.slice('migration/'.length);
    if (record.role === 'source') departures.push([id, record]);
    else arrivals.push([id, record]);
  }
  departures.sort(([, a], [, b]) => a.order - b.order);
  for (const [id, record] of departures) {
    const departure = Departure.stored(world, id, record);
    world.departures.set(id, departure);
    // Whether it has told so is not stored: one more write in each migration for what can be said twice.
    if (departure.state === 'succeeded') world.farewells.remember(id, departure.host);
  }
  arrivals.sort(([, a], [, b]) => a.order - b.order);
  for (const [id, record] of arrivals) {
    const arrival = Arrival.stored(id, record);
    world.arrivals.set(id, arrival);
    if (record.state === 'prepared') arrival.claimName(world);
  }
}

/** A VM whose migration was cut off between save and answer is not to be connected: perhaps it runs elsewhere. */
export function isUndecided(world: World, vm: VmEntry): boolean {
  for (const { id, state, vm: moving, host } of world.departures.values()) {
    if (state !== 'handing' || moving.id !== vm.id) continue;
    vm.travel = new Travel(id);
    vm.travel.undecided = `host ${JSON.stringify(host)} is asked whether it has taken it`;
    return true;
  }
  return false;
}

/** The world is open: other hosts find it, and it asks them about what was cut off. Returns what to call when it closes. */
export function joinHosts(world: World): () => void {
  const { hosts } = world;
  const peer = new Destination(world);
  hosts?.join(peer);
  for (const departure of world.departures.values()) {
    if (!departure.isFinal) departure.done = resumed(world, departure);
  }
  void world.farewells.tellEveryone();
  const unsubscribe = hosts?.subscribe((host) => {
    void world.farewells.tellAll(host);
    for (const departure of world.departures.values()) {
      if (departure.host === host) departure.wake?.();
    }
  });
  return () => {
    unsubscribe?.();
    hosts?.leave(peer);
  };
}

async function resumed(world: World, departure: Departure): Promise<void> {
  const { id, name } = departure.vm;
  // One that is deleted since has nothing to come back to, but the other host is to let go all the same.
  const vm = world.vms.get(id) ?? new VmEntry(id, name, 0);
  await new MigrationSource(world, departure, vm).resume(storedFootings(world, vm));
}

function storedFootings(world: World, vm: VmEntry): Footings {
  const record = world.store.get(vmKey(vm.id)) as unknown as VmRecord | undefined;
  const footings = new Map<AdapterEntry, Footing>();
  for (const one of record?.adapters ?? []) {
    const adapter = vm.adapters.find(({ id }) => id === one.id);
    if (adapter === undefined || one.portId === undefined) continue;
    footings.set(adapter, storedFooting(world, one));
  }
  return footings;
}
