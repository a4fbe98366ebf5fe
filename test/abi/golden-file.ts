import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { STRUCTURES, type StructureName, structure } from '../../src/abi/index.ts';

/*
 * test/golden/abi/NAME.hex: one structure as commented hex, every member with a value of its own. The files were laid out
 * from the specification's numbers by a program that shares no code with this project; UPDATE_GOLDEN=1 rewrites them
 * from the views, which must change nothing as long as the table is right.
 */

const FOLDER = new URL('../golden/abi/', import.meta.url);

export interface GoldenMember {
  /** Dotted path, e.g. `Header.Type`. */
  readonly path: string;
  readonly offset: number;
  /** As written in the file. */
  readonly value: string;
}

export interface Golden {
  readonly file: string;
  readonly name: StructureName;
  /** 0: no header. */
  readonly revision: number;
  readonly source: string;
  readonly bytes: Uint8Array;
  readonly members: readonly GoldenMember[];
}

export function goldenFiles(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.hex'))
    .sort();
}

export function readGolden(file: string): Golden {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const head = /^# (\w+),(?: revision (\d+),)? (\d+) bytes/.exec(text);
  if (head === null) throw new Error(`${file}: first line is not a golden head`);
  const bytes: number[] = [];
  const members: GoldenMember[] = [];
  for (const row of text.split('\n')) {
    if (row.startsWith('#') || row === '') continue;
    const offset = Number.parseInt(row.slice(0, 4), 16);
    const hex = row.slice(6, 53).trim();
    if (hex !== '=') {
      if (offset !== bytes.length) throw new Error(`${file}: row ${row.slice(0, 4)} out of place`);
      bytes.push(...hex.split(' ').map((digits) => Number.parseInt(digits, 16)));
    }
    const member = /^([\w.]+) = (.*)$/.exec(row.slice(55));
    if (member !== null) members.push({ offset, path: member[1] ?? '', value: member[2] ?? '' });
  }
  if (bytes.length !== Number(head[3])) throw new Error(`${file}: ${bytes.length} bytes`);
  return {
    file,
    name: head[1] as StructureName,
    revision: Number(head[2] ?? 0),
    source: /^# source: (.*)$/m.exec(text)?.[1] ?? '',
    bytes: Uint8Array.from(bytes),
    members,
  };
}

/** Text of a member's value as the files have it. */
export function valueText(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} elements`;
  if (typeof value === 'object' && value !== null && 'length' in value) {
    return `${String(value.length)} elements`;
  }
  return typeof value === 'string' && !/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value)
    ? JSON.stringify(value)
    : String(value);
}

/** What a dotted path of a view or plain object leads to. */
export function at(view: object, path: string): unknown {
  let value: unknown = view;
  for (const name of path.split('.')) value = (value as Record<string, unknown>)[name];
  return value;
}

interface Item {
  readonly offset: number;
  readonly size: number;
  readonly path: string;
}

function items(golden: Golden): Item[] {
  const row = STRUCTURES[golden.name];
  const end = golden.revision === 0 ? row.size : (row.revisionSizes[golden.revision - 1] ?? 0);
  return row.fields
    .filter((field) => field.offset + field.size <= end)
    .flatMap((field): Item[] =>
      field.ctype === 'NDIS_OBJECT_HEADER'
        ? [
            { offset: 0, size: 1, path: 'Header.Type' },
            { offset: 1, size: 1, path: 'Header.Revision' },
            { offset: 2, size: 2, path: 'Header.Size' },
          ]
        : [{ offset: field.offset, size: field.size, path: field.name }],
    )
    .map((item, index) => ({ item, index }))
    .sort((a, b) => a.item.offset - b.item.offset || a.index - b.index)
    .map(({ item }) => item);
}

/** Rewrites a golden file from `bytes`, which a view wrote. */
export function writeGolden(golden: Golden, bytes: Uint8Array): void {
  const view = structure(golden.name).view(bytes);
  const revision = golden.revision === 0 ? '' : `revision ${golden.revision}, `;
  const lines = [
    `# ${golden.name}, ${revision}${bytes.length} bytes, x64`,
    `# source: ${STRUCTURES[golden.name].source}`,
    '# offset  bytes  member = value ("=": the bytes of the row above, read another way)',
  ];
  const line = (offset: number, hex: string, label: string) => {
    const place = offset.toString(16).padStart(4, '0');
    lines.push(`${place}  ${hex.padEnd(47)}  ${label}`.trimEnd());
  };
  let done = 0;
  const rows = (end: number, label: string) => {
    for (let from = done; from < end; from += 16) {
      const part = Array.from(bytes.subarray(from, Math.min(end, from + 16)));
      const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      line(from, hex, from === done ? label : '');
    }
    done = end;
  };
  for (const { offset, size, path } of items(golden)) {
    const label = `${path} = ${valueText(at(view, path))}`;
    if (offset > done) rows(offset, '(padding)');
    if (offset >= done) rows(offset + size, label);
    else {
      if (offset + size > done) rows(offset + size, `(rest of ${path})`);
      line(offset, '=', label);
    }
  }
  if (done < bytes.length) rows(bytes.length, '(padding)');
  writeFileSync(new URL(golden.file, FOLDER), `${lines.join('\n')}\n`);
}
