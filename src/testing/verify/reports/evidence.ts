import { type AnnotatedNode, describe } from '../../../abi/index.ts';
import type { VerifyConsequence } from '../verify-report.ts';

/** Where a finding points in the bytes of its request, for people. */
export interface Evidence {
  /** Lines of sixteen bytes, `0010  01 00 …`, around the byte that is wrong; the whole of a short request. */
  readonly lines: readonly string[];
  /** Which of {@link lines} has it, and the column of its two digits; `undefined`: none in particular. */
  readonly caret: { readonly line: number; readonly column: number } | undefined;
  /** The member it belongs to, e.g. `NDIS_SWITCH_PORT_PARAMETERS.PortState`. */
  readonly member: string | undefined;
}

const ROW_BYTES = 16;
/** Rows shown before and after the one that is pointed at; of others the first ones. */
const AROUND = 1;
const FIRST_ROWS = 4;
const DIGITS_COLUMN = 6;

type Evident = Pick<VerifyConsequence, 'bytes' | 'offset' | 'oid' | 'member'>;

/** `undefined` for a finding without bytes. */
export function evidence({ bytes, offset, oid, member }: Evident): Evidence | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const row = offset === undefined ? undefined : Math.floor(offset / ROW_BYTES);
  const first = row === undefined ? 0 : Math.max(0, row - AROUND);
  const count = row === undefined ? FIRST_ROWS : row - first + AROUND + 1;
  const lines: string[] = [];
  for (let at = first * ROW_BYTES; at < bytes.length && lines.length < count; at += ROW_BYTES) {
    const digits = Array.from(bytes.subarray(at, at + ROW_BYTES), hex).join(' ');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${digits}`);
  }
  const rest = bytes.length - (first + lines.length) * ROW_BYTES;
  if (rest > 0) lines.push(`…     ${rest} more bytes`);
  if (offset === undefined || row === undefined)
    return { lines, caret: undefined, member: undefined };
  const caret = { line: row - first, column: DIGITS_COLUMN + (offset % ROW_BYTES) * 3 };
  return { lines, caret, member: member ?? memberAt(oid, bytes, offset) };
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Bytes that are no valid structure any more have no members. */
function memberAt(oid: string | undefined, bytes: Uint8Array, offset: number): string | undefined {
  if (oid === undefined) return undefined;
  try {
    const root = describe(oid, bytes);
    return pathTo(root, offset).join('.');
  } catch {
    return undefined;
  }
}

function pathTo(node: AnnotatedNode, offset: number): string[] {
  const child = node.children?.find((it) => offset >= it.offset && offset < it.offset + it.size);
  return child === undefined ? [node.name] : [node.name, ...pathTo(child, offset)];
}
