import { ExtSwitchError } from '../core/errors.ts';
import type { HostDirectory, MigrationPeer } from '../policy/migration-api.ts';
import type { MessageFault, MessageName } from './faults.ts';

/** What the directory asks the hosts of a scenario. */
export interface Correspondent {
  /** The fault that a message of this host to another meets, if any. */
  meetMessage(message: MessageName, to: string): MessageFault | undefined;
  /** The host ends here and now, as if its process were killed. */
  crash(): void;
}

/** The other hosts as one host sees them: what it sends them, or what they answer, may be lost; it may die as it sends. */
export class FaultyHosts implements HostDirectory {
  readonly #all: HostDirectory;
  readonly #self: Correspondent;

  constructor(all: HostDirectory, self: Correspondent) {
    this.#all = all;
    this.#self = self;
  }

  peer(host: string): MigrationPeer | undefined {
    const peer = this.#all.peer(host);
    if (peer === undefined) return undefined;
    const send = <T>(message: MessageName, deliver: () => Promise<T>): Promise<T> =>
      this.#send(message, host, deliver);
    return {
      host: peer.host,
      compare: (document, switches) => send('compare', () => peer.compare(document, switches)),
      prepare: (migration, document, switches) =>
        send('prepare', () => peer.prepare(migration, document, switches)),
      take: (migration, records, state) => send('take', () => peer.take(migration, records, state)),
      abandon: (migration) => send('abandon', () => peer.abandon(migration)),
      outcome: (migration) => send('outcome', () => peer.outcome(migration)),
      supersede: (migration) => send('supersede', () => peer.supersede(migration)),
      forget: (migration) => send('forget', () => peer.forget(migration)),
    };
  }

  async #send<T>(message: MessageName, to: string, deliver: () => Promise<T>): Promise<T> {
    const fault = this.#self.meetMessage(message, to);
    if (fault === undefined) return deliver();
    if (fault.effect === 'crash' && !fault.delivered) this.#self.crash();
    if (fault.delivered) await deliver();
    if (fault.effect === 'crash' && fault.delivered) this.#self.crash();
    const what = fault.delivered ? `the answer to ${message}` : message;
    throw new ExtSwitchError(
      'HOST_UNREACHABLE',
      `the scenario injected a fault: ${what} of host ${to} was lost`,
    );
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
