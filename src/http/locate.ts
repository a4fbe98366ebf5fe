import type { FastifyRequest } from 'fastify';
import type { CompiledRoute } from './dispatcher.ts';
import type { Plane } from './plane.ts';

/** Which route a request is for. */
export interface Located {
  readonly compiled: CompiledRoute;
  readonly params: Readonly<Record<string, string>>;
  /** Name of the world in the path; `undefined` below plain `/v1`. */
  readonly world: string | undefined;
  /** Name of the host in the path: the request is for that one and no other. */
  readonly host: string | undefined;
}

const WORLDS = '/worlds/';
const HOSTS = '/hosts/';

/**
 * The route below `/v1`, `/worlds/{world}/v1` or `/hosts/{host}/v1` that a request is for: the same table and the same matcher as a batch's
 * operations. An array: the path exists for these methods; `undefined`: it does not exist. HEAD is a GET without body.
 * Throws `MALFORMED` for a broken escape.
 */
export function locate(
  plane: Plane,
  request: FastifyRequest,
): Located | readonly string[] | undefined {
  const url = request.raw.url ?? '';
  const query = url.indexOf('?');
  const end = query < 0 ? url.length : query;
  let start = 0;
  let world: string | undefined;
  let host: string | undefined;
  const prefix = url.startsWith(WORLDS) ? WORLDS : url.startsWith(HOSTS) ? HOSTS : undefined;
  if (prefix !== undefined) {
    start = url.indexOf('/', prefix.length);
    if (start < 0 || start > end) return undefined;
    const name = url.slice(prefix.length, start);
    if (prefix === WORLDS) world = name;
    else host = name;
  }
  const { method } = request;
  const isHead = method === 'HEAD';
  const found = plane.matcher.match(isHead ? 'GET' : method, url.slice(start, end));
  if (found === undefined || !('value' in found)) return found;
  const { route } = found.value;
  if (prefix !== undefined && route.scope === 'server') return undefined;
  if (isHead && route.produces !== undefined) return [route.method];
  return { compiled: found.value, params: found.params, world, host };
}
