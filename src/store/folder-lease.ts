import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open, type RootDatabase } from 'lmdb';
import { ExtSwitchError } from '../core/errors.ts';
import { checkLmdbFile, emptyLmdbFile, LmdbFileDamage } from './lmdb-file.ts';

/**
 * The right to be the one process that uses a store folder.
 *
 * It rests on the reader table of a tiny LMDB environment of its own: the holder keeps one read transaction open in it.
 * LMDB guards the table by file locks that the kernel drops when a process dies, however it dies, so a lease is never
 * stale; and they hold across process-id and network namespaces, so two containers on one volume exclude each other.
 */
export interface FolderLease {
  release(): Promise<void>;
}

/** Files of the lease in the store folder; the second is LMDB's name for the lock file of the first. */
export const LEASE_FILE = 'owner.lmdb';
export const LEASE_LOCK_FILE = `${LEASE_FILE}-lock`;
/** Slots of the reader table: the holder, and those that look in at the same time. */
const READERS_MAX = 126;
/** Two processes that start in the same instant see each other and both step back; then they try again, out of step. */
const ATTEMPTS = 4;
const THIS_PROCESS = 'this process';

/**
 * What ends the leases this process holds (or is about to), by device and inode of the folder. LMDB would share one
 * environment between two opens of a process; and a lease must not be collected because nobody looks at its store.
 */
const held = new Map<string, (() => Promise<void>) | undefined>();

/** Throws `STORE_UNAVAILABLE` naming the folder and the process that has it. The folder must exist and be writable. */
export async function leaseFolder(folder: string): Promise<FolderLease> {
  const stat = statSync(folder);
  const identity = `${stat.dev}:${stat.ino}`;
  if (held.has(identity)) throw new FolderInUse(folder, THIS_PROCESS);
  held.set(identity, undefined);
  try {
    const close = await acquire(folder);
    held.set(identity, close);
    let released = false;
    return {
      async release() {
        if (released) return;
        released = true;
        await close();
        held.delete(identity);
      },
    };
  } catch (cause) {
    held.delete(identity);
    throw cause;
  }
}

async function acquire(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, LEASE_FILE);
  ensureLeaseFile(file);
  for (let attempt = 1; ; attempt++) {
    const db = openLease(file);
    db.readerCheck();
    let others = readers(db.readerList());
    if (others.length === 0) {
      const mark = db.useReadTransaction();
      // A second look, now that we are visible: whoever came at the same time sees us as we see it.
      others = readers(db.readerList());
      if (others.length === 1) {
        return () => {
          // Kept until now: an unreferenced transaction is collected, and our mark in the table with it.
          mark.done();
          return db.close();
        };
      }
    }
    await db.close();
    if (attempt === ATTEMPTS) {
      const pid = others.find((other) => other !== process.pid) ?? process.pid;
      throw new FolderInUse(folder, `process ${pid}`);
    }
    await delay(5 + ((process.pid * 7) % 23) * attempt);
  }
}

function openLease(path: string): RootDatabase {
  ensureLockFile(`${path}-lock`);
  return open({ path, noSubdir: true, maxDbs: 1, maxReaders: READERS_MAX });
}

/** Makes the lease file whole or not at all, as any process may be stopped in the middle by a full disk or a signal. */
function ensureLeaseFile(file: string): void {
  ensureFile(file, emptyLmdbFile());
  try {
    checkLmdbFile(file);
  } catch (cause) {
    if (!(cause instanceof LmdbFileDamage)) throw cause;
    throw new ExtSwitchError(
      'STORE_CORRUPT',
      `the file ${file} is damaged: ${cause.message}. It holds no data: remove it when no server uses the folder`,
      { found: cause.message },
      { cause },
    );
  }
}

/** Process ids in LMDB's printed reader table: a heading, then lines of pid, thread and transaction. */
function readers(list: string): number[] {
  const pids: number[] = [];
  for (const line of list.split('\n')) {
    const pid = /^\s*(\d+)\s+[0-9a-f]+\s/.exec(line)?.[1];
    if (pid !== undefined) pids.push(Number(pid));
  }
  return pids;
}

/** Room for LMDB's lock region with 126 reader slots of 64 bytes. */
const LOCK_FILE_BYTES = 16_384;

/**
 * Makes an LMDB lock file with all its blocks allocated. LMDB itself makes it sparse and writes to it through a memory
 * map; on a full disk the kernel answers such a write by killing the process (SIGBUS). Throws the file system's error.
 */
export function ensureLockFile(path: string): void {
  ensureFile(path, Buffer.alloc(LOCK_FILE_BYTES));
}

/** Makes the file whole or not at all, unless it is there. */
function ensureFile(path: string, bytes: Buffer): void {
  if (existsSync(path)) return;
  const fresh = `${path}.${process.pid}.new`;
  try {
    writeFileSync(fresh, bytes, { mode: 0o600 });
    linkIfAbsent(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/**
 * Puts the file `fresh` at `path` unless there is one already: a link appears whole or not at all and replaces nothing,
 * whoever else is at it. On file systems without links it is copied.
 */
export function linkIfAbsent(fresh: string, path: string): void {
  try {
    linkSync(fresh, path);
  } catch (cause) {
    if (existsSync(path)) return;
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw cause;
    copyFileSync(fresh, path, constants.COPYFILE_EXCL);
  }
}

/** Somebody has the folder. */
export class FolderInUse extends ExtSwitchError {
  /** This process has it, by another store object. */
  readonly isOwn: boolean;

  constructor(folder: string, owner: string) {
    super(
      'STORE_UNAVAILABLE',
      `the store in ${folder} is in use by ${owner}: stop that server, or give this one another folder`,
      { expected: 'a store no other server uses', found: `in use by ${owner}` },
    );
    this.isOwn = owner === THIS_PROCESS;
  }
}
