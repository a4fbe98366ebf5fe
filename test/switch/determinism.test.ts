import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { FROM_SOURCES } from '../support/from-sources.ts';

const PROGRAM = fileURLToPath(new URL('../support/determinism-scenario.ts', import.meta.url));
const run = promisify(execFile);

async function world(seed: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, [...FROM_SOURCES, PROGRAM, seed], {
    maxBuffer: 64 * 1024 * 1024,
    // tap measures children too, but what tsx makes of the sources does not fit its line numbers.
    env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
  });
  return stdout.split('\n');
}

t.test(
  'two processes with one seed record the same history byte for byte; another seed another one',
  async (t) => {
    const [first, second, other] = await Promise.all([
      world('alpha'),
      world('alpha'),
      world('beta'),
    ]);
    t.ok(first.length > 200, 'something happened');
    for (const part of [
      '"verdict":"pend"',
      'DATA_NOT_ACCEPTED',
      '"rule":"D14"',
      '"two"',
      'OID_SWITCH_PORT_ARRAY',
    ]) {
      t.ok(
        first.some((line) => line.includes(part)),
        `the history has ${part}`,
      );
    }
    t.strictSame(second, first);
    t.notSame(other, first);
  },
);
