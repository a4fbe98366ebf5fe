import type { FabricInterface } from '../../policy/api.ts';
import type { Act } from './change.ts';
import type { HostRule } from './step.ts';
import type { Verdict } from './world-checks.ts';

/** With acts among the rules of a step, what became of the switches of that host is not predicted. */
export function shaken(verdict: Verdict, rules: readonly HostRule[] = []): Verdict {
  const acting = rules.filter(({ effect }) => effect === 'act');
  if (acting.length === 0) return verdict;
  return { result: 'unknown', acts: [...verdict.acts, ...acting.map(({ host }) => shakeOf(host))] };
}

/** Whatever becomes of the switches of a host. */
export const shakeOf = (host: string): Act => ({
  host,
  touches: [`switch/${host}/`, `port/${host}/`, `switchPolicy/${host}/`],
  shakesVms: true,
  run: () => Promise.resolve(),
  missing: () => undefined,
});

/** Deletes all VMs and switches. */
export async function emptied(fabric: FabricInterface): Promise<void> {
  for (const { id } of [...fabric.vms.keys()]) {
    const vm = fabric.vms.get(id);
    if (vm.info.state !== 'off') await vm.stop();
    await vm.delete();
  }
  for (const { id } of [...fabric.switches.list()]) await fabric.switches.get(id).delete();
}

export function hasVm(world: FabricInterface, vm: string): boolean {
  for (const { name } of world.vms.keys()) if (name === vm) return true;
  return false;
}

type Worlds = readonly { readonly fabric: FabricInterface }[];

/** A VM is on its way. */
export const isMoving = (hosts: Worlds): boolean =>
  hosts.some(({ fabric }) =>
    [...fabric.migrations.list()].some(({ state }) => state === 'running'),
  );

/** Those of these VMs that are on no host, nor kept where they were taken away (decision 0010). */
export const lostOf = (vms: Iterable<string>, hosts: Worlds): readonly string[] =>
  [...vms].filter(
    (vm) =>
      !hosts.some(
        ({ fabric }) =>
          hasVm(fabric, vm) ||
          [...fabric.migrations.list(), ...fabric.migrations.arrivals()].some(
            (each) => each.vm.name === vm && each.kept === true,
          ),
      ),
  );
