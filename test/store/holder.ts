import { writeSync } from 'node:fs';
import type { ExtSwitchError } from '../../src/core/errors.ts';
// Loaded before the user changes, who may not read the sources.
import '../../src/store/lmdb-store.ts';
import { openStore } from '../../src/store/open-store.ts';

// node holder.ts <folder> [user id]: opens the store, says "open" or the error on one line, and holds it until killed.
const [folder = '', user] = process.argv.slice(2);
if (user !== undefined && process.getuid?.() === 0) process.setuid?.(Number(user));
try {
  await openStore(folder);
  writeSync(1, 'open\n');
  process.stdin.resume();
} catch (error) {
  const { code, message } = error as ExtSwitchError;
  writeSync(1, `${code} ${message}\n`);
}
