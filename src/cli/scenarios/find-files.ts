import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** Files that a folder gives without being named: others may lie there too. */
const IN_FOLDERS = /\.ya?ml$|\.scenario\.(?:json|m?ts|m?js)$/i;
const BY_NAME = /\.(?:ya?ml|json|m?ts|m?js)$/i;

/** True for what can only be a path: it has a slash or a star, or ends as scenario files do. */
export function looksLikePath(word: string): boolean {
  return /[\\/*?]/.test(word) || BY_NAME.test(word) || word === '.' || word === '..';
}

/**
 * Scenario files of paths, folders (all below, by name) and patterns with `*` and `?` in their last part, in the order given.
 * Throws a usage error for what is not there.
 */
export async function findScenarios(words: readonly string[], cwd: string): Promise<string[]> {
  const files: string[] = [];
  for (const word of words) {
    const found = await stat(resolve(cwd, word)).catch(() => undefined);
    if (found?.isDirectory() === true) {
      const below = await filesBelow(word, cwd);
      if (below.length === 0) throw new UsageError(`no scenario file is below ${word}`, 'run');
      files.push(...below);
    } else if (found !== undefined) {
      if (!BY_NAME.test(word)) {
        const expected = 'expected .yaml, .yml, .json, .ts, .mts, .js or .mjs';
        throw new UsageError(`${word} is no scenario file: ${expected}`, 'run');
      }
      files.push(word);
    } else files.push(...(await matching(word, cwd)));
  }
  return [...new Set(files)];
}

async function filesBelow(folder: string, cwd: string): Promise<string[]> {
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true });
  const files: string[] = [];
  for (const { name, isFolder } of entries
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name.startsWith('.') || name === 'node_modules') continue;
    if (isFolder) files.push(...(await filesBelow(join(folder, name), cwd)));
    else if (IN_FOLDERS.test(name)) files.push(join(folder, name));
  }
  return files;
}

async function matching(word: string, cwd: string): Promise<string[]> {
  const folder = dirname(word);
  const pattern = basename(word);
  if (!/[*?]/.test(pattern)) throw new UsageError(`no such file or folder: ${word}`, 'run');
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const test = new RegExp(`^${escaped.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`);
  const names = await readdir(resolve(cwd, folder)).catch(() => []);
  const found = names.filter((name) => test.test(name) && BY_NAME.test(name)).sort();
  if (found.length === 0) throw new UsageError(`no scenario file matches ${word}`, 'run');
  return found.map((name) => join(folder, name));
}
