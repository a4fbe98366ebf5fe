import { checkSaveState, structure } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { type Guid, NULL_GUID, parseGuid } from '../src/core/guid.ts';
import { NdisStatus } from '../src/core/status.ts';
import type {
  NicAddress,
  NicRestoreState,
  NicSaveState,
  OidRequest as OidRequestHandle,
} from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, RequestHandle } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';

export const SAVE_STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');
/** Most data bytes of one record from revision 2 on. SaveDataSizeOverflow could say 4 GiB; this bounds what one request may take. */
const MAX_DATA_REVISION_2 = 16 * 1024 * 1024;
/** Highest value of SaveDataOffset + SaveDataSize: both are USHORTs, and so is Header.Size. */
const U16_MAX = 0xffff;
/** NIC_SAVE requests whose handler tried to save a record that is too long, and how long it was: a throw has no room for it. */
const tooLong = new WeakMap<OidRequest, number>();

/** Bytes of a record that the revision of this NIC_SAVE cannot carry and that its handler tried to save (rule G12). */
export function tooLongRecord(request: OidRequest): number | undefined {
  return tooLong.get(request);
}

/** ExtensionFriendlyName, UTF-16 units. */
const MAX_NAME = 256;

/** Most data bytes of one record: rule G12; 65,535 less the fixed part in revision 1 (ndis-switch-abi.md, quirk 41). */
export function maxSaveData(revision: number): number {
  return revision >= 2 ? MAX_DATA_REVISION_2 : U16_MAX - SAVE_STATE.minimumSize;
}

/** What every request of the save and restore family has: the NIC it is for. */
abstract class SaveStateView implements NicAddress {
  protected readonly raw: OidRequest;
  protected readonly module: FilterModule;
  readonly request: OidRequestHandle;
  protected readonly state: ReturnType<typeof SAVE_STATE.view>;

  constructor(request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    this.raw = request;
    this.module = module;
    this.request = new RequestHandle(request, module, pipeline);
    this.state = SAVE_STATE.view(request.buffer, 0, request.length);
  }

  get portId(): number {
    return this.state.PortId;
  }
  get nicIndex(): number {
    return this.state.NicIndex;
  }
}

/** OID_SWITCH_NIC_SAVE as a handler sees it; writes one record (rules G13, G14, G16, G17). */
export class NicSaveView extends SaveStateView implements NicSaveState {
  /** Rule G2, OP-11: on the way down SaveDataSize is the room. */
  readonly capacityBytes: number;
  readonly #dataOffset: number;

  constructor(request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    super(request, module, pipeline);
    const { state } = this;
    this.#dataOffset = state.SaveDataOffset;
    this.capacityBytes = state.SaveDataSize + state.SaveDataSizeOverflow;
  }

  save(data: Uint8Array, featureClassId: string = NULL_GUID): NdisStatus {
    const classId = parseGuid(featureClassId, 'featureClassId');
    this.#checkData(data);
    const needed = this.#dataOffset + data.length;
    if (data.length > this.capacityBytes) {
      // Rule G17, OP-12 (quirk 20): SaveDataOffset plus the data.
      this.request.bytesNeeded = needed;
      return NdisStatus.BUFFER_TOO_SHORT;
    }
    // Throws when the request is not this module's; from here on what it writes is compared (rules G15, G18).
    this.request.bytesWritten = needed;
    const bytes = this.request.bytes;
    this.raw.bytesRead = this.raw.inputLength;
    const { state } = this;
    state.ExtensionId = this.module.id;
    state.ExtensionFriendlyName = this.module.name.slice(0, MAX_NAME);
    state.FeatureClassId = classId;
    const inline = Math.min(data.length, U16_MAX - this.#dataOffset);
    state.SaveDataSize = inline;
    if (state.Header.Revision >= 2) state.SaveDataSizeOverflow = data.length - inline;
    bytes.set(data, this.#dataOffset);
    return NdisStatus.SUCCESS;
  }

  /** Rules G12, OP-11: 1 byte to what the revision can say. */
  #checkData(data: Uint8Array): void {
    const max = maxSaveData(this.state.Header.Revision);
    if (data instanceof Uint8Array && data.length >= 1 && data.length <= max) return;
    if (data instanceof Uint8Array && data.length > max) tooLong.set(this.raw, data.length);
    const found = data instanceof Uint8Array ? `${data.length} bytes` : typeof data;
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `save: expected a Uint8Array of 1 to ${max} bytes (rule G12), found ${found}`,
      { rule: 'G12', member: 'data', expected: `1 to ${max} bytes`, found },
    );
  }
}

/** OID_SWITCH_NIC_RESTORE as a handler sees it (rules G30-G32). */
export class NicRestoreView extends SaveStateView implements NicRestoreState {
  #data: Uint8Array | undefined;

  get extensionId(): Guid {
    return this.state.ExtensionId;
  }
  get extensionFriendlyName(): string {
    return this.state.ExtensionFriendlyName;
  }
  get featureClassId(): Guid {
    return this.state.FeatureClassId;
  }
  get isMine(): boolean {
    return this.state.ExtensionId === this.module.id;
  }
  /** Copied when first asked for: most records are somebody else's. */
  get data(): Uint8Array {
    if (this.#data === undefined) {
      const { offset, length } = checkSaveState(this.raw.buffer, 0, this.raw.length);
      this.#data = this.raw.buffer.slice(offset, offset + length);
    }
    return this.#data;
  }
}

/** The NIC that SAVE_COMPLETE and RESTORE_COMPLETE name. */
export function readNicAddress(bytes: Uint8Array): NicAddress {
  const state = SAVE_STATE.view(bytes, 0);
  return { portId: state.PortId, nicIndex: state.NicIndex };
}
