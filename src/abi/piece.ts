import { abiInvalid } from './abi-error.ts';

/** Bytes that follow a structure: absolute offset in the buffer and length. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** An offset member (and its length member) of a structure; the positions are from the start of that structure. */
export interface PieceMembers {
  readonly structure: string;
  readonly offsetMember: string;
  readonly offsetAt: number;
  readonly lengthMember: string;
  readonly lengthAt: number;
}

/** `length` rounded up to a multiple of 8: where a trailing piece may start (rule E11). */
export function align8(length: number): number {
  // Not `& ~7`: lengths reach 2^32 and more.
  return Math.ceil(length / 8) * 8;
}

/**
 * Checks that `length` bytes at `relative` from the structure at `base` lie behind its fixed part (`fixedEnd` bytes) and
 * inside the `room` bytes that belong to it. Plain number arithmetic: nothing wraps at 2^32. Throws `ABI_INVALID`
 * naming the offset or the length member. Returns the piece's absolute offset; an empty piece may claim any offset and
 * counts as standing at the end of the fixed part.
 */
export function checkPiece(
  members: PieceMembers,
  base: number,
  fixedEnd: number,
  room: number,
  relative: number,
  length: number,
): number {
  if (length === 0) return base + Math.min(fixedEnd, room);
  if (relative < fixedEnd) {
    throw abiInvalid(
      members.structure,
      members.offsetMember,
      base + members.offsetAt,
      `at least ${fixedEnd}, behind the structure itself`,
      String(relative),
    );
  }
  if (relative > room) {
    throw abiInvalid(
      members.structure,
      members.offsetMember,
      base + members.offsetAt,
      `at most ${room}, the room there is`,
      String(relative),
    );
  }
  if (relative + length > room) {
    throw abiInvalid(
      members.structure,
      members.lengthMember,
      base + members.lengthAt,
      `at most ${room - relative}, the room behind offset ${relative}`,
      String(length),
    );
  }
  return base + relative;
}

/** The members' places, looked up once in the table. */
export function pieceMembers(
  structure: string,
  fields: readonly { readonly name: string; readonly offset: number }[],
  offsetMember: string,
  lengthMember: string,
): PieceMembers {
  const at = (name: string) => fields.find((field) => field.name === name)?.offset ?? 0;
  return {
    structure,
    offsetMember,
    offsetAt: at(offsetMember),
    lengthMember,
    lengthAt: at(lengthMember),
  };
}
