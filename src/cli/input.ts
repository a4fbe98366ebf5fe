import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ExtSwitchError } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';

/** Largest input a command reads into memory. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024;

/** Reads a file, or standard input for `-`. Throws `NOT_FOUND` or `INVALID_ARGUMENT` naming the file. */
export async function readInput(terminal: Terminal, path: string): Promise<Uint8Array> {
  if (path !== '-') return readNamed(terminal, path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of terminal.stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
    length += bytes.length;
    if (length > INPUT_BYTES_MAX) {
      throw new ExtSwitchError('TOO_LARGE', `standard input is over ${INPUT_BYTES_MAX} bytes`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The same as text, UTF-8 with or without BOM. */
export async function readInputText(terminal: Terminal, path: string): Promise<string> {
  return new TextDecoder().decode(await readInput(terminal, path));
}

/** Parses JSON from a file or the command line. Throws `MALFORMED` naming the place. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ExtSwitchError('MALFORMED', `${what} is not JSON: ${reason}`, {}, { cause });
  }
}

async function readNamed(terminal: Terminal, path: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(terminal.cwd, path));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'no such file',
      EISDIR: 'it is a folder',
      EACCES: 'not allowed',
    };
    const reason = reasons[code ?? ''] ?? (cause as Error).message;
    const kind = code === 'ENOENT' ? 'NOT_FOUND' : 'INVALID_ARGUMENT';
    throw new ExtSwitchError(kind, `cannot read ${path}: ${reason}`, { file: path }, { cause });
  }
}

/** Writes a result to a file, or to standard output when `path` is undefined or `-`. */
export async function writeOutput(
  terminal: Terminal,
  path: string | undefined,
  text: string,
): Promise<void> {
  if (path === undefined || path === '-') return terminal.print(text);
  return writeNamed(terminal, path, text);
}

/** Writes a file. Throws `INVALID_ARGUMENT` naming it. */
export async function writeNamed(
  terminal: Terminal,
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  try {
    await writeFile(resolve(terminal.cwd, path), content);
  } catch (cause) {
    const reason = (cause as Error).message;
    const message = `cannot write ${path}: ${reason}`;
    throw new ExtSwitchError('INVALID_ARGUMENT', message, { file: path }, { cause });
  }
}
