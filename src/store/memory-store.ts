import { ExtSwitchError } from '../core/errors.ts';
import type { Store, StoreOp, StoreValue } from './store.ts';
import { checkKey, checkPrefix } from './store-key.ts';

/**
 * One level of the tree of keys. An edge is a key up to and including its next `/`, or what is left of it: `sw/7/name` is
 * `sw/` → `7/` → `name`. Edges that end in `/` lead to a node, all others to a value. So the byte order of the edges of
 * each level is the byte order of whole keys, and no table grows with the number of all keys: the cost of a put at a
 * million keys is that of a put at a thousand.
 */
class KeyNode {
  readonly edges: Map<string, KeyNode | StoreValue>;
  /** Edges in byte order; absent when one came or went since they were last sorted. */
  sorted: readonly string[] | undefined = undefined;
  /** The one store that may change it; every other one copies it first ({@link MemoryStore.fork}). */
  readonly owner: Owner;

  constructor(owner: Owner, edges?: ReadonlyMap<string, KeyNode | StoreValue>) {
    this.owner = owner;
    this.edges = new Map(edges);
  }
}

/** Stands for a store between two forks of it. */
type Owner = object;

/**
 * The engine of worlds that need not outlive the process. Everything is done at once: `write` returns `undefined`.
 * Values are kept by reference, as the contract allows. A new store costs a few hundred bytes.
 */
export class MemoryStore implements Store {
  readonly description = 'memory';
  #owner: Owner = {};
  #root = new KeyNode(this.#owner);
  /** The level of the last key written or read: neighbours in time are mostly neighbours in the tree. */
  #nearPath = '';
  #near = this.#root;
  #closed = false;

  get(key: string): StoreValue | undefined {
    this.#checkOpen();
    checkKey(key);
    const last = key.lastIndexOf('/') + 1;
    const node = this.#level(key, last, false);
    if (node === undefined) return undefined;
    const found = node.edges.get(key.slice(last));
    return found instanceof KeyNode ? undefined : found;
  }

