import { spawn } from 'node:child_process';

/** What became of a program. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It did not end in its time, and was killed with all it had started. */
  readonly isTimedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Most characters of its output that are kept. */
const KEPT = 4_000_000;

/** Process groups that run now. */
const running = new Set<number>();

/** Ends whatever runs. */
export function endPrograms(): void {
  for (const group of running) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  }
  running.clear();
}

/** Runs a TypeScript program of the tree in `folder`, as a process group of its own. */
export function runProgram(
  folder: string,
  args: readonly string[],
  limitMs: number,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // As CI runs them (.taprc).
      env: { ...process.env, TAP_TIMEOUT: '120', NO_COLOR: '1' },
    });
    let stdout = '';
    let stderr = '';
    let isTimedOut = false;
    child.stdout.on('data', (text) => {
      if (stdout.length < KEPT) stdout += text;
    });
    child.stderr.on('data', (text) => {
      if (stderr.length < KEPT) stderr += text;
    });
    const { pid } = child;
    if (pid !== undefined) running.add(pid);
    const endGroup = (): void => {
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // Nothing of it is left.
      }
    };
    const timer = setTimeout(() => {
      isTimedOut = true;
      endGroup();
    }, limitMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      endGroup();
      if (pid !== undefined) running.delete(pid);
      resolve({ code, signal, isTimedOut, stdout, stderr });
    });
  });
}
