import { statfsSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { type ErrorCode, ExtSwitchError, isExtSwitchError } from '../core/errors.ts';

/** What the operating system's refusals mean for a store, and what a person can do about them. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'permission denied: give this user read and write access, or choose another folder',
  EPERM: 'it may not be changed: remove the protection, or choose another folder',
  EROFS: 'the file system is read-only: mount it for writing, or choose another folder',
  ENOSPC: 'the disk is full: free some space, then try again',
  EDQUOT: 'the disk quota is used up: free some space, then try again',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another folder',
  EISDIR: 'a folder is where a file should be: choose another folder',
  EIO: 'the disk reports an input/output error: check the disk',
  EMFILE: 'this process has too many files open: raise the limit',
  ENFILE: 'the system has too many files open: raise the limit',
  ENAMETOOLONG: 'the path is too long: choose another folder',
  ELOOP: 'the path has a loop of symbolic links: choose another folder',
  ENOMEM: 'there is not enough memory',
};

/** errno values LMDB hands through as numbers (Linux and macOS agree on these). */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  12: 'ENOMEM',
  13: 'EACCES',
  20: 'ENOTDIR',
  21: 'EISDIR',
  23: 'ENFILE',
  24: 'EMFILE',
  28: 'ENOSPC',
  30: 'EROFS',
};

/** LMDB's own codes that say the file is not what it should be (lmdb.h: PAGE_NOTFOUND, CORRUPTED, INVALID, BAD_…). */
const DAMAGE_CODES: ReadonlySet<unknown> = new Set([
  -30797, -30796, -30793, -30780, -30779, -30778,
]);
/** lmdb.h MDB_VERSION_MISMATCH. */
const VERSION_MISMATCH = -30794;

/**
 * Any failure below a store as the `ExtSwitchError` a caller sees: what was being done to which folder, what was found,
 * what to do. Errors that are ours already pass through.
 */
export function storeFault(action: string, folder: string, cause: unknown): ExtSwitchError {
  if (isExtSwitchError(cause)) return cause;
  const given = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  let name = typeof given === 'number' ? ERRNO_NAMES[given] : given;
  // LMDB calls a write that was cut short by a full disk an input/output error.
  if (name === 'EIO' && isFull(folder)) name = 'ENOSPC';
  name ??= nameOfText(cause);
  const advice = typeof name === 'string' ? ADVICE[name] : undefined;
  const text = cause instanceof Error ? cause.message : String(cause);
  const code: ErrorCode = DAMAGE_CODES.has(given)
    ? 'STORE_CORRUPT'
    : given === VERSION_MISMATCH
      ? 'STORE_VERSION'
      : 'STORE_UNAVAILABLE';
  const found = advice === undefined ? text : `${advice} (${String(name)})`;
  return new ExtSwitchError(
    code,
    `cannot ${action} the store in ${folder}: ${found}`,
    { found },
    { cause },
  );
}

/** LMDB's copying says what the system refused in words only: the C library's, which libuv has in lower case. */
function nameOfText(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const text = cause.message.toLowerCase();
  for (const [name, message] of getSystemErrorMap().values()) if (message === text) return name;
  return undefined;
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < 1_048_576;
  } catch {
    return false;
  }
}
