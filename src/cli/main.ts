import * as nodeModule from 'node:module';
import { run } from './run.ts';

/** How long what is still open may keep a finished process. */
const LINGER_MS = 1000;

/** Runs the command line of this process and leaves its exit code to node. */
export async function main(argv: readonly string[]): Promise<void> {
  // Node 22 and later can keep compiled code between starts; @types/node 20 does not know it.
  (nodeModule as { readonly enableCompileCache?: () => unknown }).enableCompileCache?.();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `extswitch … | head`: the reader has seen enough, which is no failure.
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  process.exitCode = await run(argv, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
  });
  await new Promise((done) => process.stdout.write('', done));
  // Timers that an extension left behind must not hold the process when its work is done.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
