import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ExtSwitchError } from '../../core/errors.ts';
import { didYouMean } from '../nearest.ts';

/** A value of the settings file with its line, 1-based. */
export interface ConfigValue {
  readonly value: unknown;
  readonly line: number;
}

/** A settings file: its relative paths start at `folder`. */
export interface ConfigFile {
  readonly path: string;
  readonly folder: string;
  readonly values: ReadonlyMap<string, ConfigValue>;
}

const NAMES = ['extswitch.config.json', 'extswitch.config.yaml'] as const;

/**
 * Reads the settings file: `path` when it is named, else `extswitch.config.json` or `.yaml` in `cwd` when there is one.
 * Throws `INVALID_ARGUMENT` naming file, line and key for wrong syntax, an unknown key, or two files at once.
 */
export async function readConfigFile(
  path: string | undefined,
  cwd: string,
  keys: readonly string[],
): Promise<ConfigFile | undefined> {
  if (path !== undefined) {
    const file = resolve(cwd, path);
    const text = await readOptional(file);
    if (text === undefined) throw invalid(file, 'no such file');
    return parse(file, text, keys);
  }
  const found: { readonly file: string; readonly text: string }[] = [];
  for (const name of NAMES) {
    const file = resolve(cwd, name);
    const text = await readOptional(file);
    if (text !== undefined) found.push({ file, text });
  }
  const [first, second] = found;
  if (second !== undefined) {
    throw invalid(second.file, `${NAMES[0]} is there too; keep one of them`);
  }
  return first === undefined ? undefined : parse(first.file, first.text, keys);
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(file, (cause as Error).message);
  }
}

/** JSON is YAML too, so one parser reads both and knows the lines. It is loaded only when there is a file. */
async function parse(file: string, text: string, keys: readonly string[]): Promise<ConfigFile> {
  const { isMap, isNode, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw invalid(file, error.message, line, col);
  }
  const values = new Map<string, ConfigValue>();
  const { contents } = document;
  if (contents !== null && !isMap(contents)) {
    throw invalid(file, 'the settings must be a map of key: value', 1);
  }
  for (const pair of contents?.items ?? []) {
    const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    const start = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    const { line } = lines.linePos(start);
    if (!keys.includes(key)) {
      const known = `known are ${keys.join(', ')}`;
      throw invalid(
        file,
        `unknown key ${JSON.stringify(key)}${didYouMean(key, keys)} (${known})`,
        line,
      );
    }
    const value: unknown = isNode(pair.value) ? pair.value.toJS(document) : pair.value;
    values.set(key, { value, line });
  }
  return { path: file, folder: dirname(file), values };
}

function invalid(file: string, reason: string, line?: number, column?: number): ExtSwitchError {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return new ExtSwitchError('INVALID_ARGUMENT', `${place}: ${reason}`, {
    file,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  });
}
