import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/*
 * Hooks of Node's module loader (https://nodejs.org/docs/latest-v20.x/api/module.html#customization-hooks). A source is looked
 * for in dist; where it is missing there or older than the source, it is compiled now.
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

/** What tsc makes of one source, with its map inside. */
async function compile(path) {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile(fileURLToPath(`${root}tsconfig.json`), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const compilerOptions = {
    ...options,
    module: ts.ModuleKind.ESNext,
    sourceMap: false,
    inlineSourceMap: true,
  };
  const source = await readFile(path, 'utf8');
  return ts.transpileModule(source, { compilerOptions, fileName: path }).outputText;
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
  const [file, query = ''] = url.split('?', 2);
  if (!isSource(file)) return nextLoad(url, context);
  const path = fileURLToPath(file);
  const compiled = fileURLToPath(`${root}dist/${file.slice(root.length).replace(/ts$/, 'js')}`);
  const [sourceAt, compiledAt] = await Promise.all([changedAt(path), changedAt(compiled)]);
  if (sourceAt === -1 || query.includes('namespace')) return nextLoad(url, context);
  if (compiledAt <= sourceAt) {
    return { format: 'module', source: await compile(path), shortCircuit: true };
  }
  // Node finds a map beside the module, or at a path without a scheme.
  const text = await readFile(compiled, 'utf8');
  const source = text.replace(
    /^\/\/# sourceMappingURL=.*$/m,
    () => `//# sourceMappingURL=${new URL(`file://${compiled}.map`).pathname}`,
  );
  return { format: 'module', source, shortCircuit: true };
}
