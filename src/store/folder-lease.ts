import { linkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open } from 'lmdb';
import { ExtSwitchError } from '../core/errors.ts';

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

const LEASE_FILE = 'owner.lmdb';
/** LMDB's own name for the lock file of an environment that is a single file. */
const LEASE_LOCK_FILE = `${LEASE_FILE}-lock`;
/** Two processes that start in the same instant see each other and both step back; then they try again, out of step. */
const ATTEMPTS = 4;

/** Folders this process holds, by device and inode. LMDB would share one environment between two opens of a process. */
const held = new Set<string>();

/** Throws `STORE_UNAVAILABLE` naming the folder and the process that has it. The folder must exist and be writable. */
export async function leaseFolder(folder: string): Promise<FolderLease> {
  const stat = statSync(folder);
  const identity = `${stat.dev}:${stat.ino}`;
  if (held.has(identity)) throw inUse(folder, 'this process');
  held.add(identity);
  try {
    const close = await acquire(folder);
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
  ensureLockFile(join(folder, LEASE_LOCK_FILE));
  for (let attempt = 1; ; attempt++) {
    const db = open({ path: join(folder, LEASE_FILE), noSubdir: true, maxDbs: 1, maxReaders: 32 });
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
      throw inUse(folder, `process ${pid}`);
    }
    await delay(5 + ((process.pid * 7) % 23) * attempt);
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

/** Size of LMDB's lock files here, with room for every reader slot. */
const LOCK_FILE_BYTES = 16_384;

/**
 * Makes an LMDB lock file with all its blocks allocated. LMDB itself makes it sparse and writes to it through a memory
 * map; on a full disk the kernel answers such a write by killing the process (SIGBUS). Throws the file system's error.
 */
export function ensureLockFile(path: string): void {
  const fresh = `${path}.${process.pid}.new`;
  try {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
    writeFileSync(fresh, Buffer.alloc(LOCK_FILE_BYTES), { mode: 0o600 });
    // A link appears whole or not at all and replaces nothing, whoever else is at it.
    linkSync(fresh, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  } finally {
    rmSync(fresh, { force: true });
  }
}

function inUse(folder: string, owner: string): ExtSwitchError {
  return new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `the store in ${folder} is in use by ${owner}: stop that server, or give this one another folder`,
    { expected: 'a store no other server uses', found: `in use by ${owner}` },
  );
}
