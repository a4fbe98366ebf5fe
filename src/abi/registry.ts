import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { AnnotatedNode } from './annotate.ts';
import { enumeratorName } from './annotate.ts';
import { oidByName, oidName } from './oid-codes.ts';
import type { DescribeContext, FeatureKind } from './pieces.ts';
import { nodeOf } from './pieces.ts';
import type { Scope } from './property.ts';
import { isStructureName, structure } from './structure.ts';
import type { StructureName } from './tables/structures.ts';

/** Structures of what travels upwards: indications are no OIDs, but have bytes all the same. */
const INDICATIONS: Readonly<Record<string, StructureName>> = {
  NDIS_STATUS_SWITCH_NIC_STATUS: 'NDIS_SWITCH_NIC_STATUS_INDICATION',
};

/** Structure of an indication's bytes, or `undefined`. */
function indicationStructure(name: string): StructureName | undefined {
  return Object.hasOwn(INDICATIONS, name) ? INDICATIONS[name] : undefined;
}

/**
 * Reads vendor data. `version` is PropertyVersion or FeatureStatusVersion; `data` a window, not a copy. Offsets of the
 * nodes are from the start of `data`. `undefined`: the feature is not known, the bytes are shown raw.
 */
export type CustomNodes = (
  scope: Scope,
  kind: FeatureKind,
  id: Guid,
  version: number,
  data: Uint8Array,
) => readonly AnnotatedNode[] | undefined;

/** Reads vendor data as values by name that JSON can hold; see {@link CustomNodes}. */
export type CustomValues = (
  scope: Scope,
  kind: FeatureKind,
  id: Guid,
  version: number,
  data: Uint8Array,
) => Readonly<Record<string, unknown>> | undefined;

/**
 * The bytes as a tree with absolute offsets, nested property and custom buffers, array elements and enumeration entries
 * included. `name` is a structure, an OID (then `bytes` is
 * the OID's information buffer) or an indication (its status buffer). Unknown names are
 * `NOT_FOUND`; bytes that are not that structure are `ABI_INVALID` naming structure, member, offset, expected, found.
 */
export function describe(
  name: string,
  bytes: Uint8Array,
  options: { readonly custom?: CustomNodes } = {},
): AnnotatedNode {
  const { custom } = options;
  return describeWith(name, bytes, (scope, kind, id, version, data) => {
    const nodes = custom?.(scope, kind, id, version, data);
    return nodes === undefined ? undefined : { nodes };
  });
}

function describeWith(
  name: string,
  bytes: Uint8Array,
  custom: DescribeContext['custom'],
): AnnotatedNode {
  const oid = oidByName(name);
  const structureName = oid?.structure ?? indicationStructure(name) ?? name;
  if (!isStructureName(structureName)) {
    throw new ExtSwitchError(
      'NOT_FOUND',
      `${JSON.stringify(name)} is neither a structure nor an OID of the switch ABI`,
      { expected: 'NDIS_… or OID_…', found: name },
    );
  }
  // Questions of array queries and enumerations carry any Size (quirk 18), and only OIDs carry questions.
  const header = oid === undefined ? 'strict' : 'anySize';
  const context = { header, custom } as const;
  return nodeOf(structure(structureName), structureName, bytes, 0, bytes.length, context);
}

/**
 * The information buffer of an OID, or the status buffer of an indication, as values by name that JSON can hold: 64-bit numbers as decimal text, enumerators by name,
 * byte arrays as hex text, lists as arrays, vendor data as `custom` reads it (else hex text). An empty buffer or an OID
 * not in the table gives an empty object; bytes that are not what the OID says give `{ error: {…} }` with the place, so
 * a trace can show any request.
 */
export function decodePayload(
  oid: number | string,
  bytes: Uint8Array,
  options: { readonly custom?: CustomValues } = {},
): Readonly<Record<string, unknown>> {
  const name = typeof oid === 'number' ? oidName(oid) : oid;
  const known = oidByName(name) !== undefined || indicationStructure(name) !== undefined;
  if (bytes.length === 0 || !known) return {};
  const { custom } = options;
  try {
    const node = describeWith(name, bytes, (scope, kind, id, version, data) => {
      const plain = custom?.(scope, kind, id, version, data);
      return plain === undefined ? undefined : { plain };
    });
    return { structure: node.ctype, ...plainMembers(node.children ?? []) };
  } catch (error) {
    if (!isExtSwitchError(error) || error.code !== 'ABI_INVALID') throw error;
    return { error: { message: error.message, ...error.place } };
  }
}

function plainMembers(nodes: readonly AnnotatedNode[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const node of nodes) {
    // Members of nested structs and union arms carry their path in the name.
    const path = node.name.split('.');
    let level = result;
    for (const part of path.slice(0, -1)) {
      level[part] ??= {};
      level = level[part] as Record<string, unknown>;
    }
    level[path[path.length - 1] as string] = plainNode(node);
  }
  return result;
}

function plainNode(node: AnnotatedNode): unknown {
  if (node.plain !== undefined) return node.plain;
  const { children, value } = node;
  if (children !== undefined) {
    return children[0]?.name === '[0]' ? children.map(plainNode) : plainMembers(children);
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return enumeratorName(node.ctype, value) ?? value;
  return value;
}
