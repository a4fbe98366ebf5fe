import { harmless, type Terminal } from './terminal.ts';
import { padBefore, padBehind, textWidth } from './text-width.ts';

/** A column of a printed table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => unknown;
  readonly align?: 'right';
}

/** Widest a column gets; longer text of a row stands out. */
const WIDTH_MAX = 60;

/** Prints a table page by page: titles once, widths that only grow. */
export class ColumnPrinter<Row> {
  readonly #terminal: Terminal;
  readonly #columns: readonly Column<Row>[];
  readonly #widths: number[];
  #begun = false;

  constructor(terminal: Terminal, columns: readonly Column<Row>[]) {
    this.#terminal = terminal;
    this.#columns = columns;
    this.#widths = columns.map((column) => column.title.length);
  }

  async print(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const cells = rows.map((row) => this.#columns.map((column) => cellText(column.value(row))));
    for (const row of cells) {
      row.forEach((text, at) => {
        this.#widths[at] = Math.min(WIDTH_MAX, Math.max(this.#widths[at] ?? 0, textWidth(text)));
      });
    }
    const lines = cells.map((row) => this.#row(row));
    if (!this.#begun) {
      this.#begun = true;
      const titles = this.#row(this.#columns.map((column) => column.title.toUpperCase()));
      lines.unshift(this.#terminal.style.dim(titles));
    }
    await this.#terminal.print(`${lines.join('\n')}\n`);
  }

  #row(cells: readonly string[]): string {
    return cells
      .map((text, at) => {
        const width = this.#widths[at] ?? 0;
        return this.#columns[at]?.align === 'right'
          ? padBefore(text, width)
          : padBehind(text, width);
      })
      .join('  ')
      .trimEnd();
  }
}

/** A value as one line for people: objects as `Name=value, …`, nothing as `-`. */
function cellText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  if (typeof value === 'string') return harmless(value).replaceAll('\n', '\\n');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cellText).join(',');
  if (typeof value === 'object') {
    const parts = Object.entries(value).map(([name, part]) => `${name}=${cellText(part)}`);
    return harmless(parts.join(', ')) || '-';
  }
  return String(value);
}

/** Prints one object as `name: value` lines. */
export async function printFields(
  terminal: Terminal,
  fields: readonly (readonly [name: string, value: unknown])[],
): Promise<void> {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  const lines = fields.map(
    ([name, value]) => `${terminal.style.dim(`${name}:`.padEnd(width))} ${cellText(value)}`,
  );
  await terminal.print(`${lines.join('\n')}\n`);
}
