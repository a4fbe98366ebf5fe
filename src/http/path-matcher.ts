import { ExtSwitchError } from '../core/errors.ts';

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  parameter: { readonly name: string; readonly node: Node<T> } | undefined;
  readonly values: Map<string, T>;
}

export interface PathMatch<T> {
  readonly value: T;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds what stands behind a method and a path such as `/v1/switches/{switch}`. A literal segment wins over a parameter. */
export class PathMatcher<T> {
  readonly #root: Node<T> = makeNode();

  add(method: string, path: string, value: T): void {
    let node = this.#root;
    for (const segment of path.split('/').slice(1)) {
      const name = segment.startsWith('{') ? segment.slice(1, -1) : undefined;
      if (name !== undefined) {
        node.parameter ??= { name, node: makeNode() };
        node = node.parameter.node;
        continue;
      }
      let next = node.children.get(segment);
      if (next === undefined) {
        next = makeNode();
        node.children.set(segment, next);
      }
      node = next;
    }
    node.values.set(method, value);
  }

  /** `undefined`: no such path; an array: the path exists for these methods. Throws `MALFORMED` for a broken escape. */
  match(method: string, path: string): PathMatch<T> | readonly string[] | undefined {
    const params: Record<string, string> = {};
    let node = this.#root;
    let start = 1;
    if (path.charCodeAt(0) !== 0x2f) return undefined;
    while (start <= path.length) {
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      const segment = path.slice(start, end);
      start = end + 1;
      const next = node.children.get(segment);
      if (next !== undefined) {
        node = next;
      } else if (node.parameter !== undefined && segment !== '') {
        params[node.parameter.name] = decodeSegment(segment);
        node = node.parameter.node;
      } else {
        return undefined;
      }
    }
    const value = node.values.get(method);
    if (value !== undefined) return { value, params };
    return node.values.size > 0 ? [...node.values.keys()] : undefined;
  }
}

function makeNode<T>(): Node<T> {
  return { children: new Map(), parameter: undefined, values: new Map() };
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ExtSwitchError('MALFORMED', 'the path has a malformed percent escape');
  }
}
