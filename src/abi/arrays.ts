import { abiInvalid } from './abi-error.ts';
import type { NdisVersion } from './ndis-version.ts';
import { NEWEST_NDIS } from './ndis-version.ts';
import { align8 } from './piece.ts';
import { type HeaderCheck, structure } from './structure.ts';

/** Which array: of port parameters or of NIC parameters. */
export type ArrayKind = 'port' | 'nic';

/** One element: absolute offset, and the ElementSize its sender used. */
export interface ArrayElement {
  readonly offset: number;
  readonly size: number;
}

const PORT = {
  head: structure('NDIS_SWITCH_PORT_ARRAY'),
  element: structure('NDIS_SWITCH_PORT_PARAMETERS'),
};
const NIC = {
  head: structure('NDIS_SWITCH_NIC_ARRAY'),
  element: structure('NDIS_SWITCH_NIC_PARAMETERS'),
};

/** Where the first element stands when we write: 24, the head's 20 bytes rounded up to 8 (ndis-switch-abi.md 4). */
const FIRST_ELEMENT_OFFSET = align8(PORT.head.row.size);

/** Bytes of an array of `count` elements as a switch of that NDIS version writes it. */
export function arraySize(kind: ArrayKind, count: number, ndis: NdisVersion = NEWEST_NDIS): number {
  const { element } = kind === 'port' ? PORT : NIC;
  return FIRST_ELEMENT_OFFSET + count * element.sizeof(ndis);
}

/**
 * Writes the head at `offset` and the headers of `count` zeroed elements. Returns the absolute offset of the first
 * element; they follow each other by sizeof of that version. `ABI_INVALID` when there is no room.
 */
export function writeArray(
  kind: ArrayKind,
  bytes: Uint8Array,
  offset: number,
  count: number,
  ndis: NdisVersion = NEWEST_NDIS,
): number {
  const { head, element } = kind === 'port' ? PORT : NIC;
  const size = element.sizeof(ndis);
  const total = arraySize(kind, count, ndis);
  if (offset + total > bytes.length) {
    throw abiInvalid(head.name, '', offset, `${total} bytes`, `${bytes.length - offset} bytes`);
  }
  head.initialize(bytes, offset, { ndis });
  const view = head.view(bytes, offset);
  bytes.fill(0, offset + head.row.size, offset + FIRST_ELEMENT_OFFSET);
  view.FirstElementOffset = FIRST_ELEMENT_OFFSET;
  view.NumElements = count;
  view.ElementSize = size;
  const first = offset + FIRST_ELEMENT_OFFSET;
  for (let i = 0; i < count; i += 1) element.initialize(bytes, first + i * size, { ndis });
  return first;
}

/**
 * Walks an array by the ElementSize received, never by our own size: a 6.30 host sends 2208-byte NIC elements, a newer
 * one 2224 (ndis-switch-abi.md 4). Head and every element are checked first. `header: 'anySize'` takes heads whose Size
 * is not 20 (quirk 18). Throws `ABI_INVALID`.
 */
export function* walkArray(
  kind: ArrayKind,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
  header: HeaderCheck = 'strict',
): Generator<ArrayElement, void, void> {
  const { head, element } = kind === 'port' ? PORT : NIC;
  head.check(bytes, offset, length, header);
  const view = head.view(bytes, offset, length);
  const count = view.NumElements;
  // With no elements FirstElementOffset says nothing.
  if (count === 0) return;
  const size = view.ElementSize;
  const first = view.FirstElementOffset;
  const wrong = (member: string, expected: string, found: number) => {
    const at = head.row.fields.find((field) => field.name === member)?.offset ?? 0;
    return abiInvalid(head.name, member, offset + at, expected, String(found));
  };
  if (size < element.minimumSize) {
    throw wrong('ElementSize', `at least ${element.minimumSize}`, size);
  }
  if (first < head.row.size || first > length) {
    throw wrong('FirstElementOffset', `${head.row.size} to ${length}`, first);
  }
  if (first + count * size > length) {
    const most = Math.floor((length - first) / size);
    throw wrong('NumElements', `at most ${most}, the room there is`, count);
  }
  for (let i = 0; i < count; i += 1) {
    const at = offset + first + i * size;
    element.check(bytes, at, size);
    yield { offset: at, size };
  }
}