  /** The entries as of the start of each iteration: writes made while iterating are not seen by it. */
  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    this.#checkOpen();
    checkPrefix(prefix);
    return {
      [Symbol.iterator]: () => {
        this.#checkOpen();
        return this.#collect(prefix)[Symbol.iterator]();
      },
    };
  }

  write(ops: readonly StoreOp[]): undefined {
    this.#checkOpen();
    for (const op of ops) checkKey(op.key);
    for (const op of ops) {
      if (op.op === 'put') this.#put(op.key, op.value);
      else this.#delete(op.key);
    }
    return undefined;
  }

  /**
   * A store of its own with the same content, at a cost that does not depend on how much that is: both go on from the same
   * tree, and whoever writes first copies the levels it changes.
   */
  fork(): MemoryStore {
    this.#checkOpen();
    const copy = new MemoryStore();
    copy.#root = this.#root;
    copy.#forgetNear();
    // What is there now is of neither.
    this.#owner = {};
    return copy;
  }

  /** Entries whose key starts with `path`, whole segments each followed by `/`; empty: all. */
  count(path: string): number {
    this.#checkOpen();
    const node = this.#level(path, path.length, false);
    return node === undefined ? 0 : entriesBelow(node);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#root = new KeyNode(this.#owner);
    this.#forgetNear();
  }

  #put(key: string, value: StoreValue): void {
    const last = key.lastIndexOf('/') + 1;
    const node = this.#level(key, last, true) as KeyNode;
    const before = node.edges.size;
    node.edges.set(leafOf(key, last), value);
    if (node.edges.size !== before) node.sorted = undefined;
  }

  #delete(key: string): void {
    const last = key.lastIndexOf('/') + 1;
    const level = this.#level(key, last, false);
    if (level === undefined) return;
    if (level.owner !== this.#owner || level.edges.size === 1) this.#deletePath(edgesOf(key));
    else if (level.edges.delete(key.slice(last))) level.sorted = undefined;
  }

  /** The last key of its level, or one on levels that are copied first. */
  #deletePath(edges: readonly string[]): void {
    if (!this.#has(edges)) return;
    this.#root = this.#owned(this.#root);
    const path: KeyNode[] = [this.#root];
    let node = this.#root;
    for (let i = 0; i < edges.length - 1; i++) {
      node = this.#child(node, edges[i] as string, node.edges.get(edges[i] as string) as KeyNode);
      path.push(node);
    }
    // Levels left empty go too, so that a store that was filled and emptied is as small as a new one.
    for (let i = edges.length - 1; i >= 0; i--) {
      const level = path[i] as KeyNode;
      if (!level.edges.delete(edges[i] as string)) return;
      level.sorted = undefined;
      if (level.edges.size > 0) return;
      if (level === this.#near) this.#forgetNear();
    }
  }

  #has(edges: readonly string[]): boolean {
    let node = this.#root;
    for (const edge of edges.slice(0, -1)) {
      const next = node.edges.get(edge);
      if (!(next instanceof KeyNode)) return false;
      node = next;
    }
    return node.edges.has(edges.at(-1) as string);
  }

  /** The node, or a copy of it that may be changed. */
  #owned(node: KeyNode): KeyNode {
    if (node.owner === this.#owner) return node;
    const copy = new KeyNode(this.#owner, node.edges);
    copy.sorted = node.sorted;
    if (node === this.#near) this.#near = copy;
    return copy;
  }

  /** The level below `node`, which may be changed, so that it may be changed as well. */
  #child(node: KeyNode, edge: string, child: KeyNode): KeyNode {
    const owned = this.#owned(child);
    if (owned !== child) node.edges.set(edge, owned);
    return owned;
  }

  /** The node at the end of the first `last` characters of `key`; with `create`, the levels on the way are made, to be changed. */
  #level(key: string, last: number, create: boolean): KeyNode | undefined {
    if (last === this.#nearPath.length && key.startsWith(this.#nearPath)) {
      // What this store may change hangs on levels that it may change.
      if (!create || this.#near.owner === this.#owner) return this.#near;
    }
    if (create) this.#root = this.#owned(this.#root);
    let node = this.#root;
    let start = 0;
    while (start < last) {
      const end = key.indexOf('/', start) + 1;
      const edge = key.slice(start, end);
      let next = node.edges.get(edge);
      if (!(next instanceof KeyNode)) {
        if (!create) return undefined;
        next = new KeyNode(this.#owner);
        node.edges.set(edge, next);
        node.sorted = undefined;
      } else if (create) {
        next = this.#child(node, edge, next);
      }
      node = next;
      start = end;
    }
    this.#nearPath = key.slice(0, last);
    this.#near = node;
    return node;
  }

  #forgetNear(): void {
    this.#nearPath = '';
    this.#near = this.#root;
  }

  #collect(prefix: string): (readonly [string, StoreValue])[] {
    const found: (readonly [string, StoreValue])[] = [];
    const path = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const node = this.#level(prefix, path.length, false);
    if (node === undefined) return found;
    const edgePrefix = prefix.slice(path.length);
    for (const edge of sortedEdges(node)) {
      if (edge.startsWith(edgePrefix)) collectEdge(found, node, path, edge);
    }
    return found;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ExtSwitchError('STORE_UNAVAILABLE', 'the memory store is closed');
  }
}

/** Room for the longest key; keys are ASCII (store-key.ts). */
const scratch = Buffer.alloc(512);

/** The end of a key as a text of its own: a plain slice would keep the whole key in memory behind it. */
function leafOf(key: string, last: number): string {
  const length = scratch.write(key, 'latin1');
  return scratch.toString('latin1', last, length);
}

function collectEdge(
  found: (readonly [string, StoreValue])[],
  node: KeyNode,
  path: string,
  edge: string,
): void {
  const child = node.edges.get(edge);
  const key = path + edge;
  if (!(child instanceof KeyNode)) {
    found.push([key, child as StoreValue]);
    return;
  }
  for (const next of sortedEdges(child)) collectEdge(found, child, key, next);
}

function entriesBelow(node: KeyNode): number {
  let count = 0;
  for (const child of node.edges.values())
    count += child instanceof KeyNode ? entriesBelow(child) : 1;
  return count;
}

function sortedEdges(node: KeyNode): readonly string[] {
  // The default order compares UTF-16 units, which for ASCII is the byte order.
  node.sorted ??= [...node.edges.keys()].sort();
  return node.sorted;
}

function edgesOf(key: string): string[] {
  const edges: string[] = [];
  let start = 0;
  for (let end = key.indexOf('/') + 1; end > 0; end = key.indexOf('/', start) + 1) {
    edges.push(key.slice(start, end));
    start = end;
  }
  edges.push(key.slice(start));
  return edges;
}
