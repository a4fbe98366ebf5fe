import type { Guid } from '../core/guid.ts';
import { abiInvalid } from './abi-error.ts';
import { readGuidMember, writeGuidMember } from './guid-member.ts';
import { U16Member, U64Member } from './member-array.ts';
import type { CType, KindOf } from './tables/ctypes.ts';
import type { StructureRow } from './tables/row.ts';
import type { STRUCTURES, StructureName } from './tables/structures.ts';
import { readTextMember, writeTextMember } from './text-member.ts';
import { viewSource } from './view-code.ts';

/** What every view has beside its members. */
export interface ViewBase {
  /** The bytes bound; never copied. */
  readonly bytes: Uint8Array;
  /** Where the structure starts in {@link bytes}. */
  readonly offset: number;
  /** Bytes the structure may use from there on. */
  readonly length: number;
  /**
   * Binds the view to other bytes, without allocating unless they lie in another ArrayBuffer. `length` defaults to all
   * that follows `offset`. Throws `ABI_INVALID` when there is less room than revision 1 of the structure needs; after
   * that no access can leave the bytes. Members that only a newer revision has read as zero, and throw when written,
   * unless Header.Revision, Header.Size and the room all cover them.
   */
  rebind(bytes: Uint8Array, offset?: number, length?: number): this;
}

interface Row {
  readonly name: string;
  readonly ctype: CType;
  readonly count?: number;
}

/** NDIS_OBJECT_HEADER inside a structure. */
export interface HeaderView {
  Type: number;
  Revision: number;
  Size: number;
}

type Scalar<C extends CType> =
  KindOf<C> extends 'u64' | 'pointer'
    ? bigint
    : KindOf<C> extends 'bool'
      ? boolean
      : KindOf<C> extends 'guid'
        ? Guid
        : KindOf<C> extends 'countedString' | 'isolationName'
          ? string
          : KindOf<C> extends 'header'
            ? HeaderView
            : number;

type ArrayOf<C extends CType> =
  KindOf<C> extends 'u8' ? Uint8Array : KindOf<C> extends 'wchar' ? U16Member : U64Member;

type ValueOf<F extends Row> = F extends { readonly count: number }
  ? ArrayOf<F['ctype']>
  : Scalar<F['ctype']>;

/** First name parts of the members behind prefix `P`. */
type Heads<F extends Row, P extends string> = F['name'] extends infer N
  ? N extends `${P}${infer R}`
    ? R extends `${infer H}.${string}`
      ? H
      : R
    : never
  : never;
type At<F extends Row, N extends string> = Extract<F, { readonly name: N }>;
/** Nested structs and element arrays are written through, never replaced. */
type Fixed<F extends Row, N extends string> = [At<F, N>] extends [never]
  ? true
  : ValueOf<At<F, N>> extends HeaderView | U64Member | U16Member
    ? true
    : false;

/** Accessors of the members whose names start with `P`. */
type Members<F extends Row, P extends string> = {
  [K in Heads<F, P> as Fixed<F, `${P}${K}`> extends true ? never : K]: ValueOf<At<F, `${P}${K}`>>;
} & {
  readonly [K in Heads<F, P> as Fixed<F, `${P}${K}`> extends true ? K : never]: [
    At<F, `${P}${K}`>,
  ] extends [never]
    ? Members<Extract<F, { readonly name: `${P}${K}.${string}` }>, `${P}${K}.`>
    : ValueOf<At<F, `${P}${K}`>>;
};

/** Members of structure `N`, named exactly as NDIS names them. */
export type MembersOf<N extends StructureName> = Members<
  (typeof STRUCTURES)[N]['fields'][number],
  ''
>;

/**
 * Typed window on the bytes of one structure. Integers are numbers, 64-bit ones and pointers bigints, GUIDs canonical
 * text, counted strings and isolation names text, byte arrays `Uint8Array` windows (assigning copies in and zero-fills
 * the rest), arrays of wider elements small accessors, nested structs nested views.
 */
export type View<N extends StructureName> = ViewBase & MembersOf<N>;

/** Constructor of the views of one structure. */
export type ViewClass<N extends StructureName> = new (
  bytes: Uint8Array,
  offset?: number,
  length?: number,
) => View<N>;

const noBytes = new Uint8Array(0);

/** What the generated classes call. */
const SUPPORT = {
  noBytes,
  noData: new DataView(noBytes.buffer),
  U64Member,
  U16Member,
  readText: readTextMember,
  writeText: writeTextMember,
  readGuid: readGuidMember,
  writeGuid: writeGuidMember,
  writeBytes,
  tooShort(name: string, minimum: number, bytes: Uint8Array, offset: number, length: number) {
    if (offset >>> 0 !== offset || offset > bytes.length) {
      const expected = `an offset from 0 to ${bytes.length}`;
      return abiInvalid(name, '', offset, expected, String(offset));
    }
    const room = Math.min(length, bytes.length - offset);
    const expected = `at least ${Math.max(minimum, length > room ? length : minimum)} bytes`;
    return abiInvalid(name, '', offset, expected, `${room} bytes`);
  },
  absent(name: string, member: string, offset: number, revision: number) {
    return abiInvalid(
      name,
      member,
      offset,
      `revision ${revision} of the structure`,
      'an older one that has no such member',
    );
  },
};

function writeBytes(
  bytes: Uint8Array,
  offset: number,
  value: Uint8Array,
  size: number,
  structure: string,
  member: string,
): void {
  if (value.length > size) {
    throw abiInvalid(structure, member, offset, `at most ${size} bytes`, `${value.length} bytes`);
  }
  bytes.set(value, offset);
  bytes.fill(0, offset + value.length, offset + size);
}

/** Makes the view class of a structure. Its text comes from our own static table only, never from input. */
export function makeViewClass<N extends StructureName>(name: N, row: StructureRow): ViewClass<N> {
  const make = new Function('h', viewSource(name, row)) as (support: typeof SUPPORT) => unknown;
  return make(SUPPORT) as ViewClass<N>;
}
