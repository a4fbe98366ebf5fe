import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
} from 'yaml';
import { Problems } from './problems.ts';
import { type Entry, type Place, plainValue, type Scalar, type SourceNode } from './source-node.ts';

/** Nodes of one file, aliases followed: a file that unfolds into more is refused. */
const MOST_NODES = 200_000;
/** Levels below the top; an alias may lie inside what it stands for. */
const DEEPEST = 64;

/**
 * Reads YAML or JSON (which is YAML) into nodes with their places. What cannot be read is added to `problems`, and the
 * result is `undefined`.
 */
export function parseText(text: string, problems: Problems): SourceNode | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, intAsBigInt: true, version: '1.2' });
  for (const error of document.errors) {
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    const [first = ''] = error.message.split(/ at line \d+/);
    problems.add({ line, column: col, path: '' }, first);
  }
  if (document.errors.length > 0) return undefined;
  const reader = new Reader(document, lines, problems);
  if (document.contents === null) {
    problems.add({ line: 1, column: 1, path: '' }, 'the file is empty: expected a map of fields');
    return undefined;
  }
  return reader.read(document.contents as ParsedNode, '');
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #problems: Problems;
  #count = 0;
  #depth = 0;

  constructor(document: Document.Parsed, lines: LineCounter, problems: Problems) {
    this.#document = document;
    this.#lines = lines;
    this.#problems = problems;
  }

  read(node: ParsedNode | null, path: string): SourceNode | undefined {
    this.#depth += 1;
    try {
      return this.#read(node, path);
    } finally {
      this.#depth -= 1;
    }
  }

  #read(node: ParsedNode | null, path: string): SourceNode | undefined {
    this.#count += 1;
    const place = this.#place(node, path);
    if (this.#depth > DEEPEST) {
      this.#problems.add(place, `more than ${DEEPEST} levels deep`);
      return undefined;
    }
    if (this.#count > MOST_NODES) {
      if (this.#count === MOST_NODES + 1) {
        this.#problems.add(place, `the file has more than ${MOST_NODES} values`);
      }
      return undefined;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined) return this.read(target as unknown as ParsedNode, path);
      this.#problems.add(place, `no value before this one has the anchor &${node.source}`);
      return undefined;
    }
    if (isMap(node)) return this.#map(node.items, path, place);
    if (isSeq(node)) {
      const items: SourceNode[] = [];
      for (const [i, item] of node.items.entries()) {
        const read = this.read(item as ParsedNode, `${path}[${i}]`);
        if (read !== undefined) items.push(read);
      }
      return { kind: 'list', place, items };
    }
    return { kind: 'scalar', place, value: isScalar(node) ? scalarOf(node.value) : null };
  }

  #map(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    path: string,
    place: Place,
  ): SourceNode {
    const entries = new Map<string, Entry>();
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? String(key.value) : '';
      const below = path === '' ? name : `${path}.${name}`;
      const read = this.read((value ?? null) as ParsedNode | null, below);
      if (read === undefined) continue;
      const at = this.#place(key as ParsedNode, below);
      // A field without a value has no place of its own.
      entries.set(name, { key: at, value: value === null ? { ...read, place: at } : read });
    }
    return { kind: 'map', place, entries };
  }

  #place(node: ParsedNode | null, path: string): Place {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    return { line, column: col, path };
  }
}

function scalarOf(value: unknown): Scalar {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  return String(value);
}

/** A value as YAML reads it: `10`, `true`, `[a, b]`; what is no YAML is text. */
export function parameterValue(text: string): unknown {
  const problems = new Problems('value');
  const node = text.trim() === '' ? undefined : parseText(text, problems);
  return node === undefined || problems.count > 0 ? text : plainValue(node);
}
