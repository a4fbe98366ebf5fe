import type { Item } from './client.ts';
import { type Column, ColumnPrinter } from './columns.ts';
import type { Invocation } from './command.ts';
import type { Terminal } from './terminal.ts';

/** Prints a list: a table for people (`nothing` when empty), with `--json` one JSON array, written as the pages come. */
export async function printItems(
  call: Invocation,
  terminal: Terminal,
  pages: AsyncIterable<readonly Item[]> | Iterable<readonly Item[]>,
  columns: readonly Column<Item>[],
  nothing: string,
): Promise<void> {
  const printer = new ColumnPrinter(terminal, columns);
  let count = 0;
  if (call.has('json')) await terminal.print('[');
  for await (const items of pages) {
    if (call.has('json')) {
      const text = items.map((item) => JSON.stringify(item)).join(',\n');
      if (text !== '') await terminal.print(`${count === 0 ? '\n' : ',\n'}${text}`);
    } else await printer.print(items);
    count += items.length;
  }
  if (call.has('json')) await terminal.print(count === 0 ? ']\n' : '\n]\n');
  else if (count === 0) terminal.note(nothing);
}

/** Prints a document of the server as it is, for `--json`. */
export async function printJson(terminal: Terminal, value: unknown): Promise<void> {
  await terminal.line(JSON.stringify(value, null, 2));
}
