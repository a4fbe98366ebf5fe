import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';
import type { ExtensionDefinition } from './extension.ts';

/** Where a definition keeps the folder its relative MOF paths start from; known to every copy of the package. */
const ORIGIN = Symbol.for('extswitch.extension.origin');

const KEYS = ['id', 'name', 'vendor', 'version', 'type', 'mof', 'attach'] as const;
const TYPES: readonly string[] = ['capture', 'filter', 'forward'];
const VERSION_TEXT = /^(\d{1,3})\.(\d{1,3})$/;
/** IF_MAX_STRING_SIZE: names of extensions become NDIS_IF_COUNTED_STRING values elsewhere in the switch. */
const NAME_LENGTH_MAX = 256;

/** A MOF file of an extension: `path` for diagnostics, `bytes` as they are on disk (the compiler reads the BOM). */
export interface ExtensionMofFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Checks what an ISV wrote and freezes it; `id` becomes lower case without braces. Relative `mof` paths are resolved
 * against the module that calls this function, or the working folder when the caller is no file. Throws
 * `EXTENSION_INVALID` naming the extension and the member that is wrong.
 */
export function defineExtension(definition: ExtensionDefinition): Readonly<ExtensionDefinition> {
  const raw: unknown = definition;
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalid('defineExtension takes an object', 'definition', 'an object', shown(raw));
  }
  const given = raw as Readonly<Record<string, unknown>>;
  const called = typeof given['name'] === 'string' ? `extension "${given['name']}"` : 'extension';
  for (const key of Object.keys(given)) {
    if (!KEYS.some((known) => known === key)) {
      throw invalid(`${called}: unknown member "${key}"`, key, `one of ${KEYS.join(', ')}`, key);
    }
  }
  const id = typeof given['id'] === 'string' ? tryParseGuid(given['id']) : undefined;
  if (id === undefined) throw wrong(called, 'id', 'a GUID', given['id']);
  const version = text(called, given, 'version');
  const match = VERSION_TEXT.exec(version);
  if (match === null || Number(match[1]) > 255 || Number(match[2]) > 255) {
    throw wrong(called, 'version', 'major.minor, each 0 to 255', version);
  }
  if (!TYPES.includes(given['type'] as string)) {
    throw wrong(called, 'type', `one of ${TYPES.join(', ')}`, given['type']);
  }
  if (typeof given['attach'] !== 'function') {
    throw wrong(called, 'attach', 'a function', given['attach']);
  }
  const checked = {
    id,
    name: text(called, given, 'name'),
    vendor: text(called, given, 'vendor'),
    version,
    type: definition.type,
    ...(given['mof'] === undefined ? {} : { mof: mofPaths(called, given['mof']) }),
    attach: definition.attach,
  };
  return definedAt(checked, callerUrl());
}

/** A checked definition that counts as written in the module at `origin`. */
export function definedAt(
  definition: ExtensionDefinition,
  origin: string,
): Readonly<ExtensionDefinition> {
  return Object.freeze(Object.defineProperty({ ...definition }, ORIGIN, { value: origin }));
}

/** True for what {@link defineExtension} returned, of this or another copy of the package. */
export function isExtensionDefinition(value: unknown): value is ExtensionDefinition {
  return typeof value === 'object' && value !== null && ORIGIN in value;
}

/** URL of the module that called {@link defineExtension}; `undefined` when that is no file. */
export function originOf(definition: ExtensionDefinition): string | undefined {
  const origin = (definition as { readonly [ORIGIN]?: unknown })[ORIGIN];
  return typeof origin === 'string' ? origin : undefined;
}

/** Reads the MOF files of a definition from disk. Throws `EXTENSION_INVALID` naming extension, file and reason. */
export function mofFilesOf(definition: ExtensionDefinition): readonly ExtensionMofFile[] {
  const origin = originOf(definition);
  const base = origin !== undefined ? new URL('.', origin) : folderUrl(process.cwd());
  return (definition.mof ?? []).map((entry) => {
    const path = pathOf(definition, entry, base);
    try {
      return { path, bytes: readFileSync(path) };
    } catch (cause) {
      throw new ExtSwitchError(
        'EXTENSION_INVALID',
        `extension "${definition.name}": cannot read its MOF file ${path}: ${(cause as Error).message}`,
        { member: 'mof', file: path },
        { cause },
      );
    }
  });
}

function pathOf(definition: ExtensionDefinition, entry: string | URL, base: URL): string {
  if (typeof entry === 'string' && !entry.startsWith('file:')) {
    return isAbsolute(entry) ? entry : resolve(fileURLToPath(base), entry);
  }
  const url = new URL(entry);
  if (url.protocol !== 'file:') {
    throw wrong(`extension "${definition.name}"`, 'mof', 'a path or a file: URL', url.href);
  }
  return fileURLToPath(url);
}

function mofPaths(called: string, value: unknown): readonly (string | URL)[] {
  if (!Array.isArray(value)) throw wrong(called, 'mof', 'an array of paths', value);
  return Object.freeze(
    value.map((entry: unknown, index) => {
      if ((typeof entry === 'string' && entry !== '') || entry instanceof URL) return entry;
      throw wrong(called, `mof[${index}]`, 'a path or a URL', entry);
    }),
  );
}

function text(called: string, given: Readonly<Record<string, unknown>>, member: string): string {
  const value = given[member];
  if (typeof value !== 'string' || value.trim() === '' || value.length > NAME_LENGTH_MAX) {
    throw wrong(called, member, `text of 1 to ${NAME_LENGTH_MAX} characters`, value);
  }
  return value;
}

function wrong(called: string, member: string, expected: string, found: unknown): ExtSwitchError {
  const what = shown(found);
  return invalid(`${called}: ${member} must be ${expected}, found ${what}`, member, expected, what);
}

function invalid(message: string, member: string, expected: string, found: string): ExtSwitchError {
  return new ExtSwitchError('EXTENSION_INVALID', message, { member, expected, found });
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  return JSON.stringify(value).slice(0, 80);
}

function folderUrl(folder: string): URL {
  return pathToFileURL(`${folder}/`);
}

/**
 * URL of the module that called {@link defineExtension}. V8's structured stack is the only way to learn it without
 * asking every extension to pass `import.meta.url`; a caller without a file (REPL, `--eval`) counts as the working folder.
 */
function callerUrl(): string {
  const before = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, frames) => frames;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, defineExtension);
    const frames = holder.stack as readonly NodeJS.CallSite[];
    const file = frames[0]?.getFileName() ?? '';
    if (file.startsWith('file:')) return file.replace(/[?#].*$/, '');
    if (isAbsolute(file)) return pathToFileURL(file).href;
  } finally {
    Error.prepareStackTrace = before;
    Error.stackTraceLimit = limit;
  }
  return folderUrl(process.cwd()).href;
}
