import { cpus, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { BenchCase, MeasuredCase } from './bench-case.ts';

/*
 * Runs the benchmarks: `npm run bench -- [--json] [--only NAME] [--samples N]`. Ours and the baseline take turns inside
 * one run, so that whatever else the machine does hits both; medians are compared. Never run by the tests.
 */

/** Wall time of one sample, milliseconds. */
const SAMPLE_MS = 60;
const WARM_UP_MS = 250;

const MODULES = [
  'abi',
  'mof',
  'oid',
  'verify-overhead',
  'isolated-call',
  'vm',
  'migrate',
  'world',
  'world-fork',
  'scale',
  'store',
  'http',
  'start',
  'cluster-property-add',
  'evacuate',
  'simulate-steps',
] as const;

interface Result {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly baseline?: { readonly name: string; readonly median: number };
  readonly ratio?: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? 0) + high) / 2;
}

/** Units per second over at least `ms` milliseconds. */
async function sample(run: () => number | Promise<number>, ms: number): Promise<number> {
  let done = 0;
  const from = performance.now();
  for (;;) {
    const units = run();
    done += units instanceof Promise ? await units : units;
    const elapsed = performance.now() - from;
    if (elapsed >= ms) return (done * 1000) / elapsed;
  }
}

async function measure(bench: BenchCase, samples: number): Promise<Result> {
  const { baseline } = bench;
  await sample(bench.run, WARM_UP_MS);
  if (baseline !== undefined) await sample(() => baseline.run(), WARM_UP_MS);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < samples; i += 1) {
    ours.push(await sample(() => bench.run(), SAMPLE_MS));
    if (baseline !== undefined) theirs.push(await sample(() => baseline.run(), SAMPLE_MS));
  }
  return resultOf(
    bench.name,
    bench.unit,
    ours,
    baseline === undefined ? undefined : { name: baseline.name, values: theirs },
  );
}

function resultOf(
  name: string,
  unit: string,
  ours: readonly number[],
  baseline: { readonly name: string; readonly values: readonly number[] } | undefined,
): Result {
  const middle = median(ours);
  const result = {
    name,
    unit,
    median: round(middle),
    min: round(Math.min(...ours)),
    max: round(Math.max(...ours)),
    runs: ours.length,
  };
  if (baseline === undefined) return result;
  const theirs = median(baseline.values);
  return {
    ...result,
    baseline: { name: baseline.name, median: round(theirs) },
    ratio: Math.round((middle / theirs) * 1000) / 1000,
  };
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 1000) / 1000;
}

function line(result: Result): string {
  const { name, unit, median: middle, min, max, baseline, ratio } = result;
  const spread = `${middle.toLocaleString('en')} ${unit} (${min.toLocaleString('en')} … ${max.toLocaleString('en')})`;
  if (baseline === undefined) return `${name}: ${spread}`;
  return `${name}: ${spread}; ${baseline.name}: ${baseline.median.toLocaleString('en')}; ratio ${ratio}`;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    samples: { type: 'string', default: '11' },
  },
});
const { only, json } = values;
const samples = Number(values.samples);
if (!json) {
  const cpu = cpus();
  console.log(
    `node ${process.version}, ${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  );
}
let found = false;
for (const name of MODULES) {
  const loaded = (await import(`./${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`)) as {
    readonly benches: readonly (BenchCase | MeasuredCase)[];
  };
  for (const bench of loaded.benches) {
    if (only !== undefined && !bench.name.startsWith(only)) continue;
    found = true;
    let result: Result;
    if ('measure' in bench) {
      const { name: called, skip = false } = bench;
      if (skip !== false) {
        console.log(
          json ? JSON.stringify({ name: called, skipped: skip }) : `${called}: skipped, ${skip}`,
        );
        continue;
      }
      const { ours, baseline } = await bench.measure();
      result = resultOf(bench.name, bench.unit, ours, baseline);
    } else {
      result = await measure(bench, samples);
    }
    console.log(json ? JSON.stringify(result) : line(result));
  }
}
if (!found) {
  console.error(`no benchmark is named ${only}`);
  process.exitCode = 2;
}
