import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { MeasuredCase } from './bench-case.ts';

/* Process starts: `extswitch --version` against an empty script, `serve` to ready against a bare fastify that listens. */

const CLI = resolve(import.meta.dirname, '../src/cli.js');
const SAMPLES = 15;

function startsPerSecond(script: string, args: readonly string[]): number {
  const from = performance.now();
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${script} ended with ${status}`);
  return 1000 / (performance.now() - from);
}

/** Until the child has written a line on standard output. */
async function readyPerSecond(script: string, args: readonly string[]): Promise<number> {
  const from = performance.now();
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise<void>((done, failed) => {
    child.stdout?.once('data', () => done());
    child.once('exit', () => failed(new Error(`${script} ended before it was ready`)));
  });
  const rate = 1000 / (performance.now() - from);
  child.removeAllListeners('exit');
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
  return rate;
}

export const benches: readonly MeasuredCase[] = [
  {
    name: 'start.cli',
    unit: 'starts/s',
    async measure() {
      const folder = mkdtempSync(join(tmpdir(), 'extswitch-bench-'));
      const empty = join(folder, 'empty.mjs');
      writeFileSync(empty, '');
      const ours: number[] = [];
      const values: number[] = [];
      startsPerSecond(CLI, ['--version']);
      startsPerSecond(empty, []);
      for (let i = 0; i < SAMPLES; i += 1) {
        values.push(startsPerSecond(empty, []));
        ours.push(startsPerSecond(CLI, ['--version']));
      }
      rmSync(folder, { recursive: true });
      return { ours, baseline: { name: 'an empty node script', values } };
    },
  },
  {
    name: 'start.serve',
    unit: 'starts/s to ready',
    async measure() {
      const bare = join(import.meta.dirname, 'start-bare.js');
      const serve = ['serve', '--port', '0', '--print', 'json', '--store', 'memory'];
      const ours: number[] = [];
      const values: number[] = [];
      await readyPerSecond(CLI, serve);
      await readyPerSecond(bare, []);
      for (let i = 0; i < SAMPLES; i += 1) {
        values.push(await readyPerSecond(bare, []));
        ours.push(await readyPerSecond(CLI, serve));
      }
      return { ours, baseline: { name: 'bare fastify listening', values } };
    },
  },
];
