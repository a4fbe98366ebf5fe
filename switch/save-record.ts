import { checkSaveState, type NdisVersion, writeSaveState } from '../src/abi/index.ts';
import { ExtSwitchError, isExtSwitchError } from '../src/core/errors.ts';
import { type Guid, NULL_GUID, tryParseGuid } from '../src/core/guid.ts';
import type { FilterModule } from './filter-module.ts';
import type { OidRequest } from './oid-request.ts';
import type { Nic } from './ports.ts';
import { maxSaveData, SAVE_STATE } from './save-state-view.ts';

/** Run-time data an extension gave for one NIC (rule G11). */
export interface SaveRecord {
  readonly extensionId: Guid;
  readonly extensionFriendlyName: string;
  /** Zeros when the owner has no class for it (rule G14). */
  readonly featureClassId: Guid;
  /** The port it was saved from; a restore uses the port of today (rule G25). */
  readonly portId: number;
  readonly data: Uint8Array;
}

/** What is wrong with a completion: the rule it breaks and how. */
export interface Flaw {
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** What an extension that completed NIC_SAVE with success left in the buffer. */
export interface SaveAnswer {
  /** `undefined`: nothing that could be kept. */
  readonly record: SaveRecord | undefined;
  readonly flaws: readonly Flaw[];
}

const ZEROS = { extensionId: NULL_GUID, extensionFriendlyName: '', featureClassId: NULL_GUID };

/** The bytes of NDIS_SWITCH_NIC_SAVE_STATE for a NIC, with room for `room` bytes of data (rules G2, G3, G4). */
export function saveStateBytes(nic: Nic, offset: number, room: number, ndis: NdisVersion) {
  const bytes = new Uint8Array(offset + room);
  writeBlankState(bytes, nic, room, ndis);
  return bytes;
}

/** The same where `bytes` begin, whose room for data is zero. */
export function writeBlankState(
  bytes: Uint8Array,
  nic: Nic,
  room: number,
  ndis: NdisVersion,
): void {
  writeSaveState(bytes, 0, { portId: nic.portId, nicIndex: nic.index, ...ZEROS }, room, ndis);
}

/** The bytes of one record for the NIC's present port (rule G25). */
export function restoreBytesOf(
  nic: Nic,
  record: SaveRecord,
  offset: number,
  ndis: NdisVersion,
): Uint8Array {
  const bytes = new Uint8Array(offset + record.data.length);
  const head = { ...record, portId: nic.portId, nicIndex: nic.index };
  bytes.set(record.data, writeSaveState(bytes, 0, head, record.data.length, ndis));
  return bytes;
}

/**
 * Takes the record out of a NIC_SAVE that `owner` completed with success (rules G5, G11). Success without an extension id or
 * without data is no record (OP-10, OP-11); somebody else's id or no name is one all the same (rule G13).
 */
export function readSaveAnswer(done: OidRequest, owner: FilterModule): SaveAnswer {
  const flaws: Flaw[] = [];
  let data: Uint8Array;
  try {
    const piece = checkSaveState(done.buffer, 0, done.length);
    data = done.buffer.slice(piece.offset, piece.offset + piece.length);
  } catch (error) {
    if (!isExtSwitchError(error)) throw error;
    const message = `left a save state that cannot be read: ${error.message}; not kept`;
    return { record: undefined, flaws: [{ rule: 'G16', severity: 'error', message }] };
  }
  const state = SAVE_STATE.view(done.buffer, 0, done.length);
  const extensionId = state.ExtensionId;
  const extensionFriendlyName = state.ExtensionFriendlyName;
  if (extensionId === NULL_GUID) {
    const message = 'completed it with success but set no ExtensionId (rule G13); not kept';
    return { record: undefined, flaws: [{ rule: 'OP-10', severity: 'error', message }] };
  }
  if (data.length === 0) {
    const message = 'completed it with success but saved no data (rule G18); not kept';
    return { record: undefined, flaws: [{ rule: 'OP-11', severity: 'error', message }] };
  }
  if (extensionId !== owner.id) {
    const message = `saved a record of ${extensionId} instead of its own id ${owner.id}`;
    flaws.push({ rule: 'G13', severity: 'error', message });
  }
  if (extensionFriendlyName === '') {
    const message = 'saved a record without ExtensionFriendlyName';
    flaws.push({ rule: 'G13', severity: 'error', message });
  }
  const { FeatureClassId: featureClassId, PortId: portId } = state;
  return { record: { extensionId, extensionFriendlyName, featureClassId, portId, data }, flaws };
}

/** Rules G11, G12: refuses a record that no request of this revision could carry, before anything is sent. */
export function checkRecord(record: SaveRecord, index: number, ndis: NdisVersion): void {
  const max = maxSaveData(SAVE_STATE.revisionFor(ndis));
  const refuse = (member: string, expected: string, found: string): never => {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `record ${index}: ${member} is ${found}, expected ${expected} (rule G12)`,
      { rule: 'G12', member, expected, found },
    );
  };
  const { data, extensionId, featureClassId, extensionFriendlyName } = record;
  if (data.length < 1 || data.length > max) {
    refuse('data', `1 to ${max} bytes on NDIS ${ndis}`, `${data.length} bytes`);
  }
  if (tryParseGuid(extensionId) !== extensionId || extensionId === NULL_GUID) {
    refuse('extensionId', 'the GUID of an extension in lower case', JSON.stringify(extensionId));
  }
  if (tryParseGuid(featureClassId) !== featureClassId) {
    refuse('featureClassId', 'a GUID in lower case', JSON.stringify(featureClassId));
  }
  if (extensionFriendlyName.length > 256) {
    refuse(
      'extensionFriendlyName',
      'at most 256 characters',
      `${extensionFriendlyName.length} long`,
    );
  }
}
