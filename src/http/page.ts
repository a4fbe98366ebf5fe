import { ExtSwitchError } from '../core/errors.ts';

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;

/** `?limit=&cursor=` of every list. */
export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}
export interface Page<T> {
  readonly items: readonly T[];
  /** Cursor of the next page; absent on the last. */
  readonly next?: string;
}

/** {@link pageByKey} of what is light to enumerate; only what stands on the page is `shown`. */
export function pageOf<K, T>(
  keys: Iterable<K>,
  key: (item: K) => string,
  query: PageQuery,
  show: (item: K) => T,
): Page<T> {
  const page = pageByKey(keys, key, query);
  return { ...page, items: page.items.map(show) };
}

/**
 * The items after the cursor, in the order of their keys (byte order of UTF-16). The cursor holds a key, not a place, so
 * pages neither repeat nor miss an item because others came or went. One pass over `items`, `limit` kept.
 */
export function pageByKey<T>(
  items: Iterable<T>,
  key: (item: T) => string,
  query: PageQuery,
): Page<T> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const best: { key: string; item: T }[] = [];
  let more = false;
  for (const item of items) {
    const k = key(item);
    if (after !== undefined && k <= after) continue;
    if (best.length === limit) {
      more = true;
      if (k >= (best[limit - 1] as { key: string }).key) continue;
      best.pop();
    }
    best.splice(placeOf(k, best), 0, { key: k, item });
  }
  const last = best[best.length - 1];
  return {
    items: best.map((entry) => entry.item),
    ...(more && last !== undefined ? { next: encodeCursor(last.key) } : {}),
  };
}

/**
 * The first page of several lists together, from the first page of each, all made with the same query: what another list still
 * has comes behind the last item that is kept here, so the cursor goes on in all of them.
 */
export function mergePages<T>(
  pages: readonly Page<T>[],
  key: (item: T) => string,
  query: PageQuery,
): Page<T> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const all = pages.flatMap(({ items }) => items.map((item) => ({ key: key(item), item })));
  all.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const kept = all.slice(0, limit);
  const last = kept.at(-1);
  const more = all.length > limit || pages.some(({ next }) => next !== undefined);
  return {
    items: kept.map(({ item }) => item),
    ...(more && last !== undefined ? { next: encodeCursor(last.key) } : {}),
  };
}

/** Where a key belongs in a sorted list: behind those that are not greater. */
function placeOf(key: string, sorted: readonly { readonly key: string }[]): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as { key: string }).key > key) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** The same for short lists that have an order of their own (a switch's extensions). A cursor whose item left: `MALFORMED`. */
export function pageInOrder<T>(
  items: readonly T[],
  key: (item: T) => string,
  query: PageQuery,
): Page<T> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  let start = 0;
  if (query.cursor !== undefined) {
    const after = decodeCursor(query.cursor);
    start = items.findIndex((item) => key(item) === after) + 1;
    if (start === 0) throw badCursor();
  }
  const page = items.slice(start, start + limit);
  const last = page[page.length - 1];
  return {
    items: page,
    ...(last !== undefined && start + limit < items.length
      ? { next: encodeCursor(key(last)) }
      : {}),
  };
}

const PREFIX = 'k1.';

function encodeCursor(key: string): string {
  return PREFIX + Buffer.from(key, 'utf8').toString('base64url');
}

function decodeCursor(cursor: string): string {
  const text = cursor.startsWith(PREFIX) ? cursor.slice(PREFIX.length) : '';
  const key = Buffer.from(text, 'base64url').toString('utf8');
  if (key === '' || encodeCursor(key) !== cursor) throw badCursor();
  return key;
}

function badCursor(): ExtSwitchError {
  return new ExtSwitchError(
    'MALFORMED',
    'the cursor was not made by this list, or its item is gone',
    {
      member: 'cursor',
    },
  );
}
