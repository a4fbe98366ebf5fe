/** Calls on one buffer before it counts as one that comes again and again. */
const REPEATS = 32;
/** A larger buffer is not kept alive for this, bytes. */
const MAX_KEPT_BYTES = 65_536;

/**
 * A DataView over a buffer that comes again and again. Making one for every call would cost more than it saves; the first
 * calls on a buffer, and buffers used once, get none.
 */
export class RepeatedView {
  private bytes: Uint8Array | undefined;
  private view: DataView | undefined;
  private repeats = 0;

  /** The view, with the same offsets as `bytes`, or `undefined` when the buffer is too new. */
  of(bytes: Uint8Array): DataView | undefined {
    if (bytes === this.bytes) return this.view ?? this.again(bytes);
    this.view = undefined;
    this.repeats = 0;
    this.bytes = bytes.length <= MAX_KEPT_BYTES ? bytes : undefined;
    return undefined;
  }

  private again(bytes: Uint8Array): DataView | undefined {
    this.repeats += 1;
    if (this.repeats < REPEATS) return undefined;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.view;
  }
}
