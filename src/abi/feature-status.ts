import type { Guid } from '../core/guid.ts';
import { checkPiece, type Piece, pieceMembers } from './piece.ts';
import type { Scope } from './property.ts';
import { CUSTOM_TYPE } from './property.ts';
import { structure } from './structure.ts';
import { CONSTANTS } from './tables/constants.ts';
import type { HeaderView, View, ViewBase } from './view.ts';

/** What the feature status parameters of port and switch share; the order of members differs (quirk 7). */
export interface FeatureStatusParametersView extends ViewBase {
  readonly Header: HeaderView;
  Flags: number;
  FeatureStatusType: number;
  FeatureStatusId: Guid;
  FeatureStatusInstanceId: Guid;
  FeatureStatusVersion: number;
  SerializationVersion: number;
  FeatureStatusBufferOffset: number;
  FeatureStatusBufferLength: number;
}

/** What the protocol edge presets in a query (rule F3). */
export interface FeatureStatusHead {
  /** Port queries only; default 0. */
  readonly portId?: number;
  readonly featureStatusId: Guid;
  readonly featureStatusInstanceId: Guid;
}

const PORT = {
  parameters: structure('NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS'),
  custom: structure('NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM'),
};
const SWITCH = {
  parameters: structure('NDIS_SWITCH_FEATURE_STATUS_PARAMETERS'),
  custom: structure('NDIS_SWITCH_FEATURE_STATUS_CUSTOM'),
};

const PIECES = {
  port: {
    parameters: pieceMembers(
      PORT.parameters.name,
      PORT.parameters.row.fields,
      'FeatureStatusBufferOffset',
      'FeatureStatusBufferLength',
    ),
    custom: pieceMembers(
      PORT.custom.name,
      PORT.custom.row.fields,
      'FeatureStatusBufferOffset',
      'FeatureStatusBufferLength',
    ),
  },
  switch: {
    parameters: pieceMembers(
      SWITCH.parameters.name,
      SWITCH.parameters.row.fields,
      'FeatureStatusBufferOffset',
      'FeatureStatusBufferLength',
    ),
    custom: pieceMembers(
      SWITCH.custom.name,
      SWITCH.custom.row.fields,
      'FeatureStatusCustomBufferOffset',
      'FeatureStatusCustomBufferLength',
    ),
  },
};

/**
 * The buffer of a feature status query (rule F2): parameters → custom structure → vendor area. Reusable: `bind` does not
 * allocate.
 */
export class FeatureStatusBuffer {
  readonly scope: Scope;
  readonly parameters: FeatureStatusParametersView;
  /** The custom structure: absolute offset, and length in bytes with the vendor area. */
  customOffset = 0;
  customLength = 0;
  /** The vendor area: absolute offset. */
  dataOffset = 0;
  /** As the custom structure says: in a question the room, in an answer the bytes returned (rule F9). */
  dataLength = 0;
  readonly #port: View<'NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS'> | undefined;
  readonly #portCustom: View<'NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM'>;
  readonly #switchCustom: View<'NDIS_SWITCH_FEATURE_STATUS_CUSTOM'>;

  constructor(scope: Scope) {
    const scratch = new Uint8Array(64);
    this.scope = scope;
    this.#port = scope === 'port' ? PORT.parameters.view(scratch) : undefined;
    this.parameters = this.#port ?? SWITCH.parameters.view(scratch);
    this.#portCustom = PORT.custom.view(scratch);
    this.#switchCustom = SWITCH.custom.view(scratch);
  }

  /** PortId of a port query; `undefined` in switch scope. */
  get portId(): number | undefined {
    return this.#port?.PortId;
  }

  /** Window on the vendor area as far as {@link dataLength} says; not a copy. */
  get data(): Uint8Array {
    return this.parameters.bytes.subarray(this.dataOffset, this.dataOffset + this.dataLength);
  }

  /** Checks and binds the `length` bytes at `offset`; throws `ABI_INVALID` as {@link PropertyBuffer.bind} does. */
  bind(bytes: Uint8Array, offset = 0, length = bytes.length - offset): this {
    const { parameters, custom } = this.scope === 'port' ? PORT : SWITCH;
    const pieces = PIECES[this.scope];
    parameters.check(bytes, offset, length);
    const view = this.parameters.rebind(bytes, offset, length);
    const inner = view.FeatureStatusBufferLength;
    const relative = view.FeatureStatusBufferOffset;
    const at = checkPiece(pieces.parameters, offset, view.Header.Size, length, relative, inner);
    custom.check(bytes, at, inner);
    this.customOffset = at;
    this.customLength = inner;
    if (this.scope === 'port') {
      const inside = this.#portCustom.rebind(bytes, at, inner);
      this.dataLength = inside.FeatureStatusBufferLength;
      this.dataOffset = this.#data(inside.Header.Size, inside.FeatureStatusBufferOffset);
    } else {
      const inside = this.#switchCustom.rebind(bytes, at, inner);
      this.dataLength = inside.FeatureStatusCustomBufferLength;
      this.dataOffset = this.#data(inside.Header.Size, inside.FeatureStatusCustomBufferOffset);
    }
    return this;
  }

