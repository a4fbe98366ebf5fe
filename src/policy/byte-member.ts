import { type AnnotatedNode, describe } from '../abi/index.ts';
import { isExtSwitchError } from '../core/errors.ts';
import type { FeatureRegistry, RegisteredFeature } from './feature-registry.ts';

/** The smallest member that a byte of a request belongs to. */
export interface ByteMember {
  /** The way there: structures by their NDIS names, then the registered class of vendor data and its member. */
  readonly path: readonly string[];
  /** Its value, with the enumerator's name where it has one. */
  readonly value: string;
}

/**
 * What byte `offset` of the buffer of an OID belongs to; `undefined` in bytes that are no such structure, and outside all members.
 * Vendor data that does not fit its class is bytes: the member is then the one that holds it.
 */
export function memberAt(
  registry: FeatureRegistry,
  oid: string,
  bytes: Uint8Array,
  offset: number,
): ByteMember | undefined {
  const node = legible(() =>
    describe(oid, bytes, {
      custom: (_scope, kind, id, _version, data) => {
        const registered = registry.byId(kind, id);
        return registered && legible(() => [classNode(registered, data)]);
      },
    }),
  );
  const way = node === undefined ? [] : wayTo(node, offset);
  const member = way.at(-1);
  if (way.length < 2 || member === undefined) return undefined;
  const { value, text } = member;
  const shown = value === undefined ? '' : String(value);
  return {
    path: way.map(({ name }) => name),
    value: text === undefined ? shown : `${shown} (${text})`,
  };
}

function legible<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isExtSwitchError(error)) return undefined;
    throw error;
  }
}

/** Down to the smallest part that has the byte; what an offset member points to stands below it, but elsewhere. */
function wayTo(node: AnnotatedNode, offset: number): readonly AnnotatedNode[] {
  for (const child of node.children ?? []) {
    const below = wayTo(child, offset);
    if (below.length > 0) return [node, ...below];
  }
  return offset >= node.offset && offset < node.offset + node.size ? [node] : [];
}

function classNode({ feature, layout }: RegisteredFeature, data: Uint8Array): AnnotatedNode {
  const children = layout.decodeAnnotated(data).map(nodeOf);
  const { name } = feature;
  return { name, ctype: name, offset: 0, size: data.length, value: undefined, children };
}

type Field = ReturnType<RegisteredFeature['layout']['decodeAnnotated']>[number];

function nodeOf(field: Field): AnnotatedNode {
  const { name, ctype, offset, size, value, children } = field;
  return {
    name,
    ctype,
    offset,
    size,
    value: typeof value === 'object' ? value.join(', ') : value,
    ...(children === undefined ? {} : { children: children.map(nodeOf) }),
  };
}
