import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { extswitchCommand } from '../support/extswitch-command.ts';
import '../support/uncovered-children.ts';

/** A running `extswitch serve`, as a process of its own. */
export interface Served {
  readonly child: ChildProcess;
  /** Standard output so far, and standard error. */
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Starts `extswitch serve` and waits for its first line, or for its end. */
export async function serve(
  t: Test,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = extswitchCommand(),
): Promise<Served & { readonly first: string }> {
  const child = spawn(process.execPath, [...command, 'serve', ...words], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  await Promise.race([once(child.stdout, 'data'), ended]);
  const first = out.split('\n', 1)[0] ?? '';
  return { child, out: () => out, err: () => err, ended, first };
}
