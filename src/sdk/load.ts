import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { register } from 'node:module';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type ErrorPlace, ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import { isExtensionDefinition } from './define.ts';
import type { ExtensionDefinition } from './extension.ts';
import { RESOLVE_HOOK, type ResolveHookData } from './resolve-hook.ts';

const EXTENSIONS: readonly string[] = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Loads an extension module from a path (relative to `cwd`, by default the working folder) and returns its default export. The file may lie anywhere,
 * with no `node_modules` beside it: its imports of `extswitch`, `extswitch/extension`, `extswitch/abi` and
 * `extswitch/mof` mean the running copy. Throws `EXTENSION_INVALID` naming the path, and the line of a syntax error.
 */
export async function loadExtension(
  path: string,
  cwd: string = process.cwd(),
): Promise<ExtensionDefinition> {
  const file = fileOf(path, cwd);
  const exported = await loadDefaultExport(path, cwd);
  if (isExtensionDefinition(exported)) return exported;
  throw failure(
    path,
    exported === undefined
      ? 'it has no default export; write `export default defineExtension({ … })`'
      : 'its default export does not come from defineExtension (import it from extswitch/extension)',
    { file, member: 'default' },
  );
}

function fileOf(path: string, cwd: string): string {
  return path.startsWith('file:') ? fileURLToPath(path) : resolve(cwd, path);
}

/** Default export of any module of a person's, loaded as extensions are; `undefined` when it has none. */
export async function loadDefaultExport(path: string, cwd: string): Promise<unknown> {
  return (await loadModule(path, cwd))['default'];
}

/** Exports of any module of a person's, loaded as extensions are. */
export async function loadModule(
  path: string,
  cwd: string,
): Promise<Readonly<Record<string, unknown>>> {
  const file = fileOf(path, cwd);
  await checkFile(path, file);
  await prepare(/\.m?ts$/.test(file));
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw await loadFailure(path, file, cause);
  }
}

async function checkFile(path: string, file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw failure(path, 'no such file', { file });
  if (!found.isFile()) {
    throw failure(path, 'it is a folder; name the module file in it', { file });
  }
  if (!EXTENSIONS.includes(extname(file))) {
    throw failure(path, `the name must end in ${EXTENSIONS.join(', ')}`, { file });
  }
}

let hooked = false;
let typescript = false;

/** Registers the hooks once, and above them the TypeScript loader when the first `.ts` comes. */
async function prepare(needsTypescript: boolean): Promise<void> {
  if (!hooked) {
    hooked = true;
    const runsFromSource = import.meta.url.endsWith('.ts');
    const own = (name: string): string =>
      new URL(`../${name}${runsFromSource ? '.ts' : '.js'}`, import.meta.url).href;
    const data: ResolveHookData = {
      entries: {
        extswitch: own('index'),
        'extswitch/extension': own('sdk/index'),
        'extswitch/abi': own('abi/index'),
        'extswitch/mof': own('mof/index'),
        'extswitch/extensions': own('../extensions/index'),
        'extswitch/testing': own('testing/index'),
      },
      packageRoot: new URL(runsFromSource ? '../../' : '../../../', import.meta.url).href,
    };
    register(`data:text/javascript,${encodeURIComponent(RESOLVE_HOOK)}`, { data });
  }
  if (needsTypescript && !typescript) {
    typescript = true;
    const tsx = await import('tsx/esm/api');
    tsx.register();
  }
}

async function loadFailure(path: string, file: string, cause: unknown): Promise<ExtSwitchError> {
  const problem = cause instanceof Error ? cause : new Error(String(cause));
  if (isExtSwitchError(cause)) {
    return failure(path, cause.message, { ...cause.place, file }, cause);
  }
  const transform = /^(.*):(\d+):(\d+): ERROR: (.*)$/m.exec(problem.message);
  if (transform !== null) {
    const [, where = '', line = '', column = '', what = ''] = transform;
    const place = { file: where, line: Number(line), column: Number(column) + 1 };
    return failure(path, `syntax error at ${where}:${line}:${place.column}: ${what}`, place, cause);
  }
  if (problem instanceof SyntaxError) {
    const line = await syntaxErrorLine(file);
    const at = line === undefined ? 'in it or a module it imports' : `at ${file}:${line}`;
    const place = line === undefined ? { file } : { file, line };
    return failure(path, `syntax error ${at}: ${problem.message}`, place, cause);
  }
  const missing = /^Cannot find (?:package|module) '[^']*'/.exec(problem.message);
  if (missing !== null) return failure(path, missing[0], { file }, cause);
  return failure(path, `it throws while loading: ${firstLine(problem)}`, { file }, cause);
}

/** Node keeps the line of an ES module's syntax error to itself; `node --check` prints it. */
async function syntaxErrorLine(file: string): Promise<number | undefined> {
  const source = await readFile(file, 'utf8');
  const stderr = await new Promise<string>((done) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--check', '-'],
      { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 5000 },
      (_error, _out, text) => done(text),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(source);
  });
  const line = /^(?:file:)?\[?(?:stdin|.*eval\d*)\]?:(\d+)$/m.exec(stderr)?.[1];
  return line === undefined ? undefined : Number(line);
}

function firstLine(error: Error): string {
  return `${error.name}: ${error.message}`.split('\n', 1)[0] ?? error.name;
}

function failure(path: string, reason: string, place: ErrorPlace, cause?: unknown): ExtSwitchError {
  const options = cause === undefined ? undefined : { cause };
  return new ExtSwitchError('EXTENSION_INVALID', `extension ${path}: ${reason}`, place, options);
}
