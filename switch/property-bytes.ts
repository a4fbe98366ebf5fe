import { type StructureName, structure } from '../src/abi/index.ts';
import { assert } from '../src/core/assert.ts';
import type { PropertyCodec } from './environment.ts';
import { CUSTOM_SIZE } from './request-buffer.ts';

/** NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1 (rule E10). */
const SERIALIZATION_VERSION = 1;
const CUSTOM = 1;

/**
 * Where the members of a property parameters structure stand, as indexes of 32-bit words, taken from the ABI table once.
 * Every member of these structures is word aligned (PropertyVersion and SerializationVersion share one word), so that a
 * whole head is written with plain word stores. -1: the structure has no such member.
 */
export interface HeadLayout {
  readonly sizeBytes: number;
  readonly headerWord: number;
  readonly portId: number;
  readonly type: number;
  readonly id: number;
  readonly version: number;
  readonly instanceId: number;
  readonly bufferLength: number;
  readonly bufferOffset: number;
  readonly reserved: number;
}

function layoutOf(name: StructureName): HeadLayout {
  const { row, minimumSize, headerType } = structure(name);
  const word = (member: string): number => {
    const field = row.fields.find((candidate) => candidate.name === member);
    if (field === undefined) return -1;
    assert(field.offset % 4 === 0, `${name}.${member} is word aligned`);
    return field.offset >> 2;
  };
  return {
    sizeBytes: row.size,
    headerWord: (headerType ?? 0) | (1 << 8) | (minimumSize << 16),
    portId: word('PortId'),
    type: word('PropertyType'),
    id: word('PropertyId'),
    version: word('PropertyVersion'),
    instanceId: word('PropertyInstanceId'),
    bufferLength: word('PropertyBufferLength'),
    bufferOffset: word('PropertyBufferOffset'),
    reserved: word('Reserved'),
  };
}

export const PORT_HEAD = layoutOf('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
export const SWITCH_HEAD = layoutOf('NDIS_SWITCH_PROPERTY_PARAMETERS');
export const PORT_DELETE_HEAD = layoutOf('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS');
export const SWITCH_DELETE_HEAD = layoutOf('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS');

/** Writes the whole head of `layout` at the start of `words` (rules E7-E11); `dataLength` counts the vendor data or structure. */
export function writeHead(
  words: Uint32Array,
  layout: HeadLayout,
  portId: number,
  codec: PropertyCodec,
  instanceId: Uint32Array,
  dataLength: number,
): void {
  words[0] = layout.headerWord;
  words[1] = 0;
  if (layout.portId >= 0) words[layout.portId] = portId;
  words[layout.type] = codec.propertyType;
  const id = layout.id;
  const idWords = codec.idWords;
  words[id] = idWords[0] as number;
  words[id + 1] = idWords[1] as number;
  words[id + 2] = idWords[2] as number;
  words[id + 3] = idWords[3] as number;
  const at = layout.instanceId;
  words[at] = instanceId[0] as number;
  words[at + 1] = instanceId[1] as number;
  words[at + 2] = instanceId[2] as number;
  words[at + 3] = instanceId[3] as number;
  if (layout.version < 0) return;
  const custom = codec.propertyType === CUSTOM;
  words[layout.version] = codec.version | (SERIALIZATION_VERSION << 16);
  words[layout.bufferLength] = dataLength + (custom ? CUSTOM_SIZE : 0);
  words[layout.bufferOffset] = layout.sizeBytes;
  if (layout.reserved >= 0) words[layout.reserved] = 0;
  if (custom) writeCustomHead(words, layout.sizeBytes >> 2, dataLength);
}

/** NDIS_SWITCH_PORT_PROPERTY_CUSTOM and NDIS_SWITCH_PROPERTY_CUSTOM have one layout (rule E12). */
function writeCustomHead(words: Uint32Array, at: number, dataLength: number): void {
  words[at] = 0x80 | (1 << 8) | (CUSTOM_SIZE << 16);
  words[at + 1] = 0;
  words[at + 2] = dataLength;
  words[at + 3] = CUSTOM_SIZE;
}
