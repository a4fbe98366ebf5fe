import { type AnnotatedNode, describe } from '../../abi/index.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type { FeatureRegistry } from '../../policy/feature-registry.ts';

/** The first byte that is not the recorded one. */
export interface ByteDifference {
  /** From the start of the buffer. */
  readonly offset: number;
  /** Member it is in, with the way there, as `NDIS_… > PropertyCustom > SettingIntA`; missing in bytes that are no structure. */
  readonly field?: string;
  /** Value of the member, or the byte in hex; `nothing` behind the end. */
  readonly recorded: string;
  readonly replayed: string;
}

/** `undefined`: they are the same. `oid`: what the bytes are the buffer of. */
export function byteDifference(
  registry: FeatureRegistry,
  oid: string,
  recorded: Uint8Array,
  replayed: Uint8Array,
): ByteDifference | undefined {
  const shared = Math.min(recorded.length, replayed.length);
  let offset = 0;
  while (offset < shared && recorded[offset] === replayed[offset]) offset += 1;
  if (offset === recorded.length && offset === replayed.length) return undefined;
  const was = memberAt(registry, oid, recorded, offset);
  const is = memberAt(registry, oid, replayed, offset);
  const path = was?.path ?? is?.path;
  // Members that are shown alike differ in a byte that the text does not show.
  const isTold = was !== undefined && is !== undefined && was.path === is.path;
  const told = isTold && was.value !== is.value;
  return {
    offset,
    ...(path === undefined ? {} : { field: path }),
    recorded: told ? was.value : byteAt(recorded, offset),
    replayed: told ? is.value : byteAt(replayed, offset),
  };
}

function byteAt(bytes: Uint8Array, offset: number): string {
  const byte = bytes[offset];
  return byte === undefined ? 'nothing' : `0x${byte.toString(16).padStart(2, '0')}`;
}

interface Member {
  readonly path: string;
  readonly value: string;
}

function memberAt(
  registry: FeatureRegistry,
  oid: string,
  bytes: Uint8Array,
  offset: number,
): Member | undefined {
  let node: AnnotatedNode;
  try {
    node = describe(oid, bytes, {
      custom: (_scope, kind, id, _version, data) =>
        registry.byId(kind, id)?.layout.decodeAnnotated(data).map(nodeOf),
    });
  } catch (error) {
    if (isExtSwitchError(error)) return undefined;
    throw error;
  }
  const way = wayTo(node, offset);
  const member = way.at(-1);
  if (way.length < 2 || member === undefined) return undefined;
  const { value, text } = member;
  const shown = value === undefined ? '' : String(value);
  return {
    path: way.map(({ name }) => name).join(' > '),
    value: text === undefined ? shown : `${shown} (${text})`,
  };
}

/** Down to the smallest part that has the byte; what an offset member points to stands below it, but elsewhere. */
function wayTo(node: AnnotatedNode, offset: number): readonly AnnotatedNode[] {
  for (const child of node.children ?? []) {
    const below = wayTo(child, offset);
    if (below.length > 0) return [node, ...below];
  }
  return offset >= node.offset && offset < node.offset + node.size ? [node] : [];
}

type Field = ReturnType<
  NonNullable<ReturnType<FeatureRegistry['byId']>>['layout']['decodeAnnotated']
>[number];

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
