import type { Item } from './client.ts';
import type { Column } from './columns.ts';

/** The host that has the thing. */
export const HOST_COLUMN: Column<Item> = { title: 'host', value: (item) => item['host'] };

/** The same pages, and whether their items are on several hosts: the first page tells. */
export async function peekHosts(all: AsyncGenerator<readonly Item[]>): Promise<{
  readonly pages: AsyncIterable<readonly Item[]>;
  readonly isCluster: boolean;
}> {
  const first = await all.next();
  async function* pages(): AsyncGenerator<readonly Item[]> {
    if (first.done === true) return;
    yield first.value;
    yield* all;
  }
  const items = first.done === true ? [] : first.value;
  return { pages: pages(), isCluster: items.some((item) => item['host'] !== undefined) };
}
