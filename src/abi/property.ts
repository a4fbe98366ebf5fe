import type { Guid } from '../core/guid.ts';
import { checkPiece, type Piece, type PieceMembers, pieceMembers } from './piece.ts';
import { type AnyStructure, structure } from './structure.ts';
import { CONSTANTS } from './tables/constants.ts';
import { ENUMS } from './tables/enums.ts';
import type { HeaderView, View, ViewBase } from './view.ts';

/** Whether a property or a feature status belongs to a port or to the whole switch. */
export type Scope = 'port' | 'switch';

/** Custom has the same number as a port and as a switch property type, and as both feature status types (quirk 29). */
export const CUSTOM_TYPE = ENUMS.NDIS_SWITCH_PORT_PROPERTY_TYPE.NdisSwitchPortPropertyTypeCustom;

/** What the parameters structures of port and switch properties share. */
export interface PropertyParametersView extends ViewBase {
  readonly Header: HeaderView;
  Flags: number;
  PropertyType: number;
  PropertyId: Guid;
  PropertyVersion: number;
  SerializationVersion: number;
  PropertyInstanceId: Guid;
  PropertyBufferLength: number;
  PropertyBufferOffset: number;
}

/** What both custom structures share. */
export interface PropertyCustomView extends ViewBase {
  readonly Header: HeaderView;
  Flags: number;
  PropertyBufferLength: number;
  PropertyBufferOffset: number;
}

/** What identifies a property in an OID (rule E7). */
export interface PropertyHead {
  /** Port properties only; default 0. */
  readonly portId?: number;
  /** NDIS_SWITCH_(PORT_)PROPERTY_TYPE; default Custom (1). */
  readonly propertyType?: number;
  readonly propertyId: Guid;
  /** major * 256 + minor (rule E9); a delete carries none. */
  readonly propertyVersion?: number;
  readonly propertyInstanceId: Guid;
}

const PORT = {
  parameters: structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS'),
  custom: structure('NDIS_SWITCH_PORT_PROPERTY_CUSTOM'),
  delete: structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS'),
};
const SWITCH = {
  parameters: structure('NDIS_SWITCH_PROPERTY_PARAMETERS'),
  custom: structure('NDIS_SWITCH_PROPERTY_CUSTOM'),
  delete: structure('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS'),
};

/** Offset and length members that point from a structure to its property buffer. */
export function propertyPiece(of: AnyStructure): PieceMembers {
  return pieceMembers(of.name, of.row.fields, 'PropertyBufferOffset', 'PropertyBufferLength');
}

const PIECES = {
  port: { parameters: propertyPiece(PORT.parameters), custom: propertyPiece(PORT.custom) },
  switch: { parameters: propertyPiece(SWITCH.parameters), custom: propertyPiece(SWITCH.custom) },
};

/**
 * The buffer of PROPERTY_ADD and PROPERTY_UPDATE: parameters → property structure [→ custom data]. Reusable: `bind`
 * does not allocate. After `bind` returned, every offset is known to lie inside the bytes.
 */
export class PropertyBuffer {
  readonly scope: Scope;
  readonly parameters: PropertyParametersView;
  /** Meaningful when {@link isCustom}. */
  readonly custom: PropertyCustomView;
  /** The property structure: absolute offset, and length in bytes with everything that belongs to it. */
  structureOffset = 0;
  structureLength = 0;
  /** Custom: the vendor data; standard: the property structure itself. Absolute offset, length in bytes. */
  dataOffset = 0;
  dataLength = 0;
  readonly #port: View<'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS'> | undefined;

  constructor(scope: Scope) {
    const scratch = new Uint8Array(64);
    this.scope = scope;
    if (scope === 'port') {
      this.#port = PORT.parameters.view(scratch);
      this.parameters = this.#port;
      this.custom = PORT.custom.view(scratch);
    } else {
      this.parameters = SWITCH.parameters.view(scratch);
      this.custom = SWITCH.custom.view(scratch);
    }
  }

  get isCustom(): boolean {
    return this.parameters.PropertyType === CUSTOM_TYPE;
  }

  /** PortId of a port property; `undefined` in switch scope. */
  get portId(): number | undefined {
    return this.#port?.PortId;
  }

  /** Window on the vendor data or the standard structure; not a copy. */
  get data(): Uint8Array {
    return this.parameters.bytes.subarray(this.dataOffset, this.dataOffset + this.dataLength);
  }

