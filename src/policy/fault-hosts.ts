import type { Clock } from '../core/clock.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { FaultMessage } from './faults-api.ts';
import type { HostDirectory, MigrationPeer } from './migration-api.ts';
import type { WorldFaults } from './world-faults.ts';

/**
 * The other hosts as a world sees them: where a fault says so, what it sends them or what they answer is lost, comes twice or
 * late, or the world dies as it sends.
 */
export class FaultableHosts implements HostDirectory {
  readonly #all: HostDirectory;
  readonly #faults: WorldFaults;
  readonly #clock: Clock;

  constructor(all: HostDirectory, faults: WorldFaults, clock: Clock) {
    this.#all = all;
    this.#faults = faults;
    this.#clock = clock;
  }

  peer(host: string): MigrationPeer | undefined {
    const peer = this.#all.peer(host);
    if (peer === undefined) return undefined;
    const send = <T>(message: FaultMessage, deliver: () => Promise<T>): Promise<T> =>
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

  knows(host: string): boolean {
    return this.#all.knows?.(host) === true;
  }

  async #send<T>(message: FaultMessage, to: string, deliver: () => Promise<T>): Promise<T> {
    const rule = this.#faults.message(message, to);
    if (rule === undefined) return deliver();
    const { effect, delayMs = 0 } = rule.options;
    const lost = (what: string): ExtSwitchError =>
      new ExtSwitchError(
        'HOST_UNREACHABLE',
        `fault rule ${rule.id} was met: ${what} of host ${to} was lost`,
      );
    switch (effect) {
      case 'crash':
        this.#faults.crash();
        throw lost(message);
      case 'lost':
        throw lost(message);
      case 'lostAnswer':
        await deliver();
        throw lost(`the answer to ${message}`);
      case 'crashAnswered':
        await deliver();
        this.#faults.crash();
        throw lost(`the answer to ${message}`);
      case 'delay':
        await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve, true));
        return deliver();
      case 'twice': {
        const answer = await deliver();
        // The network has two of it; who sent it has an answer already.
        await deliver().catch(() => undefined);
        return answer;
      }
      default:
        return deliver();
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
