import { ExtSwitchError } from '../../core/errors.ts';
import type { HostDirectory, MigrationPeer } from '../../policy/migration-api.ts';
import type { Planted } from './plants.ts';
import type { MessageName, MessageTrap } from './step.ts';

/** Which message of the step is met; shared by all hosts. */
export class MessageTraps {
  #trap: MessageTrap | undefined;

  arm(trap: MessageTrap | undefined): void {
    this.#trap = trap;
  }

  /** Met once. */
  meet(message: MessageName): MessageTrap | undefined {
    const trap = this.#trap;
    if (trap?.message !== message) return undefined;
    this.#trap = undefined;
    return trap;
  }
}

/** Whether the process at either end of a message is still there. */
export interface Line {
  isDead(host: string): boolean;
  /** The sender dies here and now. */
  crash(): void;
  readonly planted: Planted;
}

/** The other hosts as one host sees them: messages and answers get lost, and it may die sending. */
export class SimulatedHosts implements HostDirectory {
  readonly #all: HostDirectory;
  readonly #self: string;
  readonly #traps: MessageTraps;
  readonly #line: Line;

  constructor(all: HostDirectory, self: string, traps: MessageTraps, line: Line) {
    this.#all = all;
    this.#self = self;
    this.#traps = traps;
    this.#line = line;
  }

  peer(host: string): MigrationPeer | undefined {
    const peer = this.#all.peer(host);
    if (peer === undefined) return undefined;
    const send = <T>(message: MessageName, deliver: () => Promise<T>): Promise<T> =>
      this.#send(message, host, deliver);
    return {
      host: peer.host,
      compare: (...of) => send('compare', () => peer.compare(...of)),
      prepare: (...of) => send('prepare', () => peer.prepare(...of)),
      take: (...of) => send('take', () => peer.take(...of)),
      abandon: (...of) => send('abandon', () => peer.abandon(...of)),
      outcome: async (...of) =>
        this.#line.planted.said(await send('outcome', () => peer.outcome(...of))),
      supersede: (...of) => peer.supersede(...of),
      forget: (...of) => send('forget', () => peer.forget(...of)),
    };
  }

  async #send<T>(message: MessageName, to: string, deliver: () => Promise<T>): Promise<T> {
    this.#mustLive(to);
    const trap = this.#traps.meet(message);
    if (trap === undefined) {
      const answer = await deliver();
      this.#mustLive(to);
      if (message === 'take' && this.#line.planted.denies()) {
        throw new ExtSwitchError('VETOED', `${to} took it and says that it did not`);
      }
      return answer;
    }
    if (trap.effect === 'crash' && !trap.delivered) this.#line.crash();
    if (trap.delivered) await deliver();
    if (trap.effect === 'crash' && trap.delivered) this.#line.crash();
    throw new ExtSwitchError('HOST_UNREACHABLE', `${message} to ${to} was lost`);
  }

  /** A process that was killed hears and says nothing. */
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
