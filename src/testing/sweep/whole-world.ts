import type { MemoryStore } from '../../store/memory-store.ts';
import type { Outcome } from '../simulation/patience.ts';
import { type Invariant, messageOf } from './breach.ts';
import type { Hosts } from './world-state.ts';

type Bad = (invariant: Invariant, message: string) => void;

/**
 * A VM that runs is connected as its adapters say, one that is off has no port; each is on one host. `isLossy`: an extension has
 * refused what was to come back, so that an adapter may be left out.
 */
export function checkVms(hosts: Hosts, isLossy: boolean, bad: Bad): void {
  const owners = new Map<string, string>();
  for (const [host, fabric] of hosts) {
    for (const { id, name, state, adapters } of fabric.vms.list()) {
      const other = owners.get(id);
      if (other !== undefined) bad('wholeVms', `${name} is on ${other} and on ${host}`);
      owners.set(id, host);
      const isUp = state === 'running' || state === 'paused';
      for (const { name: adapter, connected, port, switch: sw } of adapters) {
        const what = `${name} is ${state}, its ${adapter} (${sw?.name ?? 'no switch'}) is`;
        if (isUp && sw !== undefined && !connected && !isLossy) {
          bad('wholeVms', `${what} not connected`);
        }
        if (!isUp && (connected || port !== undefined)) {
          bad('wholeVms', `${what} connected, or has a port`);
        }
      }
    }
  }
}

/** Waits for an act; `undefined` when it never ends, which is complained of, and then nothing more can be asked. */
export type Settled = (
  what: string,
  act: () => Promise<unknown>,
) => Promise<Outcome<unknown> | undefined>;

/** Takes VMs and switches away; what an extension still holds of them is found then (rules B39, C60). */
export async function takeAway(
  hosts: Hosts,
  stores: ReadonlyMap<string, MemoryStore>,
  settled: Settled,
  bad: Bad,
): Promise<void> {
  const must = async (what: string, act: () => Promise<unknown>): Promise<boolean> => {
    const outcome = await settled(what, act);
    if (outcome === undefined) return false;
    if ('error' in outcome) bad('empty', `${what}: ${messageOf(outcome.error)}`);
    return true;
  };
  for (const [host, fabric] of hosts) {
    for (const { id, name } of [...fabric.vms.list()]) {
      const vm = fabric.vms.get(id);
      const isOff = vm.info.state === 'off';
      if (!isOff && !(await must(`stopping ${name} on ${host}`, () => vm.stop()))) return;
      if (!(await must(`deleting ${name} on ${host}`, () => vm.delete()))) return;
    }
    for (const { id, name } of [...fabric.switches.list()]) {
      const gone = () => fabric.switches.get(id).delete();
      if (!(await must(`deleting switch ${name} on ${host}`, gone))) return;
    }
    const left = Array.from(stores.get(host)?.range('') ?? [], ([key]) => key).filter(
      (key) => !KEPT.test(key),
    );
    if (left.length > 0) bad('empty', `the store of ${host} has left ${left.join(', ')}`);
  }
}

/** Keys of a store that stay when all VMs and switches are gone: src/policy/records.ts. */
const KEPT = /^(feature|extension|meta|format|migration)/;
