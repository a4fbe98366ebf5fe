import { structure } from '../src/abi/index.ts';
import { guidBytes } from '../src/core/guid.ts';
import type { BenchCase } from './bench-case.ts';

const OPERATIONS = 200_000;
const SIZE = 64;
const PROPERTY_ID = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
/** A few instances in turn, so that neither side lives on one constant. */
const INSTANCE_IDS = [
  '11111111-2222-3333-4444-555555555555',
  '22222222-3333-4444-5555-666666666666',
  '0badf00d-0000-4000-8000-00000000cafe',
  'fedcba98-7654-4321-8fed-cba987654321',
] as const;

/** Sum of what was read; never negative. Results depend on it, so that no read can be dropped. */
let sink = 0;

const PORT_PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
const ours = PORT_PROPERTY.view(new Uint8Array(SIZE));

function viewRun(): number {
  const view = ours;
  const { bytes } = view;
  for (let i = 0; i < OPERATIONS; i += 1) {
    view.rebind(bytes, 0);
    const header = view.Header;
    header.Type = 0x80;
    header.Revision = 1;
    header.Size = SIZE;
    view.Flags = 0;
    view.PortId = i;
    view.PropertyType = 1;
    view.PropertyId = PROPERTY_ID;
    view.PropertyVersion = 0x100;
    view.SerializationVersion = 1;
    view.PropertyInstanceId = INSTANCE_IDS[i & 3] as string;
    view.PropertyBufferLength = 32;
    view.PropertyBufferOffset = SIZE;
    view.Reserved = 0;
    sink +=
      header.Type +
      header.Revision +
      header.Size +
      view.Flags +
      view.PortId +
      view.PropertyType +
      view.PropertyId.length +
      view.PropertyVersion +
      view.SerializationVersion +
      view.PropertyInstanceId.length +
      view.PropertyBufferLength +
      view.PropertyBufferOffset +
      view.Reserved;
  }
  return sink < 0 ? 0 : OPERATIONS;
}

/*
 * The baseline is what a careful person writes for this one structure: a DataView on a reused buffer, literal offsets,
 * GUID bytes converted once and copied in, GUID text by table out.
 */
const data = new DataView(new ArrayBuffer(SIZE));
const raw = new Uint8Array(data.buffer);
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
const propertyIdBytes = guidBytes(PROPERTY_ID);
const instanceIdBytes = INSTANCE_IDS.map(guidBytes);

const at = (offset: number): string => HEX[data.getUint8(offset)] as string;
function guidText(o: number): string {
  const a = at(o + 3) + at(o + 2) + at(o + 1) + at(o);
  const b = `${at(o + 5)}${at(o + 4)}-${at(o + 7)}${at(o + 6)}-${at(o + 8)}${at(o + 9)}`;
  const c = at(o + 10) + at(o + 11) + at(o + 12) + at(o + 13) + at(o + 14) + at(o + 15);
  return `${a}-${b}-${c}`;
}

/** Hand-written accesses; GUIDs as text like ours, or left as bytes. */
function handRun(readGuid: (offset: number) => number): number {
  for (let i = 0; i < OPERATIONS; i += 1) {
    data.setUint8(0, 0x80);
    data.setUint8(1, 1);
    data.setUint16(2, SIZE, true);
    data.setUint32(4, 0, true);
    data.setUint32(8, i, true);
    data.setUint32(12, 1, true);
    raw.set(propertyIdBytes, 16);
    data.setUint16(32, 0x100, true);
    data.setUint16(34, 1, true);
    raw.set(instanceIdBytes[i & 3] as Uint8Array, 36);
    data.setUint32(52, 32, true);
    data.setUint32(56, SIZE, true);
    data.setUint32(60, 0, true);
    sink +=
      data.getUint8(0) +
      data.getUint8(1) +
      data.getUint16(2, true) +
      data.getUint32(4, true) +
      data.getUint32(8, true) +
      data.getUint32(12, true) +
      readGuid(16) +
      data.getUint16(32, true) +
      data.getUint16(34, true) +
      readGuid(36) +
      data.getUint32(52, true) +
      data.getUint32(56, true) +
      data.getUint32(60, true);
  }
  return sink < 0 ? 0 : OPERATIONS;
}

/** Write and read every member of NDIS_SWITCH_PORT_PROPERTY_PARAMETERS on a reused buffer. */
export const benches: BenchCase[] = [
  {
    name: 'abi.view.portProperty',
    unit: 'structures/s',
    run: viewRun,
    baseline: {
      name: 'hand-written DataView, GUIDs as text',
      run: () => handRun((offset) => guidText(offset).length),
    },
  },
];
