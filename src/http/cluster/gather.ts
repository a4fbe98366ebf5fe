import { ExtSwitchError } from '../../core/errors.ts';
import { MESSAGE_PACK, unpackValue } from '../msgpack.ts';
import { mergePages, type Page, type PageQuery } from '../page.ts';
import type { Result } from '../route.ts';
import type { ClusterPlane } from './cluster-plane.ts';
import { type Passed, type Passing, passedResult } from './messages.ts';
import { silentHosts } from './owners.ts';

type Item = Readonly<Record<string, unknown>>;

/** Milliseconds the other hosts have for their part of a list. */
const LIST_MS = 5_000;

/**
 * A list over all hosts: this host's page, which has checked the query, merged with the same page of the others in the order of
 * keys. The cursor holds a key, so it goes on at whatever host. Hosts without an answer are named in `unreachable`.
 */
export async function gatherList(
  plane: ClusterPlane,
  url: string,
  query: PageQuery,
  keyOf: (item: Item) => string,
  own: Page<Item>,
): Promise<Result> {
  const { answers, silent } = await plane.passToAll(listRequest(url), LIST_MS);
  const unreachable = new Set(silent);
  const pages = new Map([[plane.cluster.host, own]]);
  for (const [host, passed] of answers) {
    const page = pageIn(passed);
    if (page === undefined) unreachable.add(host);
    else pages.set(host, page);
  }
  const leaving = await leavingCopies(plane, pages);
  const kept = [...pages].map(([host, page]) => ({
    ...page,
    items: page.items.filter(({ id }) => !leaving.has(`${host}/${id}`)),
  }));
  const merged = mergePages(kept, keyOf, query);
  return { status: 200, body: withUnreachable(merged, [...unreachable].sort()) };
}

/** The list of one other host, as that one gives it; empty when it does not answer. Throws `NOT_FOUND`. */
export async function listOfHost(
  plane: ClusterPlane,
  host: string,
  request: Passing,
): Promise<Result> {
  plane.assertMember(host);
  if (silentHosts(plane.cluster, []).includes(host)) return nothingOf(host);
  try {
    return passedResult(host, await plane.pass(host, request));
  } catch (error) {
    if (error instanceof ExtSwitchError && error.code === 'HOST_UNREACHABLE') {
      return nothingOf(host);
    }
    throw error;
  }
}

function nothingOf(host: string): Result {
  return { status: 200, body: { items: [], unreachable: [host] } };
}

function listRequest(url: string): Passing {
  return { method: 'GET', url, headers: { accept: MESSAGE_PACK } };
}

/** `undefined` for a refusal: a host that shuts down, or has no lease just now. */
function pageIn({ status, body }: Passed): Page<Item> | undefined {
  return status === 200 ? (unpackValue(body) as Page<Item>) : undefined;
}

function withUnreachable(page: Page<Item>, unreachable: readonly string[]): object {
  return unreachable.length === 0 ? page : { ...page, unreachable };
}

/** `host/id` of each copy that is not its owner's: a VM on its way is in two places until its source has written that it left. */
async function leavingCopies(
  plane: ClusterPlane,
  pages: ReadonlyMap<string, Page<Item>>,
): Promise<ReadonlySet<string>> {
  const places = new Map<string, string[]>();
  for (const [host, { items }] of pages) {
    for (const { id } of items) {
      const text = String(id);
      const hosts = places.get(text);
      if (hosts === undefined) places.set(text, [host]);
      else hosts.push(host);
    }
  }
  const leaving = new Set<string>();
  for (const [text, hosts] of places) {
    if (hosts.length === 1) continue;
    try {
      const { owner } = await plane.owners.find({ kind: 'vm', text });
      for (const host of hosts) {
        if (owner !== undefined && host !== owner) leaving.add(`${host}/${text}`);
      }
    } catch (error) {
      // Really in two places (imported with its id, say): both are shown.
      if (!(error instanceof ExtSwitchError) || error.code !== 'AMBIGUOUS_NAME') throw error;
    }
  }
  return leaving;
}