  /**
   * Checks and binds the `length` bytes at `offset`: headers, and that each piece lies behind the structure that points
   * to it and inside that one's room. Throws `ABI_INVALID`; the buffer must then be bound again before it is used.
   */
  bind(bytes: Uint8Array, offset = 0, length = bytes.length - offset): this {
    const { parameters } = this.scope === 'port' ? PORT : SWITCH;
    parameters.check(bytes, offset, length);
    const view = this.parameters.rebind(bytes, offset, length);
    const pieces = PIECES[this.scope];
    const inner = view.PropertyBufferLength;
    const at = checkPiece(
      pieces.parameters,
      offset,
      view.Header.Size,
      length,
      view.PropertyBufferOffset,
      inner,
    );
    this.structureOffset = at;
    this.structureLength = inner;
    this.dataOffset = at;
    this.dataLength = inner;
    if (view.PropertyType === CUSTOM_TYPE) this.#bindCustom(bytes, at, inner);
    return this;
  }

  #bindCustom(bytes: Uint8Array, offset: number, length: number): void {
    const { custom } = this.scope === 'port' ? PORT : SWITCH;
    custom.check(bytes, offset, length);
    const view = this.custom.rebind(bytes, offset, length);
    this.dataLength = view.PropertyBufferLength;
    this.dataOffset = checkPiece(
      PIECES[this.scope].custom,
      offset,
      view.Header.Size,
      length,
      view.PropertyBufferOffset,
      view.PropertyBufferLength,
    );
  }
}

/** Checks a custom structure and gives the place of its vendor data; throws `ABI_INVALID`. */
export function customData(scope: Scope, bytes: Uint8Array, offset: number, length: number): Piece {
  const { custom } = scope === 'port' ? PORT : SWITCH;
  custom.check(bytes, offset, length);
  const view = custom.view(bytes, offset, length);
  const dataLength = view.PropertyBufferLength;
  const at = checkPiece(
    PIECES[scope].custom,
    offset,
    view.Header.Size,
    length,
    view.PropertyBufferOffset,
    dataLength,
  );
  return { offset: at, length: dataLength };
}

/** Bytes of a custom structure with `dataLength` bytes of vendor data behind it (16 + data). */
export function customSize(dataLength: number): number {
  return PORT.custom.row.size + dataLength;
}

/** Bytes of a whole ADD or UPDATE buffer; `dataLength` as for {@link writeProperty}. */
export function propertySize(
  scope: Scope,
  dataLength: number,
  propertyType: number = CUSTOM_TYPE,
): number {
  const { parameters } = scope === 'port' ? PORT : SWITCH;
  return parameters.row.size + (propertyType === CUSTOM_TYPE ? customSize(dataLength) : dataLength);
}

/** Writes a custom structure at `offset` for `dataLength` bytes of vendor data; returns where these start. */
export function writeCustom(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  dataLength: number,
): number {
  const { custom } = scope === 'port' ? PORT : SWITCH;
  const size = custom.initialize(bytes, offset);
  const view = custom.view(bytes, offset);
  view.PropertyBufferLength = dataLength;
  view.PropertyBufferOffset = size;
  return offset + size;
}

/**
 * Writes the fixed parts of an ADD or UPDATE buffer at `offset` (rules E10-E12, E14, E15): parameters at a multiple of 8,
 * and for a custom property the custom structure. Returns the absolute offset where the caller writes `dataLength`
 * bytes: the serialized class, or for a standard type the property structure.
 */
export function writeProperty(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  head: PropertyHead,
  dataLength: number,
): number {
  const propertyType = head.propertyType ?? CUSTOM_TYPE;
  const { parameters } = scope === 'port' ? PORT : SWITCH;
  const size = parameters.initialize(bytes, offset);
  const view: PropertyParametersView = parameters.view(bytes, offset);
  if (scope === 'port') PORT.parameters.view(bytes, offset).PortId = head.portId ?? 0;
  view.PropertyType = propertyType;
  view.PropertyId = head.propertyId;
  view.PropertyVersion = head.propertyVersion ?? 0;
  view.SerializationVersion = CONSTANTS.NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1;
  view.PropertyInstanceId = head.propertyInstanceId;
  view.PropertyBufferOffset = size;
  if (propertyType !== CUSTOM_TYPE) {
    view.PropertyBufferLength = dataLength;
    return offset + size;
  }
  view.PropertyBufferLength = customSize(dataLength);
  return writeCustom(scope, bytes, offset + size, dataLength);
}

/** Writes the buffer of PROPERTY_DELETE (48 bytes for a port, 44 for the switch) at `offset`; returns its size. */
export function writePropertyDelete(
  scope: Scope,
  bytes: Uint8Array,
  offset: number,
  head: PropertyHead,
): number {
  const { delete: deletion } = scope === 'port' ? PORT : SWITCH;
  const size = deletion.initialize(bytes, offset);
  const view = deletion.view(bytes, offset);
  if (scope === 'port') PORT.delete.view(bytes, offset).PortId = head.portId ?? 0;
  view.PropertyType = head.propertyType ?? CUSTOM_TYPE;
  view.PropertyId = head.propertyId;
  view.PropertyInstanceId = head.propertyInstanceId;
  return size;
}
