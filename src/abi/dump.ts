import type { AnnotatedNode } from './annotate.ts';
import { isCType, kindOf } from './tables/ctypes.ts';

/** Bytes of one line. */
const LINE_BYTES = 8;
/** Width of the hex column: two digits and a blank a byte. */
const HEX_WIDTH = LINE_BYTES * 3 - 1;

function hexLine(bytes: Uint8Array, offset: number, size: number): string {
  const shown = bytes.subarray(offset, offset + Math.min(size, LINE_BYTES));
  return Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function line(offset: number, size: string, hex: string, label: string): string {
  const place = offset.toString(16).toUpperCase().padStart(8, '0');
  return `${place}  ${size.padStart(6)}  ${hex.padEnd(HEX_WIDTH)}  ${label}`.trimEnd();
}

/** Arrays, whose value is not repeated as text, and GUIDs, whose text has another byte order. */
function isShownInFull(ctype: string): boolean {
  return /^(UCHAR|PVOID|ULONG64)\[/.test(ctype) || (isCType(ctype) && kindOf(ctype) === 'guid');
}

/** Arrays and other undecoded stretches: their lines up to the last byte that is not zero. */
function restLines(node: AnnotatedNode, bytes: Uint8Array, indent: string): string[] {
  const end = Math.min(node.offset + node.size, bytes.length);
  let last = end;
  while (last > node.offset && bytes[last - 1] === 0) last -= 1;
  const lines: string[] = [];
  let at = node.offset + LINE_BYTES;
  for (; at < last; at += LINE_BYTES) {
    lines.push(line(at, '', hexLine(bytes, at, end - at), ''));
  }
  if (at < end) lines.push(line(at, '', '', `${indent}  zeros up to the end of ${node.name}`));
  return lines;
}

function valueText(node: AnnotatedNode): string {
  const { value, text, ctype } = node;
  const named = text === undefined ? '' : ` (${text})`;
  // The hex column shows them already.
  if (value === undefined || ctype.startsWith('UCHAR[')) return named;
  if (typeof value === 'string') return ` = ${JSON.stringify(value)}${named}`;
  const wide =
    typeof value === 'boolean' || value < 10 ? '' : ` 0x${value.toString(16).toUpperCase()}`;
  return ` = ${value}${wide}${named}`;
}

function nodeLines(node: AnnotatedNode, bytes: Uint8Array, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const type = node.children !== undefined && node.ctype !== node.name ? `: ${node.ctype}` : '';
  const label = `${indent}${node.name}${type}${valueText(node)}`;
  const isLeaf = node.children === undefined;
  const hex = isLeaf ? hexLine(bytes, node.offset, node.size) : '';
  const lines = [line(node.offset, String(node.size), hex, label)];
  if (isLeaf && node.size > LINE_BYTES && isShownInFull(node.ctype)) {
    lines.push(...restLines(node, bytes, indent));
  }
  for (const child of node.children ?? []) lines.push(...nodeLines(child, bytes, depth + 1));
  return lines;
}

/**
 * The tree of {@link describe} as text, a line a member: offset in hex, size in bytes, up to eight bytes in hex, then
 * `name = value (enumerator, flags, status …)`; undecoded byte arrays go on over as many lines as they need.
 */
export function formatDump(node: AnnotatedNode, bytes: Uint8Array): string {
  const head = line(0, 'size', 'bytes', 'member').replace('00000000', 'offset  ');
  return `${[head, ...nodeLines(node, bytes, 0)].join('\n')}\n`;
}
