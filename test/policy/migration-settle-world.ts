import { ExtSwitchError } from '../../src/core/errors.ts';
import type { MigrationInfo, MigrationPeer } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { having, TrappedStore } from './migration-fault-world.ts';
import { type Host, openHost, runningVm } from './migration-world.ts';

/** Hosts whose line is cut as the source lets go of the VM: just before `take` arrives, or just after it took effect. */
export class CutHosts extends LocalHosts {
  cutsAt: 'beforeTake' | 'afterTake' | undefined;
  isCut = false;

  override peer(host: string): MigrationPeer | undefined {
    const peer = super.peer(host);
    if (peer === undefined || this.isCut) return undefined;
    const gone = (): never => {
      throw new ExtSwitchError('HOST_UNREACHABLE', `host ${host} does not answer`);
    };
    const line = <T>(send: () => Promise<T>): Promise<T> => (this.isCut ? gone() : send());
    return {
      host,
      compare: (...of) => line(() => peer.compare(...of)),
      prepare: (...of) => line(() => peer.prepare(...of)),
      take: async (...of) => {
        if (this.cutsAt === 'beforeTake') this.isCut = true;
        const report = await line(() => peer.take(...of));
        if (this.cutsAt === 'afterTake') this.isCut = true;
        return this.isCut ? gone() : report;
      },
      abandon: (...of) => line(() => peer.abandon(...of)),
      outcome: (...of) => line(() => peer.outcome(...of)),
      supersede: (...of) => line(() => peer.supersede(...of)),
      forget: (...of) => line(() => peer.forget(...of)),
    };
  }

  mend(): void {
    this.isCut = false;
    this.cutsAt = undefined;
  }
}

export interface CutScene {
  readonly hosts: CutHosts;
  readonly a: Host;
  readonly b: Host;
  readonly storeA: TrappedStore;
  readonly storeB: TrappedStore;
  /** Of the migration that waits. */
  readonly id: string;
  /** Everything the VM had. */
  readonly before: string;
}

/** VM `vm` on its way from `a` to `b`, which does not answer any more. */
export async function cutScene(cutsAt: 'beforeTake' | 'afterTake'): Promise<CutScene> {
  const hosts = new CutHosts();
  const storeA = new TrappedStore();
  const storeB = new TrappedStore();
  const a = await openHost(hosts, 'a', { store: storeA });
  const b = await openHost(hosts, 'b', { store: storeB });
  await runningVm(a);
  const before = having(a);
  hosts.cutsAt = cutsAt;
  const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
  await pass([a, b]);
  storeA.arm();
  storeB.arm();
  return { hosts, a, b, storeA, storeB, id, before };
}

/** Time for everything that comes by itself. */
export async function pass(hosts: readonly Host[], turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const { fabric } of hosts) fabric.clock.advance(1000);
  }
}

/** A host again, on what its disk holds. */
export async function again(
  hosts: CutHosts,
  name: 'a' | 'b',
  host: Host,
  store: TrappedStore,
): Promise<{ host: Host; store: TrappedStore }> {
  const copy = store.copy();
  await host.fabric.close();
  return { host: await openHost(hosts, name, { store: copy }), store: copy };
}

/** What a person sees of a migration that was settled. */
export function ruling({ state, settled, kept, error }: MigrationInfo): object {
  const { owner, found } = settled ?? {};
  return { state, owner, found, kept, code: error?.code };
}
