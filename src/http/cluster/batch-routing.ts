import { ExtSwitchError } from '../../core/errors.ts';
import { MESSAGE_PACK, packValue, unpackValue } from '../msgpack.ts';
import type { Result } from '../route.ts';
import type { World } from '../worlds.ts';
import { answerRequest, isGone, type RoutedRequest } from './answer-request.ts';
import type { ClusterPlane } from './cluster-plane.ts';
import type { Passed, Passing } from './messages.ts';
import { isHere, type Subject, subjectOf } from './subject.ts';

/** An operation of a batch, as it was given, with its route. */
export interface BatchOperation extends Pick<RoutedRequest, 'route' | 'params' | 'query'> {
  readonly path: string;
  readonly body: unknown;
  readonly ifMatch: string | undefined;
}

/** Operations of one batch, between the hosts of a cluster. */
export class BatchRouting {
  readonly #plane: ClusterPlane;
  readonly #entry: World;

  constructor(plane: ClusterPlane, entry: World) {
    this.#plane = plane;
    this.#entry = entry;
  }

  /** It is answered here alone, so it can be started before those before it are durable. */
  isLocal(operation: BatchOperation): boolean {
    if (namesThisHost(operation)) return true;
    if (operation.route.gatheredBy !== undefined) return false;
    const subject = subjectIn(operation);
    return subject === undefined || isHere(this.#entry.fabric, subject);
  }

  /** Answers one operation, here or where its subject is. Throws as {@link answerRequest}. */
  async run(operation: BatchOperation, runHere: () => Result | Promise<Result>): Promise<Result> {
    const { route, params, query, body } = operation;
    const { result } = await answerRequest(
      this.#plane,
      {
        route,
        params,
        query,
        body,
        entry: this.#entry,
        host: undefined,
        isInside: false,
        key: undefined,
        passing: () => passingOf(operation),
      },
      runHere,
    );
    return result.passed === undefined ? result : resultOf(result.status, result.passed);
  }

  /** What was started here and found that its subject had left goes after it. */
  async after(
    operation: BatchOperation,
    outcome: Result,
    runHere: () => Result | Promise<Result>,
  ): Promise<Result> {
    const subject = subjectIn(operation);
    if (subject === undefined || !isGone(outcome, this.#entry, subject)) return outcome;
    return this.run(operation, runHere);
  }

  /**
   * The one host that all operations of an atomic batch are about, when it is another one; `undefined`: this one. Throws
   * `INVALID_ARGUMENT` naming the operation when they are about several, `HOST_UNREACHABLE`, `AMBIGUOUS_NAME`.
   */
  async hostOfAll(
    operations: readonly (BatchOperation | undefined)[],
  ): Promise<string | undefined> {
    const made = new Set<string>();
    const owners = new Map<string, string | undefined>();
    let makesUnknown = false;
    let first: { readonly at: number; readonly host: string } | undefined;
    let isHereToo = false;
    for (const [at, operation] of operations.entries()) {
      const subject = operation && subjectIn(operation);
      let host: string | undefined;
      if (subject !== undefined && !made.has(subject.text) && !makesUnknown) {
        const key = `${subject.kind}/${subject.text}`;
        if (!owners.has(key)) owners.set(key, await this.#plane.ownerElsewhere(subject));
        host = owners.get(key);
      }
      if (host === undefined) isHereToo = true;
      else first ??= { at, host };
      if (first !== undefined && (isHereToo || first.host !== (host ?? first.host))) {
        const wrong = host === undefined || host === first.host ? first : { at, host };
        const path = operations[wrong.at]?.path.slice(0, 200) ?? '';
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `operation ${wrong.at} (${path}) of this atomic batch is about a VM of host ${JSON.stringify(wrong.host)}, and others are not: what is done or undone as one is on one host. Nothing was done`,
          { member: `operations[${wrong.at}].path`, found: wrong.host },
        );
      }
      // What an earlier operation makes is here, though nobody has it yet.
      if (operation?.route.operationId === 'createVm') made.add(nameIn(operation.body));
      if (/^import/.test(operation?.route.operationId ?? '')) makesUnknown = true;
    }
    return first?.host;
  }

  /** A whole atomic batch at another host. */
  async passWhole(host: string, body: unknown, key: string | undefined): Promise<Result> {
    const passed = await this.#plane.pass(host, {
      method: 'POST',
      url: '/v1/batch',
      headers: {
        accept: MESSAGE_PACK,
        'content-type': MESSAGE_PACK,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: packValue(body),
    });
    return resultOf(passed.status, passed);
  }
}

/** `/hosts/<this one>/v1/…`: nobody else is asked. */
function namesThisHost({ path }: BatchOperation): boolean {
  return path.startsWith('/hosts/');
}

function subjectIn(operation: BatchOperation): Subject | undefined {
  if (namesThisHost(operation)) return undefined;
  return subjectOf(operation.route, operation.params, operation.body);
}

function nameIn(body: unknown): string {
  const name = (body as { readonly name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : '';
}

/** The operation as a request: MessagePack keeps 64-bit integers and bytes as they are. */
function passingOf({ route, path, body, ifMatch }: BatchOperation): Passing {
  return {
    method: route.method,
    url: path,
    headers: {
      accept: MESSAGE_PACK,
      ...(body === undefined ? {} : { 'content-type': MESSAGE_PACK }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    ...(body === undefined ? {} : { body: packValue(body) }),
  };
}

/** What another host answered, as a handler's result. */
function resultOf(status: number, { headers, body }: Pick<Passed, 'headers' | 'body'>): Result {
  const header = (name: string): string | undefined => {
    const at = headers.findIndex((text, i) => i % 2 === 0 && text === name);
    return at < 0 ? undefined : headers[at + 1];
  };
  const type = header('content-type') ?? '';
  const etag = header('etag');
  const location = header('location');
  return {
    status,
    ...(body.length === 0 ? {} : { body: decoded(type, body) }),
    ...(etag === undefined ? {} : { etag: Number(etag.replaceAll('"', '')) }),
    ...(location === undefined ? {} : { location }),
    ...(type.includes('problem') ? { problem: true } : {}),
  };
}

function decoded(type: string, body: Uint8Array): unknown {
  return type.includes('json') ? JSON.parse(Buffer.from(body).toString('utf8')) : unpackValue(body);
}
