import type { Guid } from '../core/guid.ts';
import { abiInvalid } from './abi-error.ts';
import { align8, checkPiece } from './piece.ts';
import type { Scope } from './property.ts';
import { propertyPiece } from './property.ts';
import { structure } from './structure.ts';
import { CONSTANTS } from './tables/constants.ts';
import type { HeaderView, ViewBase } from './view.ts';

/** What the enumeration parameters of port and switch share. */
export interface EnumParametersView extends ViewBase {
  readonly Header: HeaderView;
  Flags: number;
  PropertyType: number;
  PropertyId: Guid;
  SerializationVersion: number;
  FirstPropertyOffset: number;
  NumProperties: number;
}

/** One entry of a reply; offsets are absolute, lengths in bytes. */
export interface EnumEntry {
  readonly propertyVersion: number;
  readonly propertyInstanceId: Guid;
  /** The NDIS_SWITCH_(PORT_)PROPERTY_ENUM_INFO. */
  readonly infoOffset: number;
  /** The property structure behind it, with everything that belongs to it. */
  readonly propertyOffset: number;
  readonly propertyLength: number;
}

/** What a reply entry is written from. */
export interface EnumEntryHead {
  readonly propertyVersion: number;
  readonly propertyInstanceId: Guid;
}

const PORT = {
  parameters: structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS'),
  info: structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO'),
};
const SWITCH = {
  parameters: structure('NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS'),
  info: structure('NDIS_SWITCH_PROPERTY_ENUM_INFO'),
};
const INFO_PIECE = { port: propertyPiece(PORT.info), switch: propertyPiece(SWITCH.info) };

/** sizeof both enumeration info structures: 40 bytes. */
const INFO_SIZE = PORT.info.row.size;

/** sizeof the parameters, where the first entry of a reply stands: 48 for a port, 40 for the switch. */
export function enumParametersSize(scope: Scope): number {
  return (scope === 'port' ? PORT : SWITCH).parameters.row.size;
}

/** Bytes of one entry with its padding (rule E42): 40 + length rounded up to 8. */
export function enumEntrySize(propertyLength: number): number {
  return INFO_SIZE + align8(propertyLength);
}

/** Writes the question of an enumeration (rule E46) at `offset`; returns its size. */
export function writeEnumQuestion(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  question: {
    readonly portId?: number;
    readonly propertyType: number;
    readonly propertyId: Guid;
  },
): number {
  const { parameters } = scope === 'port' ? PORT : SWITCH;
  const size = parameters.initialize(bytes, offset);
  const view: EnumParametersView = parameters.view(bytes, offset);
  if (scope === 'port') PORT.parameters.view(bytes, offset).PortId = question.portId ?? 0;
  view.PropertyType = question.propertyType;
  view.PropertyId = question.propertyId;
  view.SerializationVersion = CONSTANTS.NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1;
  return size;
}

/**
 * Checks a question: room, Header.Type and Revision. Size is not looked at, because the sample library leaves it unset
 * (ndis-switch-abi.md, quirk 18). Returns the view.
 */
export function checkEnumQuestion(
  scope: Scope,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): EnumParametersView {
  const { parameters } = scope === 'port' ? PORT : SWITCH;
  parameters.check(bytes, offset, length, 'anySize');
  return parameters.view(bytes, offset, length);
}

/**
 * Turns the question at `offset` into the head of a reply (rule E41) with `count` entries, of which the first stands
 * right behind it: NumProperties and FirstPropertyOffset (0 when there is none), and the Header a reply should carry.
 * Returns the absolute offset of the first entry.
 */
export function writeEnumReplyHead(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  count: number,
): number {
  const { parameters } = scope === 'port' ? PORT : SWITCH;
  const size = parameters.row.size;
  const view: EnumParametersView = parameters.view(bytes, offset);
  view.Header.Size = parameters.minimumSize;
  view.NumProperties = count;
  view.FirstPropertyOffset = count === 0 ? 0 : size;
  return offset + size;
}

/**
 * Writes the info of one entry at `offset`, a multiple of 8 (rules E42, E43), and zeros the padding behind the property.
 * The caller writes `propertyLength` bytes at `offset + 40`. Returns the absolute offset of the next entry.
 */
export function writeEnumEntry(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  entry: EnumEntryHead,
  propertyLength: number,
): number {
  const { info } = scope === 'port' ? PORT : SWITCH;
  const aligned = align8(propertyLength);
  const next = offset + INFO_SIZE + aligned;
  if (next > bytes.length) {
    const room = bytes.length - offset;
    throw abiInvalid(info.name, '', offset, `${INFO_SIZE + aligned} bytes`, `${room} bytes`);
  }
  info.initialize(bytes, offset);
  const view = info.view(bytes, offset);
  view.PropertyVersion = entry.propertyVersion;
  view.PropertyInstanceId = entry.propertyInstanceId;
  view.QwordAlignedPropertyBufferLength = aligned;
  view.PropertyBufferLength = propertyLength;
  view.PropertyBufferOffset = INFO_SIZE;
  bytes.fill(0, offset + INFO_SIZE + propertyLength, next);
  return next;
}

/**
 * Walks a reply: NumProperties entries from FirstPropertyOffset, each 40 + QwordAlignedPropertyBufferLength further
 * (ndis-switch-abi.md 4). Every entry is checked before it is given out: header, property behind the info and inside
 * the entry, rule E43. Throws `ABI_INVALID`.
 */
export function* walkEnum(
  scope: Scope,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): Generator<EnumEntry, void, void> {
  const { parameters, info } = scope === 'port' ? PORT : SWITCH;
  const view: EnumParametersView = checkEnumQuestion(scope, bytes, offset, length);
  const count = view.NumProperties;
  if (count === 0) return;
  const end = offset + length;
  let at = offset + view.FirstPropertyOffset;
  const fixedEnd = parameters.row.size;
  if (view.FirstPropertyOffset < parameters.minimumSize || at > end) {
    const field = parameters.row.fields.find(({ name }) => name === 'FirstPropertyOffset');
    throw abiInvalid(
      parameters.name,
      'FirstPropertyOffset',
      offset + (field?.offset ?? 0),
      `${fixedEnd} to ${length}`,
      String(view.FirstPropertyOffset),
    );
  }
  for (let i = 0; i < count; i += 1) {
    info.check(bytes, at, end - at);
    const entry = info.view(bytes, at, end - at);
    const aligned = entry.QwordAlignedPropertyBufferLength;
    const propertyLength = entry.PropertyBufferLength;
    if (propertyLength > aligned) {
      throw abiInvalid(
        info.name,
        'PropertyBufferLength',
        at + INFO_PIECE[scope].lengthAt,
        `at most QwordAlignedPropertyBufferLength, ${aligned}`,
        String(propertyLength),
      );
    }
    // The padding behind the last property may be cut off; the property itself may not.
    const room = Math.min(INFO_SIZE + aligned, end - at);
    const { PropertyBufferOffset: relative } = entry;
    const propertyOffset = checkPiece(
      INFO_PIECE[scope],
      at,
      INFO_SIZE,
      room,
      relative,
      propertyLength,
    );
    yield {
      propertyVersion: entry.PropertyVersion,
      propertyInstanceId: entry.PropertyInstanceId,
      infoOffset: at,
      propertyOffset,
      propertyLength,
    };
    at += INFO_SIZE + aligned;
    if (at > end && i + 1 < count) {
      const expected = `${count} entries`;
      throw abiInvalid(info.name, '', end, expected, `room for ${i + 1}`);
    }
  }
}
