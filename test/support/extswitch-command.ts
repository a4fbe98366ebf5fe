import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FROM_SOURCES } from './from-sources.ts';

const BUILT = 'dist/src/cli.js';

/** Words after `node` that are the command `extswitch`: as it was built, unless a source is newer. A process starts twice as fast then. */
export function extswitchCommand(): readonly string[] {
  const builtAt = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isStale = ['src', 'switch', 'extensions'].some((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).some(
      (entry) =>
        entry.isFile() &&
        entry.name.endsWith('.ts') &&
        statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs > builtAt,
    ),
  );
  return isStale ? [...FROM_SOURCES, 'src/cli.ts'] : [BUILT];
}
