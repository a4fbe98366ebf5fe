import { ExtSwitchError } from '../../core/errors.ts';
import type { HostDirectory, MigrationPeer } from '../../policy/migration-api.ts';
import type { Planted } from './plants.ts';

/** What lies between two hosts. */
export interface Line {
  /** Whether the process of a host is gone. */
  isDead(host: string): boolean;
  readonly planted: Planted;
}

/** The other hosts as one host sees them: a process that was killed hears and says nothing. */
export class SimulatedHosts implements HostDirectory {
  readonly #all: HostDirectory;
  readonly #self: string;
  readonly #line: Line;

  constructor(all: HostDirectory, self: string, line: Line) {
    this.#all = all;
    this.#self = self;
    this.#line = line;
  }

  peer(host: string): MigrationPeer | undefined {
    const peer = this.#all.peer(host);
    if (peer === undefined) return undefined;
    const { planted } = this.#line;
    const send = async <T>(deliver: () => Promise<T>): Promise<T> => {
      this.#mustLive(host);
      const answer = await deliver();
      this.#mustLive(host);
      return answer;
    };
    return {
      host: peer.host,
      compare: (...of) => send(() => peer.compare(...of)),
      prepare: (...of) => send(() => peer.prepare(...of)),
      take: async (...of) => {
        const report = await send(() => peer.take(...of));
        if (!planted.denies()) return report;
        throw new ExtSwitchError('VETOED', `${host} took it and says that it did not`);
      },
      abandon: (...of) => send(() => peer.abandon(...of)),
      outcome: async (...of) => planted.said(await send(() => peer.outcome(...of))),
      supersede: (...of) => send(() => peer.supersede(...of)),
      forget: (...of) => send(() => peer.forget(...of)),
    };
  }

  #mustLive(to: string): void {
    for (const host of [this.#self, to]) {
      if (this.#line.isDead(host)) throw new ExtSwitchError('HOST_UNREACHABLE', `${host} died`);
    }
  }

  join(peer: MigrationPeer): void {
    this.#all.join(peer);
  }
  leave(peer: MigrationPeer): void {
    this.#all.leave(peer);
  }
  subscribe(listener: (host: string) => void): () => void {
    return this.#all.subscribe(listener);
  }
}
