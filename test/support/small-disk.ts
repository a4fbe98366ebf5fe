import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Why tests with a file system of their own are left out; `false` when they are not. */
export function skipWithoutMount(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return REASON;
  const probe = mkdtempSync(join(tmpdir(), 'extswitch-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', probe]);
  if (mounted.status === 0) spawnSync('umount', [probe]);
  rmSync(probe, { recursive: true, force: true });
  return mounted.status === 0 ? false : REASON;
}

const REASON = 'needs the right to mount (root on Linux)';

/** Makes `path` a file system of its own of `kilobytes`, gone after the test. */
export function mountTmpfs(t: Test, path: string, kilobytes: number): string {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'none', path]);
  t.teardown(() => execFileSync('umount', ['-l', path]));
  return path;
}

/** Fills the file system until only about `freeKilobytes` are left; the path of the ballast. */
export function fillDisk(path: string, freeKilobytes: number): string {
  const ballast = join(path, 'ballast');
  const file = openSync(ballast, 'w');
  const block = Buffer.alloc(4096, 1);
  try {
    for (;;) if (writeSync(file, block) < block.length) break;
  } catch {
    // Full.
  } finally {
    closeSync(file);
  }
  truncateSync(ballast, Math.max(0, statSync(ballast).size - freeKilobytes * 1024));
  return ballast;
}
