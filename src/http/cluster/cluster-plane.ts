import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Cluster, HostMember } from '../../cluster/api.ts';
import { ExtSwitchError, isExtSwitchError } from '../../core/errors.ts';
import type { Route } from '../route.ts';
import type { World } from '../worlds.ts';
import {
  ABSENT_HEADER,
  decodeMessage,
  encodeMessage,
  type HostAnswer,
  INSIDE_HEADER,
  type Passed,
  type Passing,
  passedHeaders,
  type WhoseAnswer,
  type WhoseQuestion,
} from './messages.ts';
import { Owners, silentHosts } from './owners.ts';
import { claimsOf, isHere, type Subject, subjectName } from './subject.ts';

/** Milliseconds another host has for a request: longer than an extension may hold an OID, twice. */
const PASS_MS = 30_000;
/** Milliseconds all hosts have to say something about themselves. */
const HOSTS_MS = 3_000;

/** Gives a request to the plane of this process, past the guard. */
export type Inject = (request: {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: Buffer;
}) => Promise<{
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly rawPayload: Buffer;
}>;

/** Answers that are to be had from whoever is the owner. */
export type Routed =
  | { readonly host: string; readonly passed: Passed }
  /** It is here, now. */
  | 'here'
  /** All hosts answered, and none has it. */
  | 'nowhere';

/** The plane of one host of a cluster: finds the owner of what a request is about, and passes requests on. */
export class ClusterPlane {
  readonly cluster: Cluster;
  readonly owners: Owners;
  readonly #main: World;
  readonly #secret = randomBytes(24).toString('hex');
  readonly #ends: (() => void)[] = [];
  /** By name, until a change of them. */
  #members: ReadonlyMap<string, HostMember> | undefined;
  #forwarded = 0;
  #received = 0;

