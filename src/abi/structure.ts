import { ExtSwitchError } from '../core/errors.ts';
import { abiInvalid, hex } from './abi-error.ts';
import { U16Member, U64Member } from './member-array.ts';
import type { NdisVersion } from './ndis-version.ts';
import { NEWEST_NDIS } from './ndis-version.ts';
import type { Revision } from './revision.ts';
import { alignofFor, revisionAt, revisionsOf, sizeofFor, sizeofRevision } from './revision.ts';
import { CONSTANTS } from './tables/constants.ts';
import { kindOf } from './tables/ctypes.ts';
import type { FieldRow, StructureRow } from './tables/row.ts';
import { STRUCTURES, type StructureName } from './tables/structures.ts';
import { COUNTED_STRING_MAX_BYTES, ISOLATION_NAME_MAX_BYTES } from './text-member.ts';
import type { View, ViewBase, ViewClass } from './view.ts';
import { makeViewClass } from './view.ts';
import { memberTree } from './view-code.ts';

/** A decoded member: what {@link Structure.decode} gives. */
export type PlainValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly (number | bigint)[]
  | PlainObject;
/** A decoded structure or nested struct. */
export interface PlainObject {
  readonly [member: string]: PlainValue;
}

/** Which revision {@link Structure.initialize} writes; default: that of the newest NDIS version. */
export type RevisionChoice = { readonly ndis?: NdisVersion } | { readonly revision: number };

/**
 * How strict a header check is. `strict`: Size from the revision 1 size up to the room. `anySize`: Size is not looked
 * at — for array queries and enumeration questions, whose senders set it to anything (ndis-switch-abi.md, quirk 18).
 */
export type HeaderCheck = 'strict' | 'anySize';

/** A structure whose name is not known to the compiler. */
export interface AnyStructure {
  readonly name: StructureName;
  readonly row: StructureRow;
  readonly revisions: readonly Revision[];
  readonly minimumSize: number;
  readonly headerType: number | undefined;
  sizeof(ndis?: NdisVersion): number;
  view(bytes: Uint8Array, offset?: number, length?: number): ViewBase;
  initialize(bytes: Uint8Array, offset?: number, choice?: RevisionChoice): number;
  check(bytes: Uint8Array, offset?: number, length?: number, header?: HeaderCheck): void;
  decode(bytes: Uint8Array, offset?: number, length?: number): PlainObject;
}

/** A string member that {@link Structure.check} looks into. */
interface TextField {
  readonly name: string;
  readonly offset: number;
  readonly end: number;
  readonly maxBytes: number;
}

/**
 * Header types accepted beside the structure's own: the receiver of the sample library insists on 0x98 for NIC status
 * indications, its sender uses 0x80 (ndis-switch-abi.md, quirk 16: send 0x80, accept both).
 */
const ALSO_ACCEPTED: Readonly<Record<string, number>> = {
  NDIS_SWITCH_NIC_STATUS_INDICATION: CONSTANTS.NDIS_OBJECT_TYPE_STATUS_INDICATION,
};

const NEWEST: RevisionChoice = { ndis: NEWEST_NDIS };

/** Its declaration macro swaps Size and Revision, so the header is never validated (ndis-switch-abi.md, quirk 15). */
const HEADER_UNCHECKED = 'NDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE_INFO';

/** One structure of the table: sizes, views, validation. Made by {@link structure}. */
export class Structure<N extends StructureName = StructureName> {
  readonly name: N;
  readonly row: StructureRow;
  /** Oldest first; empty for a structure without header. */
  readonly revisions: readonly Revision[];
  /** Fewest bytes a reader needs: Size of revision 1, or sizeof without header. */
  readonly minimumSize: number;
  /** Value of Header.Type; `undefined` without header. */
  readonly headerType: number | undefined;
  #view: ViewClass<N> | undefined;
  readonly #texts: readonly TextField[];
  /** What {@link initialize} copies, by NDIS version or revision; made on first use. */
  readonly #blanks = new Map<NdisVersion | number, Uint8Array>();
  readonly #sizes = new Map<NdisVersion, number>();
  readonly #otherType: number;
  readonly #checksHeader: boolean;

