/** Where something stands: 1-based line and column of a file (0: a program made it), and the path of fields to it. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

export type Scalar = null | boolean | number | bigint | string;

/** A value of a scenario with the place of every part of it, whatever it was written in. */
export type SourceNode =
  | { readonly kind: 'map'; readonly place: Place; readonly entries: ReadonlyMap<string, Entry> }
  | { readonly kind: 'list'; readonly place: Place; readonly items: readonly SourceNode[] }
  | { readonly kind: 'scalar'; readonly place: Place; readonly value: Scalar }
  | {
      readonly kind: 'function';
      readonly place: Place;
      readonly value: (world: unknown) => unknown;
    };

/** One field of a map: where its name stands, and its value. */
export interface Entry {
  readonly key: Place;
  readonly value: SourceNode;
}

/** What a node is, for messages: `a list`, `the text "x"`. */
export function shown(node: SourceNode): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'function') return 'a function';
  const { value } = node;
  if (value === null) return 'nothing';
  return typeof value === 'string' ? `the text ${JSON.stringify(value)}` : `${value}`;
}

/** The plain value of a node: maps as objects, whole numbers beyond 53 bits as `bigint`. */
export function plainValue(node: SourceNode): unknown {
  if (node.kind === 'list') return node.items.map(plainValue);
  if (node.kind !== 'map') return node.value;
  return Object.fromEntries(
    [...node.entries].map(([name, { value }]) => [name, plainValue(value)]),
  );
}

const PROGRAM = { line: 0, column: 0 };

/** Nodes of a value that a program made: TypeScript scenarios, parameters of the command line. */
export function nodeOf(value: unknown, path = ''): SourceNode {
  const place = { ...PROGRAM, path };
  if (typeof value === 'function') {
    return { kind: 'function', place, value: value as (world: unknown) => unknown };
  }
  if (Array.isArray(value)) {
    return { kind: 'list', place, items: value.map((item, i) => nodeOf(item, `${path}[${i}]`)) };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = new Map<string, Entry>();
    for (const [name, item] of Object.entries(value)) {
      if (item === undefined) continue;
      const below = path === '' ? name : `${path}.${name}`;
      entries.set(name, { key: { ...PROGRAM, path: below }, value: nodeOf(item, below) });
    }
    return { kind: 'map', place, entries };
  }
  return { kind: 'scalar', place, value: (value ?? null) as Scalar };
}
