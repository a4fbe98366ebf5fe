import { ExtSwitchError } from '../core/errors.ts';

/** A line of a dump: where it starts, its bytes; or `*`, which repeats the line before up to the next place. */
interface DumpLine {
  readonly offset: number;
  readonly bytes: readonly number[];
}

const XXD = /^([0-9a-f]{7,16}):\s+((?:[0-9a-f]{2,8} ?)+)(?: .*)?$/i;
const HEXDUMP_CANONICAL = /^([0-9a-f]{8,16}) {2}((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2}) *\|.*\|$/i;
const HEXDUMP_WORDS = /^([0-9a-f]{7}) ((?:[0-9a-f]{4} ?)+)\s*$/i;
const OD_BYTES = /^([0-7]{7}) ((?:[0-9a-f]{2} ?)+)$/i;
const END_OFFSET = /^[0-9a-f]{7,16}$/i;
/** A dump of `*` lines may not claim more than this. */
const DUMP_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Bytes of hexadecimal text: plain digits in any grouping, with spaces, commas, colons, `0x`, `\x`, braces and `h` around
 * them, or the lines of xxd, `hexdump`, `hexdump -C` and `od -tx1`. Throws `MALFORMED` naming what is no hexadecimal.
 */
export function parseHex(text: string, what: string): Uint8Array {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [first = ''] = lines;
  for (const read of [readXxd, readCanonical, readWords, readOd]) {
    if (read(first.trimEnd()) !== undefined) return fromDump(lines, read, what);
  }
  return Uint8Array.from(plainBytes(text, what));
}

/** True for text that {@link parseHex} can be meant for: a file of it is read as text, any other as the bytes themselves. */
export function looksLikeHex(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  if (
    bytes.some((byte) => (byte < 0x20 || byte > 0x7e) && byte !== 9 && byte !== 10 && byte !== 13)
  ) {
    return false;
  }
  try {
    return parseHex(new TextDecoder().decode(bytes), '').length > 0;
  } catch {
    return false;
  }
}

function readXxd(line: string): DumpLine | undefined {
  const match = XXD.exec(line);
  // Two blanks end the digits; the text column may look like digits too.
  return match === null ? undefined : dumpLine(match[1], 16, (match[2] ?? '').split('  ')[0] ?? '');
}

function readCanonical(line: string): DumpLine | undefined {
  const match = HEXDUMP_CANONICAL.exec(line);
  return match === null ? undefined : dumpLine(match[1], 16, match[2] ?? '');
}

/** `hexdump` without -C prints words as this machine has them: little-endian. */
function readWords(line: string): DumpLine | undefined {
  const match = HEXDUMP_WORDS.exec(line);
  if (match === null) return undefined;
  const swapped = (match[2] ?? '').replace(/([0-9a-f]{2})([0-9a-f]{2})/gi, '$2$1');
  return dumpLine(match[1], 16, swapped);
}

function readOd(line: string): DumpLine | undefined {
  const match = OD_BYTES.exec(line);
  return match === null ? undefined : dumpLine(match[1], 8, match[2] ?? '');
}

function dumpLine(offset: string | undefined, radix: number, digits: string): DumpLine {
  const pairs = digits.match(/[0-9a-f]{2}/gi) ?? [];
  return {
    offset: Number.parseInt(offset ?? '0', radix),
    bytes: pairs.map((pair) => Number.parseInt(pair, 16)),
  };
}

function fromDump(
  lines: readonly string[],
  read: (line: string) => DumpLine | undefined,
  what: string,
): Uint8Array {
  const bytes: number[] = [];
  let base: number | undefined;
  let previous: readonly number[] = [];
  let repeats = false;
  for (const line of lines) {
    if (line.trim() === '*') {
      repeats = true;
      continue;
    }
    const radix = read === readOd ? 8 : 16;
    const isEnd = END_OFFSET.test(line.trim());
    const parsed = isEnd
      ? { offset: Number.parseInt(line.trim(), radix), bytes: [] }
      : read(line.trimEnd());
    if (parsed === undefined) throw notHex(what, line);
    base ??= parsed.offset;
    const place = parsed.offset - base;
    if (place > DUMP_BYTES_MAX) throw notHex(what, line);
    while (repeats && bytes.length < place && previous.length > 0) bytes.push(...previous);
    repeats = false;
    if (bytes.length > place && isEnd) bytes.length = place;
    if (bytes.length !== place) {
      throw new ExtSwitchError(
        'MALFORMED',
        `${what}: the dump has ${bytes.length} bytes before the line that says it starts at ${place}`,
        { expected: String(place), found: String(bytes.length) },
      );
    }
    bytes.push(...parsed.bytes);
    previous = parsed.bytes;
  }
  return Uint8Array.from(bytes);
}

function plainBytes(text: string, what: string): number[] {
  const cleaned = text.replace(/0x|\\x/gi, ' ').replace(/[\s,;:{}[\]()_-]+/g, ' ');
  const bytes: number[] = [];
  for (const word of cleaned.trim().split(' ')) {
    if (word === '') continue;
    if (!/^[0-9a-f]+$/i.test(word)) throw notHex(what, word);
    // A lone digit is a byte (`0x0, 0x1`); longer words of odd length lack one.
    const digits = word.length === 1 ? `0${word}` : word;
    if (digits.length % 2 === 1) {
      throw new ExtSwitchError(
        'MALFORMED',
        `${what}: ${JSON.stringify(word.slice(0, 40))} has an odd number of hexadecimal digits`,
        { found: word.slice(0, 40) },
      );
    }
    for (let at = 0; at < digits.length; at += 2) {
      bytes.push(Number.parseInt(digits.slice(at, at + 2), 16));
    }
  }
  return bytes;
}

function notHex(what: string, found: string): ExtSwitchError {
  const shown = found.trim().slice(0, 40);
  return new ExtSwitchError('MALFORMED', `${what}: ${JSON.stringify(shown)} is not hexadecimal`, {
    found: shown,
  });
}