  constructor(name: N) {
    const row: StructureRow = STRUCTURES[name as StructureName];
    this.name = name;
    this.row = row;
    this.revisions = revisionsOf(row);
    this.minimumSize = row.revisionSizes[0] ?? row.size;
    this.headerType = row.headerType === null ? undefined : CONSTANTS[row.headerType];
    this.#otherType = ALSO_ACCEPTED[name] ?? this.headerType ?? 0;
    this.#checksHeader = this.headerType !== undefined && name !== HEADER_UNCHECKED;
    this.#texts = textFields(name, row);
  }

  /** sizeof in a build for `ndis` (default: the newest), bytes; 0 when that version does not declare it. */
  sizeof(ndis: NdisVersion = NEWEST_NDIS): number {
    const known = this.#sizes.get(ndis);
    if (known !== undefined) return known;
    const size = sizeofFor(this.row, ndis);
    this.#sizes.set(ndis, size);
    return size;
  }

  /** Alignment in a build for `ndis`, bytes. */
  alignof(ndis: NdisVersion = NEWEST_NDIS): number {
    return alignofFor(this.row, ndis);
  }

  /** Revision a sender built for `ndis` writes; 0 without header or when `ndis` does not declare it. */
  revisionFor(ndis: NdisVersion): number {
    return revisionAt(this.revisions, ndis);
  }

  /** A new view; see {@link ViewBase.rebind} for the bounds. The header is not looked at: see {@link check}. */
  view(bytes: Uint8Array, offset = 0, length = bytes.length - offset): View<N> {
    this.#view ??= makeViewClass(this.name, this.row);
    return new this.#view(bytes, offset, length);
  }

  /**
   * Zero-fills sizeof bytes at `offset` and writes Header: type, revision, Size = end of that revision's last member.
   * Returns sizeof. `ABI_INVALID` when there is no room, `INVALID_ARGUMENT` when the version or revision has no such
   * structure.
   */
  initialize(bytes: Uint8Array, offset = 0, choice: RevisionChoice = NEWEST): number {
    const key = 'revision' in choice ? choice.revision : (choice.ndis ?? NEWEST_NDIS);
    const blank = this.#blanks.get(key) ?? this.#makeBlank(key);
    const size = blank.length;
    this.#room(bytes, offset, bytes.length - offset, size);
    bytes.set(blank, offset);
    return size;
  }

  /** A zeroed structure with its header. */
  #makeBlank(key: NdisVersion | number): Uint8Array {
    const isRevision = typeof key === 'number';
    const size = isRevision
      ? sizeofRevision(this.name, this.row, this.revisions, key)
      : this.sizeof(key);
    if (size === 0) throw this.#notIn(String(key));
    const blank = new Uint8Array(size);
    if (this.headerType !== undefined) {
      const revision = isRevision ? key : this.revisionFor(key);
      const end = this.row.revisionSizes[revision - 1] ?? 0;
      blank.set([this.headerType, revision, end & 0xff, end >> 8]);
    }
    this.#blanks.set(key, blank);
    return blank;
  }

  /**
   * Validates the structure at `offset`, which may use `length` bytes: room, Header.Type equal, Revision at least 1,
   * Size from the revision 1 size up to the room (a newer sender is accepted, ndis-switch-abi.md 2), string lengths.
   * Throws `ABI_INVALID` naming structure, member, offset, expected and found. Never reads outside.
   */
  check(
    bytes: Uint8Array,
    offset = 0,
    length = bytes.length - offset,
    header: HeaderCheck = 'strict',
  ): void {
    this.#room(bytes, offset, length, this.minimumSize);
    if (this.#checksHeader) this.#checkHeader(bytes, offset, length, header);
    for (const text of this.#texts) {
      if (text.end > this.minimumSize && text.end > length) continue;
      const at = offset + text.offset;
      const lengthBytes = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      if (lengthBytes > text.maxBytes || lengthBytes % 2 !== 0) {
        const member = text.name === '' ? 'Length' : `${text.name}.Length`;
        const expected = `an even number of bytes up to ${text.maxBytes}`;
        throw abiInvalid(this.name, member, at, expected, String(lengthBytes));
      }
    }
  }

  /** {@link check}, then every member as a plain value: nested structs as objects, byte arrays copied. */
  decode(bytes: Uint8Array, offset = 0, length = bytes.length - offset): PlainObject {
    this.check(bytes, offset, length);
    return plain(this.view(bytes, offset, length), this.row.fields);
  }

  #checkHeader(bytes: Uint8Array, offset: number, length: number, header: HeaderCheck): void {
    const type = bytes[offset] as number;
    if (type !== this.headerType && type !== this.#otherType) {
      const expected = hex(this.headerType ?? 0, 2);
      throw abiInvalid(this.name, 'Header.Type', offset, expected, hex(type, 2));
    }
    const revision = bytes[offset + 1] as number;
    if (revision < 1) {
      throw abiInvalid(this.name, 'Header.Revision', offset + 1, 'at least 1', String(revision));
    }
    if (header === 'anySize') return;
    const size = (bytes[offset + 2] as number) | ((bytes[offset + 3] as number) << 8);
    if (size < this.minimumSize || size > length) {
      const expected = `${this.minimumSize} to ${length}`;
      throw abiInvalid(this.name, 'Header.Size', offset + 2, expected, String(size));
    }
  }

  #room(bytes: Uint8Array, offset: number, length: number, size: number): void {
    if (offset >>> 0 !== offset || offset > bytes.length) {
      const expected = `an offset from 0 to ${bytes.length}`;
      throw abiInvalid(this.name, '', offset, expected, String(offset));
    }
    if (!(length >= size) || offset + length > bytes.length) {
      const room = Math.min(length, bytes.length - offset);
      throw abiInvalid(
        this.name,
        '',
        offset,
        `at least ${Math.max(size, length > room ? length : size)} bytes`,
        `${room} bytes`,
      );
    }
  }

  #notIn(ndis: string): ExtSwitchError {
    return new ExtSwitchError(
      'INVALID_ARGUMENT',
      `${this.name} exists from NDIS ${this.row.since} on, not in ${ndis}`,
      { structure: this.name, member: 'ndis', expected: this.row.since, found: ndis },
    );
  }
}

