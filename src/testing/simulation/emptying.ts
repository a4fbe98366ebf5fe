import type { FabricInterface } from '../../policy/api.ts';
import type { Store } from '../../store/store.ts';
import { leftByMigrations } from './migration-leftovers.ts';
import { emptied } from './world-ways.ts';

/** A host whose history has ended, open. */
interface EndedHost {
  readonly name: string;
  readonly fabric: FabricInterface;
  readonly store: Pick<Store, 'range'>;
}

/** What a host may keep without a VM or a switch. */
const KEPT = /^(feature|extension|meta|format|migration)/;

/** Everything away on all hosts; what is left all the same, in words. */
export async function allEmptied(hosts: readonly EndedHost[]): Promise<readonly string[]> {
  await Promise.all(hosts.map(({ fabric }) => emptied(fabric)));
  const left = [...(await leftByMigrations(hosts))];
  for (const { name, store } of hosts) {
    const keys = Array.from(store.range(''), ([key]) => key).filter((key) => !KEPT.test(key));
    if (keys.length > 0) left.push(`${name}: the disk has left ${keys.join()}`);
  }
  return left;
}
