import { mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * Hooks of Node's module loader (https://nodejs.org/docs/latest-v20.x/api/module.html#customization-hooks). A source is looked
 * for in dist; where it is missing there or older than the source, it is compiled now, and kept for the processes to come.
 */

const root = new URL('../../', import.meta.url).href;
const outside = [`${root}node_modules/`, `${root}dist/`];

const isSource = (url) =>
  url.endsWith('.ts') && url.startsWith(root) && !outside.some((folder) => url.startsWith(folder));

/** Milliseconds since 1970, -1 when there is no such file. */
async function changedAt(path) {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? -1 : found.mtimeMs;
}

/** What tsc makes of one source, with its map inside; the text, which is kept as `kept` too. */
async function compile(path, kept) {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile(fileURLToPath(`${root}tsconfig.json`), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const compilerOptions = {
    ...options,
    module: ts.ModuleKind.ESNext,
    sourceMap: false,
    inlineSourceMap: true,
  };
  const readAt = new Date();
  const source = await readFile(path, 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: path });
  // Several processes may do this at once; none is to read half of it.
  const written = `${kept}.${process.pid}.${performance.now()}`;
  await mkdir(dirname(kept), { recursive: true });
  await writeFile(written, outputText);
  await utimes(written, readAt, readAt);
  await rename(written, kept);
  return outputText;
}

/** Compiled text says `./x.js` where its source said `./x.ts`. */
export async function resolve(specifier, context, nextResolve) {
  const { parentURL } = context;
  if (/^\.\.?\/.*\.js$/.test(specifier) && parentURL !== undefined && isSource(parentURL)) {
    const { href: url } = new URL(specifier.replace(/js$/, 'ts'), parentURL);
    if (isSource(url) && (await changedAt(fileURLToPath(url))) !== -1) {
      return { url, format: 'module', shortCircuit: true };
    }
  }
  return nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  const [file] = url.split('?', 1);
  if (!isSource(file)) return nextLoad(url, context);
  const path = fileURLToPath(file);
  const name = file.slice(root.length).replace(/ts$/, 'js');
  const [built, kept] = ['dist', '.tap/compiled'].map((folder) =>
    fileURLToPath(`${root}${folder}/${name}`),
  );
  const [sourceAt, builtAt, keptAt] = await Promise.all([path, built, kept].map(changedAt));
  if (sourceAt === -1) return nextLoad(url, context);
  const answer = (source) => ({ format: 'module', source, shortCircuit: true });
  if (keptAt > sourceAt) return answer(await readFile(kept, 'utf8'));
  if (builtAt <= sourceAt) return answer(await compile(path, kept));
  // Node finds a map beside the module, or at a path without a scheme.
  const map = `//# sourceMappingURL=${pathToFileURL(built).pathname}.map`;
  const text = await readFile(built, 'utf8');
  return answer(text.replace(/^\/\/# sourceMappingURL=.*$/m, () => map));
}