function textFields(structureName: StructureName, row: StructureRow): TextField[] {
  const end = row.size;
  if (structureName === 'IF_COUNTED_STRING') {
    return [{ name: '', offset: 0, end, maxBytes: COUNTED_STRING_MAX_BYTES }];
  }
  if (structureName === 'NDIS_ISOLATION_NAME') {
    return [{ name: '', offset: 0, end, maxBytes: ISOLATION_NAME_MAX_BYTES }];
  }
  return row.fields.flatMap((field) => {
    const kind = kindOf(field.ctype);
    if (kind !== 'countedString' && kind !== 'isolationName') return [];
    const maxBytes = kind === 'countedString' ? COUNTED_STRING_MAX_BYTES : ISOLATION_NAME_MAX_BYTES;
    const { name, offset } = field;
    return [{ name, offset, end: offset + field.size, maxBytes }];
  });
}

type Tree = ReturnType<typeof memberTree>;

function plain(view: object, fields: readonly FieldRow[]): PlainObject {
  return plainLevel(view as Record<string, unknown>, memberTree(fields));
}

function plainLevel(view: Record<string, unknown>, tree: Tree): PlainObject {
  const result: Record<string, PlainValue> = {};
  for (const [name, member] of tree) {
    const value = view[name];
    if (member.field === undefined) {
      result[name] = plainLevel(value as Record<string, unknown>, member.children);
    } else if (kindOf(member.field.ctype) === 'header') {
      const header = value as { Type: number; Revision: number; Size: number };
      result[name] = { Type: header.Type, Revision: header.Revision, Size: header.Size };
    } else if (value instanceof Uint8Array) {
      result[name] = value.slice();
    } else if (value instanceof U64Member || value instanceof U16Member) {
      result[name] = value.toArray();
    } else {
      result[name] = value as number | bigint | boolean | string;
    }
  }
  return result;
}

const MADE = new Map<string, unknown>();

/** True for a name of the table. */
export function isStructureName(name: string): name is StructureName {
  return Object.hasOwn(STRUCTURES, name);
}

/** The structure of that name; made once, on first use. Unknown names are `NOT_FOUND`. */
export function structure<N extends StructureName>(name: N): Structure<N> {
  const made = MADE.get(name) as Structure<N> | undefined;
  if (made !== undefined) return made;
  if (!isStructureName(name)) {
    throw new ExtSwitchError('NOT_FOUND', `${String(name)} is not a structure of the switch ABI`);
  }
  const fresh = new Structure(name);
  MADE.set(name, fresh);
  return fresh;
}

/** Revision of a structure that a sender built for `ndis` writes; 0 without header or when `ndis` does not declare it. */
export function revisionFor(name: StructureName, ndis: NdisVersion): number {
  return structure(name).revisionFor(ndis);
}