  /**
   * Rule F9: sets version and length of an answer whose `dataLength` bytes the caller wrote at {@link dataOffset}. Both
   * numbers are the caller's; the room was {@link dataLength} before.
   */
  answer(version: number, dataLength: number): void {
    this.parameters.FeatureStatusVersion = version;
    this.dataLength = dataLength;
    if (this.scope === 'port') this.#portCustom.FeatureStatusBufferLength = dataLength;
    else this.#switchCustom.FeatureStatusCustomBufferLength = dataLength;
  }

  #data(fixedEnd: number, relative: number): number {
    const { custom } = PIECES[this.scope];
    return checkPiece(
      custom,
      this.customOffset,
      fixedEnd,
      this.customLength,
      relative,
      this.dataLength,
    );
  }
}

/** Checks a feature status custom structure and gives the place of its vendor area; throws `ABI_INVALID`. */
export function statusData(scope: Scope, bytes: Uint8Array, offset: number, length: number): Piece {
  const { custom } = scope === 'port' ? PORT : SWITCH;
  custom.check(bytes, offset, length);
  const fixedEnd = custom.view(bytes, offset, length).Header.Size;
  const [dataLength, relative] =
    scope === 'port'
      ? portStatusData(PORT.custom.view(bytes, offset, length))
      : switchStatusData(SWITCH.custom.view(bytes, offset, length));
  const at = checkPiece(PIECES[scope].custom, offset, fixedEnd, length, relative, dataLength);
  return { offset: at, length: dataLength };
}

function portStatusData(
  view: View<'NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM'>,
): readonly [length: number, offset: number] {
  return [view.FeatureStatusBufferLength, view.FeatureStatusBufferOffset];
}

function switchStatusData(
  view: View<'NDIS_SWITCH_FEATURE_STATUS_CUSTOM'>,
): readonly [length: number, offset: number] {
  return [view.FeatureStatusCustomBufferLength, view.FeatureStatusCustomBufferOffset];
}

/** Bytes of a query that has room for `capacity` bytes of vendor data: 80 + capacity for a port, 72 + for the switch. */
export function featureStatusSize(scope: Scope, capacity: number): number {
  const { parameters, custom } = scope === 'port' ? PORT : SWITCH;
  return parameters.row.size + custom.row.size + capacity;
}

/**
 * Writes a query at `offset` (rules F2-F4): everything preset except FeatureStatusVersion, the vendor area zeroed. Returns
 * the absolute offset of the vendor area.
 */
export function writeFeatureStatusQuery(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  head: FeatureStatusHead,
  capacity: number,
): number {
  const { parameters, custom } = scope === 'port' ? PORT : SWITCH;
  const size = parameters.initialize(bytes, offset);
  const view: FeatureStatusParametersView = parameters.view(bytes, offset);
  if (scope === 'port') PORT.parameters.view(bytes, offset).PortId = head.portId ?? 0;
  view.FeatureStatusType = CUSTOM_TYPE;
  view.FeatureStatusId = head.featureStatusId;
  view.FeatureStatusInstanceId = head.featureStatusInstanceId;
  view.SerializationVersion = CONSTANTS.NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1;
  view.FeatureStatusBufferOffset = size;
  view.FeatureStatusBufferLength = custom.row.size + capacity;
  const customAt = offset + size;
  const customSize = custom.initialize(bytes, customAt);
  if (scope === 'port') {
    const inside = PORT.custom.view(bytes, customAt);
    inside.FeatureStatusBufferLength = capacity;
    inside.FeatureStatusBufferOffset = customSize;
  } else {
    const inside = SWITCH.custom.view(bytes, customAt);
    inside.FeatureStatusCustomBufferLength = capacity;
    inside.FeatureStatusCustomBufferOffset = customSize;
  }
  const dataAt = customAt + customSize;
  bytes.fill(0, dataAt, dataAt + capacity);
  return dataAt;
}
