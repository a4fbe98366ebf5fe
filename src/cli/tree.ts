import { harmless, type Terminal } from './terminal.ts';
import { textWidth } from './text-width.ts';

/** A piece of a row; what it is painted with comes after it was padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** A row of a tree. Rows of one `kind` have their cells below each other. */
export interface TreeNode {
  readonly kind: string;
  readonly cells: readonly (Cell | string)[];
  readonly children?: readonly TreeNode[];
}

interface Lines {
  readonly branch: string;
  readonly last: string;
  readonly through: string;
}
const UNICODE: Lines = { branch: '├─ ', last: '└─ ', through: '│  ' };
const ASCII: Lines = { branch: '|- ', last: '`- ', through: '|  ' };

/** Prints a tree with lines of box characters, or of ASCII where those cannot be shown. */
export async function printTree(terminal: Terminal, root: TreeNode, ascii: boolean): Promise<void> {
  const rows: string[] = [];
  const widths = new Map<string, number[]>();
  measure(root, widths);
  const lines = ascii || !showsUnicode(terminal.env) ? ASCII : UNICODE;
  draw(root, '', '', { rows, widths, lines, dim: terminal.style.dim });
  await terminal.print(`${rows.join('\n')}\n`);
}

/**
 * True when the locale of the environment is a UTF-8 one (POSIX: LC_ALL before LC_CTYPE before LANG). Windows has no such
 * variables, and its terminals show box characters.
 */
function showsUnicode(env: Terminal['env']): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'];
  if (!locale) return env['OS'] === 'Windows_NT';
  return /utf-?8/i.test(locale);
}

interface Drawing {
  readonly rows: string[];
  readonly widths: ReadonlyMap<string, readonly number[]>;
  readonly lines: Lines;
  readonly dim: (text: string) => string;
}

function measure(node: TreeNode, widths: Map<string, number[]>): void {
  const known = widths.get(node.kind) ?? [];
  widths.set(node.kind, known);
  node.cells.forEach((cell, at) => {
    known[at] = Math.max(known[at] ?? 0, textWidth(textOf(cell)));
  });
  for (const child of node.children ?? []) measure(child, widths);
}

function draw(node: TreeNode, lead: string, below: string, drawing: Drawing): void {
  const { rows, widths, lines, dim } = drawing;
  const columns = widths.get(node.kind) ?? [];
  const shown = node.cells.findLastIndex((cell) => textOf(cell) !== '');
  const cells = node.cells.slice(0, shown + 1).map((cell, at) => {
    const text = textOf(cell);
    const space = at === shown ? '' : ' '.repeat((columns[at] ?? 0) - textWidth(text));
    const paint = typeof cell === 'string' ? undefined : cell.paint;
    return `${paint === undefined || text === '' ? text : paint(text)}${space}`;
  });
  // A column that no row of the kind fills takes no place.
  const filled = cells.filter((_cell, at) => (columns[at] ?? 0) > 0);
  rows.push(`${lead === '' ? '' : dim(lead)}${filled.join('  ')}`);
  const children = node.children ?? [];
  children.forEach((child, at) => {
    const isLast = at === children.length - 1;
    const own = below + (isLast ? lines.last : lines.branch);
    draw(child, own, below + (isLast ? '   ' : lines.through), drawing);
  });
}

function textOf(cell: Cell | string): string {
  return harmless(typeof cell === 'string' ? cell : cell.text).replaceAll('\n', '\\n');
}
