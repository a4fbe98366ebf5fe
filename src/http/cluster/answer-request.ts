import { ERROR_CODES, ExtSwitchError } from '../../core/errors.ts';
import type { Page, PageQuery } from '../page.ts';
import { problemOf, problemResult } from '../problem.ts';
import type { Result, Route } from '../route.ts';
import type { World } from '../worlds.ts';
import type { ClusterPlane } from './cluster-plane.ts';
import { gatherList, listOfHost } from './gather.ts';
import { type Passing, passedResult } from './messages.ts';
import { isHere, type Subject, subjectName, subjectOf } from './subject.ts';

/** A request for the main world of a host of a cluster. */
export interface RoutedRequest {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  /** Not checked yet. */
  readonly query: unknown;
  readonly body: unknown;
  readonly entry: World;
  /** The host its path names. */
  readonly host: string | undefined;
  /** Another host passed it on: it is answered here, or nowhere. */
  readonly isInside: boolean;
  readonly key: string | undefined;
  readonly passing: () => Passing;
}
export interface RoutedAnswer {
  readonly result: Result;
  /** Nothing was done: what it is about is not here. Said to the host that passed it on. */
  readonly isAbsent: boolean;
}

/**
 * Answers a request here or at the host whose it is. `runHere` answers it here, refusals included. Throws what keeps it from being
 * answered at all: `HOST_UNREACHABLE`, `AMBIGUOUS_NAME`, `NOT_FOUND` of a host, `NOT_ACCEPTABLE`.
 */
export async function answerRequest(
  plane: ClusterPlane,
  request: RoutedRequest,
  runHere: () => Result | Promise<Result>,
): Promise<RoutedAnswer> {
  const { route, params, body, host, isInside } = request;
  if (host !== undefined && host !== plane.cluster.host) {
    return present(await answerThere(plane, request, host));
  }
  const isAlone = isInside || host !== undefined;
  if (route.gatheredBy !== undefined && !isAlone) {
    return present(await answerList(plane, request, route.gatheredBy, runHere));
  }
  const subject = host === undefined ? subjectOf(route, params, body) : undefined;
  if (subject === undefined) return present(await runHere());
  return answerAbout(plane, request, subject, runHere);
}

/** Local first; what is not here, or left while it was asked, is the owner's to answer. */
async function answerAbout(
  plane: ClusterPlane,
  request: RoutedRequest,
  subject: Subject,
  runHere: () => Result | Promise<Result>,
): Promise<RoutedAnswer> {
  const { entry, key, isInside } = request;
  const isRemembered = key !== undefined && entry.idempotency.has(key);
  let refused: Result | undefined;
  if (isRemembered || isHere(entry.fabric, subject)) {
    const result = await runHere();
    if (isRemembered || !isGone(result, entry, subject)) return present(result);
    // It moved away meanwhile: the refusal is not the answer to the key.
    if (key !== undefined) entry.idempotency.forget(key);
    refused = result;
  }
  if (isInside) return { result: refused ?? absentResult(subject), isAbsent: true };
  const routed = await plane.route(subject, request.passing());
  if (typeof routed === 'object') return present(passedResult(routed.host, routed.passed));
  return present(routed === 'nowhere' && refused !== undefined ? refused : await runHere());
}

/** A refusal that only says that it is here no more. */
export function isGone(result: Result, { fabric }: World, subject: Subject): boolean {
  return result.status === ERROR_CODES.NOT_FOUND.httpStatus && !isHere(fabric, subject);
}

async function answerThere(
  plane: ClusterPlane,
  { route, isInside, passing }: RoutedRequest,
  host: string,
): Promise<Result> {
  plane.assertMember(host);
  const url = plane.member(host)?.url;
  if (isInside) {
    // Only a host that changed its name under way gets here: a request is passed on once.
    throw new ExtSwitchError('NOT_FOUND', `this is not host ${JSON.stringify(host)}`, {
      expected: host,
      found: plane.cluster.host,
    });
  }
  if (route.produces !== undefined) {
    throw new ExtSwitchError(
      'NOT_ACCEPTABLE',
      `event streams are not passed from host to host: ask host ${JSON.stringify(host)} itself${url === undefined ? '' : `, ${url}/v1${route.path}`}`,
      { found: host, ...(url === undefined ? {} : { expected: `${url}/v1${route.path}` }) },
    );
  }
  return passedResult(host, await plane.pass(host, passing()));
}

async function answerList(
  plane: ClusterPlane,
  { query, passing }: RoutedRequest,
  keyOf: NonNullable<Route['gatheredBy']>,
  runHere: () => Result | Promise<Result>,
): Promise<Result> {
  const given = query as Readonly<Record<string, unknown>>;
  const { host } = given;
  if (typeof host === 'string' && host !== plane.cluster.host) {
    return listOfHost(plane, host, passing());
  }
  const own = await runHere();
  if (own.status !== 200 || host !== undefined) return own;
  // Checked by now, and still text.
  const { limit, cursor } = given;
  const page: PageQuery = {
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(typeof cursor === 'string' ? { cursor } : {}),
  };
  const items = own.body as Page<Readonly<Record<string, unknown>>>;
  return gatherList(plane, passing().url, page, keyOf, items);
}

function present(result: Result): RoutedAnswer {
  return { result, isAbsent: false };
}

function absentResult(subject: Subject): Result {
  const error = new ExtSwitchError('NOT_FOUND', `${subjectName(subject)} is not on this host`, {
    found: subject.text.slice(0, 256),
  });
  return problemResult(problemOf(error, '', () => {}));
}
