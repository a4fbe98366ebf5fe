import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { originOf } from '../../sdk/define.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';

const FRAME = /^\s+at .*?((?:file:\/\/\/|\/|[A-Za-z]:[\\/])[^()]*?):\d+:\d+\)?$/;
/** Where the server's own code is: nothing in it is an extension's. */
const OWN = ['../../', '../../../switch/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * Whose code threw what nobody caught, by the files of its stack, innermost first: an extension's module, else a file in the
 * module's folder that is neither the server's nor a package's. `undefined`: no extension's, or there is no stack to tell it.
 */
export function ownerOf(
  error: unknown,
  extensions: readonly ExtensionDefinition[],
): ExtensionDefinition | undefined {
  const files = filesOf(error);
  const homes = extensions.flatMap((extension) => {
    const origin = originOf(extension);
    return origin?.startsWith('file:') ? [{ extension, file: fileURLToPath(bare(origin)) }] : [];
  });
  for (const file of files) {
    const home = homes.find((each) => each.file === file);
    if (home !== undefined) return home.extension;
  }
  // The innermost folder first, for an extension that lies below another one.
  const nested = homes
    .map(({ extension, file }) => ({ extension, folder: `${dirname(file)}${sep}` }))
    .sort((a, b) => b.folder.length - a.folder.length);
  for (const file of files) {
    if (OWN.some((folder) => file.startsWith(folder))) continue;
    const home = nested.find(
      ({ folder }) =>
        file.startsWith(folder) && !file.slice(folder.length).split(sep).includes('node_modules'),
    );
    if (home !== undefined) return home.extension;
  }
  return undefined;
}

/** What can be thrown at the process may be a proxy, or have getters, that throw in turn. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : '';
  } catch {
    return '';
  }
}

function filesOf(error: unknown): string[] {
  const files: string[] = [];
  for (const line of stackOf(error).split('\n')) {
    const place = FRAME.exec(line)?.[1];
    if (place === undefined) continue;
    files.push(place.startsWith('file:') ? fileURLToPath(bare(place)) : bare(place));
  }
  return files;
}

/** Loaders add queries to URLs. */
const bare = (url: string): string => url.split('?', 1)[0] as string;
