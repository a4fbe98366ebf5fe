/** Package entry → URL of the running copy's module. */
export type ResolveHookData = Readonly<Record<string, string>>;

/**
 * Source of the module hook that `loadExtension` registers (node:module `register`). It is text because hooks run in a
 * thread of their own, where no TypeScript loader is sure to be: as a `data:` module it is the same from sources and
 * compiled. Package entries resolve to the running copy; `.ts` and `.js` files beside no package.json that says
 * otherwise count as ES modules when they look like one.
 */
export const RESOLVE_HOOK = `
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

let entries = {};
export async function initialize(data) {
  entries = data;
}
export async function resolve(specifier, context, nextResolve) {
  const own = Object.hasOwn(entries, specifier) ? entries[specifier] : undefined;
  if (own !== undefined) return nextResolve(own, context);
  const found = await nextResolve(specifier, context);
  if (found.format === 'module' || !found.url.startsWith('file:')) return found;
  const path = found.url.replace(/[?#].*$/, '');
  if (!/\\.(ts|js)$/.test(path) || path.includes('/node_modules/')) return found;
  const source = await readFile(fileURLToPath(path), 'utf8').catch(() => '');
  const looksLikeModule = /^[ \\t]*(?:import\\b\\s*[\\w{*'"]|export\\b\\s*[\\w{*])/m.test(source);
  return looksLikeModule ? { ...found, format: 'module' } : found;
}
`;
