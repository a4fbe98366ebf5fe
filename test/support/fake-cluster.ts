import type { Cluster, ClusterEvents, HostMember } from '../../src/cluster/api.ts';
import { ExtSwitchError } from '../../src/core/errors.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

type Handler = Parameters<Cluster['serve']>[1];

/** What passes between hosts; a test may hold it, lose it, or look at it. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly service: string;
  readonly body: Uint8Array;
}

/** A cluster of hosts in one process: it is asked by calls, and hosts fall silent when a test says so. */
export class FakeNetwork {
  readonly hosts = new LocalHosts();
  readonly #hosts = new Map<string, FakeCluster>();
  /** All questions so far. */
  readonly asked: Question[] = [];
  /** Called before a question is answered; a rejection loses it. */
  before: ((question: Question) => Promise<void> | void) | undefined;
  /** Called after a question was answered, before the answer is heard; a rejection loses the answer. */
  after: ((question: Question) => Promise<void> | void) | undefined;

  join(host: string): FakeCluster {
    const member = new FakeCluster(this, host);
    this.#hosts.set(host, member);
    this.tell();
    return member;
  }

  /** Something about the hosts has changed. */
  tell(): void {
    for (const member of this.#hosts.values()) member.tell();
  }

  all(): FakeCluster[] {
    return [...this.#hosts.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  async ask(question: Question): Promise<Uint8Array> {
    const { to, service, body, from } = question;
    this.asked.push(question);
    const member = this.#hosts.get(to);
    if (member === undefined || member.state !== 'alive') throw unreachable(to);
    await this.before?.(question);
    const handler = member.handlers.get(service);
    if (handler === undefined) throw unreachable(to);
    // Bytes of their own, as over a wire.
    const answer = await handler(Uint8Array.from(body), from);
    await this.after?.(question);
    return Uint8Array.from(answer);
  }
}

export function unreachable(host: string): ExtSwitchError {
  return new ExtSwitchError('HOST_UNREACHABLE', `host ${host} does not answer`, { found: host });
}

/** One host. */
export class FakeCluster implements Cluster {
  readonly name = 'lab';
  readonly epoch = 1;
  readonly store = new MemoryStore();
  readonly handlers = new Map<string, Handler>();
  isHolding = true;
  readonly host: string;
  readonly #network: FakeNetwork;
  readonly #lost = new AbortController();
  readonly #listeners = new Set<() => void>();
  #state: HostMember['state'] = 'alive';
  #url: string | undefined;

  constructor(network: FakeNetwork, host: string) {
    this.#network = network;
    this.host = host;
  }

  get hosts(): LocalHosts {
    return this.#network.hosts;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get events(): ClusterEvents {
    throw new Error('no test asks the fake cluster for events');
  }

  get state(): HostMember['state'] {
    return this.#state;
  }

  set state(state: HostMember['state']) {
    this.#state = state;
    this.#network.tell();
  }

  get url(): string | undefined {
    return this.#url;
  }

  set url(url: string | undefined) {
    this.#url = url;
    this.#network.tell();
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Another process is the host. */
  lose(): void {
    this.isHolding = false;
    this.#lost.abort(new ExtSwitchError('LEASE_LOST', `another process is host ${this.host}`));
  }

  members(): readonly HostMember[] {
    return this.#network.all().map(({ host, state, url, epoch }) => ({
      host,
      epoch,
      state,
      ...(url === undefined ? {} : { url }),
      profile: 'ws2022',
      version: '0.0.0-test',
      since: '2026-01-02T03:04:05.000Z',
      isSelf: host === this.host,
    }));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async announce(url: string): Promise<void> {
    this.url = url;
  }

  ask(host: string, service: string, body: Uint8Array): Promise<Uint8Array> {
    return this.#network.ask({ from: this.host, to: host, service, body });
  }

  async askAll(service: string, body: Uint8Array): ReturnType<Cluster['askAll']> {
    const answers = new Map<string, Uint8Array>();
    const silent: string[] = [];
    for (const { host, state } of this.#network.all()) {
      if (host === this.host || state !== 'alive') continue;
      try {
        answers.set(host, await this.ask(host, service, body));
      } catch {
        silent.push(host);
      }
    }
    return { answers, silent };
  }

  removeHost(): never {
    throw new Error('no test removes a host of the fake cluster');
  }

  serve(service: string, handler: Handler): () => void {
    this.handlers.set(service, handler);
    return () => this.handlers.delete(service);
  }

  async close(): Promise<void> {
    this.state = 'left';
  }
}
