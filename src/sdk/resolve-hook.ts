/** What the hook is told when it is registered. */
export interface ResolveHookData {
  /** Package entry → URL of the running copy's module. */
  readonly entries: Readonly<Record<string, string>>;
  /** URL of the folder of the running copy, with a slash at its end: what lies there is not ours to load. */
  readonly packageRoot: string;
}

/**
 * Source of the module hooks that `loadExtension` registers (node:module `register`). It is text because hooks run in a
 * thread of their own, where no TypeScript loader is sure to be: as a `data:` module it is the same from sources and
 * compiled. Package entries resolve to the running copy; `.ts` and `.js` files beside no package.json that says
 * otherwise count as ES modules when they look like one. TypeScript outside the package is handed up as it is, past any
 * loader this process was started with, to the one that is registered after this.
 */
export const RESOLVE_HOOK = `
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

let entries = {};
let packageRoot = '';
export async function initialize(data) {
  entries = data.entries;
  packageRoot = data.packageRoot;
}

const pathOf = (url) => url.replace(/[?#].*$/, '');
const isForeign = (url) =>
  url.startsWith('file:') && !url.startsWith(packageRoot) && !url.includes('/node_modules/');

export async function resolve(specifier, context, nextResolve) {
  const own = Object.hasOwn(entries, specifier) ? entries[specifier] : undefined;
  if (own !== undefined) return nextResolve(own, context);
  const found = await nextResolve(specifier, context);
  if (found.format === 'module' || !isForeign(found.url)) return found;
  if (!/\\.(ts|js)$/.test(pathOf(found.url))) return found;
  const source = await readFile(fileURLToPath(pathOf(found.url)), 'utf8').catch(() => '');
  const looksLikeModule = /^[ \\t]*(?:import\\b\\s*[\\w{*'"]|export\\b\\s*[\\w{*])/m.test(source);
  return looksLikeModule ? { ...found, format: 'module' } : found;
}

export async function load(url, context, nextLoad) {
  const isTypescript = isForeign(url) && /\\.m?ts$/.test(pathOf(url));
  if (!isTypescript || (context.format !== 'module' && !pathOf(url).endsWith('.mts'))) {
    return nextLoad(url, context);
  }
  const source = await readFile(fileURLToPath(pathOf(url)), 'utf8');
  return { format: 'module', source, shortCircuit: true };
}
`;