  constructor(cluster: Cluster, main: World) {
    this.cluster = cluster;
    this.#main = main;
    this.owners = new Owners(cluster, (question) => this.#whose(question));
  }

  /** Requests passed to other hosts, and taken from them. */
  get counts(): { readonly forwarded: number; readonly received: number } {
    return { forwarded: this.#forwarded, received: this.#received };
  }

  /** Answers the other hosts from now on, until {@link stop}. */
  serve(inject: Inject): void {
    const { cluster } = this;
    this.#ends.push(
      cluster.subscribe(() => {
        this.#members = undefined;
      }),
    );
    const answer = (service: string, handle: (body: Uint8Array) => Promise<Uint8Array>): void => {
      this.#ends.push(cluster.serve(service, handle));
    };
    answer('http', (body) => this.#take(body, inject));
    answer('http.whose', async (body) => {
      this.assertHolding();
      return encodeMessage(this.#whose(decodeMessage<WhoseQuestion>(body, 'the question')));
    });
    answer('http.host', async () => encodeMessage(this.hostAnswer()));
  }

  /** A host of the cluster, as it is now. */
  member(host: string): HostMember | undefined {
    this.#members ??= new Map(this.cluster.members().map((member) => [member.host, member]));
    return this.#members.get(host);
  }

  stop(): void {
    this.#members = undefined;
    for (const end of this.#ends.splice(0)) end();
  }

  /** Whether another host passed the request on. */
  isInside(request: IncomingMessage): boolean {
    return request.headers[INSIDE_HEADER] === this.#secret;
  }

  /** Throws `LEASE_LOST` when nothing may be answered from memory. */
  assertHolding(): void {
    const { cluster } = this;
    if (cluster.isHolding) return;
    throw new ExtSwitchError(
      'LEASE_LOST',
      cluster.lost.aborted
        ? `another process is host ${JSON.stringify(cluster.host)} of cluster ${JSON.stringify(cluster.name)}: this one ends`
        : `host ${JSON.stringify(cluster.host)} has no lease of cluster ${JSON.stringify(cluster.name)} now: it cannot reach it, or was stopped for too long`,
      { found: cluster.host },
    );
  }

  hostAnswer(): HostAnswer {
    let vms = 0;
    for (const _key of this.#main.fabric.vms.keys()) vms += 1;
    return { vms };
  }

  /** What the other hosts that are alive say of themselves. */
  async askHosts(): Promise<ReadonlyMap<string, HostAnswer>> {
    const { answers } = await this.cluster.askAll('http.host', new Uint8Array(), HOSTS_MS);
    const hosts = new Map<string, HostAnswer>();
    for (const [host, bytes] of answers) {
      hosts.set(host, decodeMessage<HostAnswer>(bytes, `the answer of host ${host}`));
    }
    return hosts;
  }

  /**
   * The request at the host that has its subject. Throws `HOST_UNREACHABLE` when that one, or one that may have it, does not
   * answer, `AMBIGUOUS_NAME`.
   */
  async route(subject: Subject, request: Passing): Promise<Routed> {
    const { owners } = this;
    const key = request.headers['idempotency-key'];
    const known = owners.recall(subject);
    if (known !== undefined && this.#isAlive(known)) {
      const passed = await this.#passAbout(known, subject, request);
      if (!passed.isAbsent) return { host: known, passed };
      owners.forget(subject);
    }
    // Twice: it may move between the search and the request (one more try).
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { owner, silent } = await owners.find(subject, key);
      if (owner === undefined) {
        if (silent.length > 0) throw unreachable(subject, silent, known);
        return 'nowhere';
      }
      if (owner === this.cluster.host) return 'here';
      const passed = await this.#passAbout(owner, subject, request);
      if (!passed.isAbsent) return { host: owner, passed };
      owners.forget(subject);
    }
    throw new ExtSwitchError(
      'HOST_UNREACHABLE',
      `${subjectName(subject)} moves from host to host, and had left each one when it was asked: try again`,
      { found: subject.text.slice(0, 256) },
    );
  }

  /** The host a batch would pass an operation about the subject to; `undefined`: here, or nowhere. */
  async ownerElsewhere(subject: Subject): Promise<string | undefined> {
    if (isHere(this.#main.fabric, subject)) return undefined;
    const { owner, silent } = await this.owners.find(subject);
    if (owner === undefined && silent.length > 0) {
      throw unreachable(subject, silent, this.owners.recall(subject));
    }
    return owner === this.cluster.host ? undefined : owner;
  }

  /** Throws `NOT_FOUND` unless the host is one of the cluster. */
  assertMember(host: string): void {
    if (this.member(host) !== undefined) return;
    throw new ExtSwitchError(
      'NOT_FOUND',
      `there is no host ${JSON.stringify(host.slice(0, 100))} in cluster ${JSON.stringify(this.cluster.name)}`,
      { found: host.slice(0, 100) },
    );
  }

  /** The request at one host. Throws `HOST_UNREACHABLE`, `NOT_FOUND`. */
  async pass(host: string, request: Passing): Promise<Passed> {
    this.assertMember(host);
    this.#forwarded += 1;
    const asked = this.cluster.ask(host, 'http', encodeMessage(request), PASS_MS);
    const bytes = await this.#whileAlive(host, asked);
    return decodeMessage<Passed>(bytes, `the answer of host ${host}`);
  }

  /** The request at every other host that is alive; the others are named. */
  async passToAll(
    request: Passing,
    timeoutMs: number,
  ): Promise<{
    readonly answers: ReadonlyMap<string, Passed>;
    readonly silent: readonly string[];
  }> {
    const asked = await this.cluster.askAll('http', encodeMessage(request), timeoutMs);
    const answers = new Map<string, Passed>();
    for (const [host, bytes] of asked.answers) {
      answers.set(host, decodeMessage<Passed>(bytes, `the answer of host ${host}`));
    }
    this.#forwarded += answers.size;
    return { answers, silent: silentHosts(this.cluster, asked.silent) };
  }

  async #passAbout(host: string, subject: Subject, request: Passing): Promise<Passed> {
    try {
      return await this.pass(host, request);
    } catch (error) {
      if (!isExtSwitchError(error) || error.code !== 'HOST_UNREACHABLE') throw error;
      const doubt =
        request.method === 'GET' || request.method === 'HEAD'
          ? ''
          : '; whether the request took effect is not known';
      throw new ExtSwitchError(
        'HOST_UNREACHABLE',
        `${subjectName(subject)} is on host ${JSON.stringify(host)}, which does not answer: ${error.message}${doubt}`,
        { found: host },
        { cause: error },
      );
    }
  }

  /** Answers a request of another host as a client would be answered here. */
  async #take(body: Uint8Array, inject: Inject): Promise<Uint8Array> {
    const { method, url, headers, body: payload } = decodeMessage<Passing>(body, 'the request');
    if (typeof url !== 'string' || !url.startsWith('/') || typeof headers !== 'object') {
      throw new ExtSwitchError('MALFORMED', 'another host passed on what is no request');
    }
    this.#received += 1;
    const answer = await inject({
      method,
      url,
      headers: { ...headers, host: 'localhost', [INSIDE_HEADER]: this.#secret },
      ...(payload === undefined ? {} : { payload: Buffer.from(payload) }),
    });
    return encodeMessage({
      status: answer.statusCode,
      headers: passedHeaders(answer.headers),
      body: answer.rawPayload,
      isAbsent: answer.headers[ABSENT_HEADER] !== undefined,
    });
  }

  #whose(question: WhoseQuestion): WhoseAnswer {
    const { fabric, idempotency } = this.#main;
    return {
      claims: claimsOf(fabric, question),
      remembers: question.key !== undefined && idempotency.has(question.key),
    };
  }

  #isAlive(host: string): boolean {
    return this.member(host)?.state === 'alive';
  }

  /** The answer, or `HOST_UNREACHABLE` as soon as the host that was asked is another process or shows no sign of life. */
  async #whileAlive<T>(host: string, answer: Promise<T>): Promise<T> {
    const before = this.member(host);
    let end: (() => void) | undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      end = this.cluster.subscribe(() => {
        const now = this.member(host);
        if (now?.state === 'alive' && now.epoch === before?.epoch) return;
        reject(
          new ExtSwitchError(
            'HOST_UNREACHABLE',
            `host ${JSON.stringify(host)} is gone, or is another process now`,
            { found: host },
          ),
        );
      });
    });
    try {
      return await Promise.race([answer, ended]);
    } finally {
      end?.();
      // One that fails later has nobody to tell.
      answer.catch(() => undefined);
    }
  }
}

/** Whether a route has anything to do with the lease of the main world: making and ending other worlds has not. */
export function needsLease(route: Route): boolean {
  return route.tag !== 'worlds';
}

function unreachable(
  subject: Subject,
  silent: readonly string[],
  known: string | undefined,
): ExtSwitchError {
  const name = subjectName(subject);
  const list = silent.map((host) => JSON.stringify(host)).join(', ');
  const [what, them] = silent.length === 1 ? ['host', 'does'] : ['hosts', 'do'];
  const message =
    known !== undefined && silent.includes(known)
      ? `${name} is on host ${JSON.stringify(known)}, which does not answer`
      : `${name} is on none of the hosts that answer; it may be on ${what} ${list}, which ${them} not`;
  return new ExtSwitchError('HOST_UNREACHABLE', message, { found: silent.join(', ') });
}
