import { ExtSwitchError } from '../core/errors.ts';
import type { FabricEvent, TraceEntry } from './api.ts';
import { PROFILE_NDIS } from './profile.ts';
import type { Recording, RecordingHead } from './recording.ts';

/*
 * A recording as a file, docs/reference/trace-file.md: JSON, a line each for the head, every OID and event in order of their
 * numbers, and the end, so that half a file is noticed. 64-bit integers are {"$int":"…"}, bytes {"$bytes":"<base64>"}.
 */

const FORMAT = 'extswitch-trace';
const VERSION = 1;

type Fields = Readonly<Record<string, unknown>>;

/** Lines that end with a line feed. */
export function recordingText({ head, entries, events }: Recording): string {
  const all = [
    ...entries.map((entry) => ({ type: 'oid', ...entry })),
    ...events.map(({ type: _type, ...event }) => ({ type: 'event', ...event })),
  ].sort((a, b) => a.seq - b.seq);
  const lines = [
    lineOf({ format: FORMAT, version: VERSION, ...head }),
    ...all.map(lineOf),
    lineOf({ type: 'end', lines: all.length }),
  ];
  return `${lines.join('\n')}\n`;
}

function lineOf(value: object): string {
  return JSON.stringify(value, function (this: Fields, key: string, inner: unknown) {
    if (typeof inner === 'bigint') return { $int: `${inner}` };
    // As it was before Buffer made an object of its own kind of itself.
    const raw = this[key];
    return raw instanceof Uint8Array ? { $bytes: base64(raw) } : inner;
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Reads a file that {@link recordingText} made. Throws `MALFORMED` naming the line of what is no such file or only part of one,
 * `INVALID_ARGUMENT` for a newer version.
 */
export function parseRecording(text: string): Recording {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const [first = '', ...rest] = lines;
  const { format, version, ...head } = parseLine(first, 1);
  if (format !== FORMAT) {
    throw malformed(1, `{"format":"${FORMAT}",…}`, 'something else');
  }
  if (version !== VERSION) {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `the recording has version ${String(version)} of its format: this version of extswitch reads version ${VERSION}`,
      { member: 'version', expected: `${VERSION}`, found: String(version) },
    );
  }
  checkHead(head);
  const entries: TraceEntry[] = [];
  const events: FabricEvent[] = [];
  const end = parseLine(rest.pop() ?? '', lines.length);
  if (end['type'] !== 'end' || end['lines'] !== rest.length) {
    throw malformed(lines.length, 'an end that counts the lines', 'none: the file is cut off');
  }
  for (const [i, line] of rest.entries()) {
    const { type, ...fields } = parseLine(line, i + 2);
    if (type === 'oid') entries.push(entryOf(fields, i + 2));
    else if (type === 'event') events.push({ ...fields, type: 'state' } as unknown as FabricEvent);
    else throw malformed(i + 2, 'type oid or event', JSON.stringify(type));
  }
  return { head: head as unknown as RecordingHead, entries, events };
}

function parseLine(line: string, number: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line, (_key, inner: unknown) => revived(inner));
  } catch (cause) {
    throw malformed(number, 'a JSON object', String(cause));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(number, 'a JSON object', typeof value);
}

function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $int, $bytes } = value as Fields;
  if (typeof $int === 'string') return BigInt($int);
  if (typeof $bytes === 'string') return new Uint8Array(Buffer.from($bytes, 'base64'));
  return value;
}

const HEAD = ['profile', 'seed', 'extensions', 'switches', 'features', 'start'];

function checkHead(head: Fields): void {
  for (const member of HEAD) {
    if (head[member] === undefined) throw malformed(1, `the member ${member}`, 'none');
  }
  const { profile } = head;
  if (typeof profile === 'string' && Object.hasOwn(PROFILE_NDIS, profile)) return;
  const known = Object.keys(PROFILE_NDIS).join(', ');
  throw malformed(1, `a profile this version knows: ${known}`, JSON.stringify(profile));
}

const ENTRY: Readonly<Record<string, string>> = {
  seq: 'number',
  request: 'number',
  time: 'number',
  switch: 'string',
  oid: 'string',
  requestType: 'string',
  origin: 'string',
  status: 'string',
};

function entryOf(fields: Fields, line: number): TraceEntry {
  for (const [member, type] of Object.entries(ENTRY)) {
    if (typeof fields[member] === type) continue;
    throw malformed(line, `${member}, a ${type}`, typeof fields[member]);
  }
  if (!(fields['input'] instanceof Uint8Array)) throw malformed(line, 'input, bytes', 'none');
  if (!Array.isArray(fields['route'])) throw malformed(line, 'route, a list', 'none');
  for (const member of ['findings', 'faults']) {
    const value = fields[member];
    if (value === undefined || Array.isArray(value)) continue;
    throw malformed(line, `${member}, a list`, typeof value);
  }
  return fields as unknown as TraceEntry;
}

function malformed(line: number, expected: string, found: string): ExtSwitchError {
  return new ExtSwitchError(
    'MALFORMED',
    `line ${line} of the recording: expected ${expected}, found ${found}`,
    { line, expected, found },
  );
}
