import type { Guid } from '../core/guid.ts';
import { abiInvalid } from './abi-error.ts';
import type { NdisVersion } from './ndis-version.ts';
import { NEWEST_NDIS } from './ndis-version.ts';
import { align8, checkPiece, type Piece, pieceMembers } from './piece.ts';
import { structure } from './structure.ts';

const SAVE_STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');
const DATA = pieceMembers(SAVE_STATE.name, SAVE_STATE.row.fields, 'SaveDataOffset', 'SaveDataSize');

/** Highest value of a 16-bit member. */
const U16_MAX = 0xffff;

/** What identifies the run-time data of a NIC. */
export interface SaveStateHead {
  readonly portId: number;
  readonly nicIndex: number;
  readonly extensionId: Guid;
  readonly extensionFriendlyName: string;
  readonly featureClassId: Guid;
}

/** Where we put the save data: 568 for revision 1, 576 (572 rounded up to 8) for revision 2. */
export function saveDataOffset(ndis: NdisVersion = NEWEST_NDIS): number {
  return align8(SAVE_STATE.sizeof(ndis));
}

/**
 * Writes a save state with room for `dataLength` bytes at `offset`; Header.Size is the full buffer size, up to 65,535
 * (ndis-switch-abi.md, quirk 19). What exceeds SaveDataSize goes to SaveDataSizeOverflow, which revision 1 does not have
 * (quirk 22): then a longer length is `ABI_INVALID`. Returns the absolute offset of the data.
 */
export function writeSaveState(
  bytes: Uint8Array,
  offset: number,
  head: SaveStateHead,
  dataLength: number,
  ndis: NdisVersion = NEWEST_NDIS,
): number {
  const relative = saveDataOffset(ndis);
  const total = relative + dataLength;
  if (offset + total > bytes.length) {
    const found = `${bytes.length - offset} bytes`;
    throw abiInvalid(SAVE_STATE.name, '', offset, `${total} bytes`, found);
  }
  const inline = Math.min(dataLength, U16_MAX - relative);
  SAVE_STATE.initialize(bytes, offset, { ndis });
  const view = SAVE_STATE.view(bytes, offset);
  bytes.fill(0, offset + SAVE_STATE.sizeof(ndis), offset + relative);
  view.Header.Size = Math.min(total, U16_MAX);
  view.PortId = head.portId;
  view.NicIndex = head.nicIndex;
  view.ExtensionId = head.extensionId;
  view.ExtensionFriendlyName = head.extensionFriendlyName;
  view.FeatureClassId = head.featureClassId;
  view.SaveDataOffset = relative;
  view.SaveDataSize = inline;
  if (dataLength > inline) view.SaveDataSizeOverflow = dataLength - inline;
  return offset + relative;
}

/**
 * Checks a save state and gives the place of its data: SaveDataSize + SaveDataSizeOverflow bytes (zero in revision 1).
 * Header.Size may be the fixed size or that of the whole buffer (quirk 19). Throws `ABI_INVALID`.
 */
export function checkSaveState(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): Piece {
  SAVE_STATE.check(bytes, offset, length);
  const view = SAVE_STATE.view(bytes, offset, length);
  const dataLength = view.SaveDataSize + view.SaveDataSizeOverflow;
  const { revisions } = SAVE_STATE;
  const current = revisions[Math.min(view.Header.Revision, revisions.length) - 1];
  const fixedEnd = current?.size ?? SAVE_STATE.minimumSize;
  const at = checkPiece(DATA, offset, fixedEnd, length, view.SaveDataOffset, dataLength);
  return { offset: at, length: dataLength };
}
