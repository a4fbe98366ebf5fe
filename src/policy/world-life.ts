import { joinHosts, restoreMigrations } from './migration-restore.ts';
import { restoreSwitches } from './restore.ts';
import { restoreVms } from './vm-restore.ts';
import type { World } from './world.ts';

/** Brings what is stored to life: switches with their stacks, ports, NICs and properties, migrations, VMs. */
export async function restoreWorld(world: World): Promise<void> {
  // Rule A50: also without a required extension; that one asks what there is when it comes up.
  await world.rebuilding(async () => {
    await restoreSwitches(world);
    restoreMigrations(world);
    await restoreVms(world);
    world.reseed();
  });
}

/** The same for a world whose hosts know it: for them it was gone for a moment. */
export async function restoreHost(world: World): Promise<void> {
  world.leaveHosts();
  await restoreWorld(world);
  world.leaveHosts = joinHosts(world);
}

/** Everything that runs ends: requests in flight with REQUEST_ABORTED, extensions by being detached. What is stored stays. */
export async function stopWorld(world: World): Promise<void> {
  const { vms, vmNames, adapters, departures, arrivals, farewells } = world;
  for (const vm of vms.values()) vm.isDeleted = true;
  for (const all of [vms, vmNames, adapters]) all.clear();
  // A migration that waits finds that it is no more.
  const waiting = [...departures.values()];
  if (!world.isClosed) for (const all of [departures, arrivals, farewells]) all.clear();
  for (const { wake } of waiting) wake?.();
  const entries = [...world.switches.values()];
  world.switches.clear();
  world.switchNames.clear();
  for (const entry of entries) entry.isDeleted = true;
  for (const { machine } of entries) await machine.stop();
  // Time that stands still, or ends here, would keep them for ever.
  world.writes.flush();
}
