import { ExtSwitchError } from '../core/errors.ts';
import { BODY_LIMITS } from './body-limits.ts';

/*
 * MessagePack, one pass over the format bytes without making values (msgpack.org specification, "Formats"). Finds what
 * a decoder must not see: 0xC1, extension types, lengths beyond the end, trailing bytes, too much depth or count.
 */

/** Bytes of the value after its format byte for 0xc0..0xdf: fixed sizes only, -1 where a length field decides. */
const FIXED_SIZE = Int8Array.of(
  0,
  -1,
  0,
  0,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  4,
  8,
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  8,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
  -1,
);

class Scan {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  has64Bit = false;
  /** Values still to come in the open containers, innermost last. */
  readonly left: number[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(what: string): never {
    throw new ExtSwitchError('MALFORMED', `malformed MessagePack at byte ${this.at}: ${what}`, {
      offset: this.at,
    });
  }

  skip(count: number): void {
    if (this.at + count > this.bytes.length) this.fail('the body ends inside a value');
    this.at += count;
  }

  length(width: 1 | 2 | 4): number {
    const at = this.at;
    this.skip(width);
    if (width === 1) return this.view.getUint8(at);
    return width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  open(count: number, isMap: boolean): void {
    const limit = isMap ? BODY_LIMITS.members : BODY_LIMITS.elements;
    if (count > limit) this.fail(`${count} ${isMap ? 'members' : 'elements'}, at most ${limit}`);
    if (this.left.length >= BODY_LIMITS.depth) this.fail(`deeper than ${BODY_LIMITS.depth}`);
    if (count > 0) this.left.push(isMap ? count * 2 : count);
  }

  value(): void {
    const format = this.bytes[this.at] as number;
    this.at += 1;
    if (format < 0x80 || format >= 0xe0) return;
    if (format < 0x90) this.open(format & 0x0f, true);
    else if (format < 0xa0) this.open(format & 0x0f, false);
    else if (format < 0xc0) this.skip(format & 0x1f);
    else this.sized(format);
  }

  sized(format: number): void {
    const fixed = FIXED_SIZE[format - 0xc0] as number;
    if (fixed >= 0) {
      if (format === 0xcf || format === 0xd3) this.has64Bit = true;
      this.skip(fixed);
      return;
    }
    switch (format) {
      case 0xc4:
      case 0xd9:
        this.skip(this.length(1));
        return;
      case 0xc5:
      case 0xda:
        this.skip(this.length(2));
        return;
      case 0xc6:
      case 0xdb:
        this.skip(this.length(4));
        return;
      case 0xdc:
      case 0xdd:
        this.open(this.length(format === 0xdc ? 2 : 4), false);
        return;
      case 0xde:
      case 0xdf:
        this.open(this.length(format === 0xde ? 2 : 4), true);
        return;
      default:
        this.at -= 1;
        this.fail(
          format === 0xc1 ? 'the byte 0xC1 means nothing' : 'extension types are not taken',
        );
    }
  }
}

/** Throws `MALFORMED` with the byte offset unless `bytes` are exactly one value within {@link BODY_LIMITS}. */
export function checkMessagePack(bytes: Uint8Array): { readonly has64Bit: boolean } {
  const scan = new Scan(bytes);
  const { left } = scan;
  do {
    if (scan.at >= bytes.length) scan.fail('the body ends where a value is expected');
    const depth = left.length;
    scan.value();
    // The value was one of its container's; a container opened by it comes on top and is counted there.
    if (depth > 0) left[depth - 1] = (left[depth - 1] as number) - 1;
    while (left.length > 0 && left[left.length - 1] === 0) left.pop();
  } while (left.length > 0);
  if (scan.at !== bytes.length) scan.fail(`${bytes.length - scan.at} bytes after the value`);
  return scan;
}
