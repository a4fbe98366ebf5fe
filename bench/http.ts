import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MeasuredCase } from './bench-case.ts';
import { Load, postBytes } from './http-load.ts';

const SERVER = fileURLToPath(
  new URL(`./http-server${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
const PATH = '/v1/switches/s/ports/p/properties';
const PROPERTY = {
  feature: 'Bench_PortSettingData',
  settings: { SettingIntA: 100, SettingIntB: '9999' },
};
const ROUNDS = 7;
const ROUND_MS = 700;
const WARM_UP_MS = 2_000;
const BATCH = 100;

/** One server process with its load. */
class Server {
  readonly #child: ChildProcess;
  readonly #load: Load;

  private constructor(child: ChildProcess, load: Load) {
    this.#child = child;
    this.#load = load;
  }

  static async start(
    kind: 'ours' | 'bare',
    engine: 'memory' | 'lmdb',
    request: Buffer,
    expect: string,
    connections: number,
  ): Promise<Server> {
    const child = fork(SERVER, [kind, engine]);
    const [port] = (await once(child, 'message')) as [number];
    return new Server(child, await Load.open({ port, request, expect }, connections));
  }

  async #cpuMicroseconds(): Promise<number> {
    this.#child.send('cpu');
    const [used] = (await once(this.#child, 'message')) as [number];
    return used;
  }

  async warmUp(): Promise<void> {
    await this.#load.run(WARM_UP_MS);
  }

  /** Requests a second of server CPU. */
  async perCpuSecond(): Promise<number> {
    const before = await this.#cpuMicroseconds();
    const done = await this.#load.run(ROUND_MS);
    return (done * 1e6) / ((await this.#cpuMicroseconds()) - before);
  }

  /** Requests a second of wall time. */
  async perSecond(): Promise<number> {
    const before = performance.now();
    return ((await this.#load.run(ROUND_MS)) * 1_000) / (performance.now() - before);
  }

  close(): void {
    this.#load.close();
    this.#child.disconnect();
  }
}

/** Rounds of ours and the baseline in turn, so that both meet the same machine. */
async function compare(engine: 'memory' | 'lmdb', connections: number, baseline: string) {
  const request = postBytes(PATH, PROPERTY);
  const ours = await Server.start('ours', engine, request, 'HTTP/1.1 201', connections);
  const bare = await Server.start('bare', engine, request, 'HTTP/1.1 201', connections);
  const measured = { ours: [] as number[], values: [] as number[] };
  try {
    await ours.warmUp();
    await bare.warmUp();
    for (let i = 0; i < ROUNDS; i += 1) {
      measured.ours.push(await ours.perCpuSecond());
      measured.values.push(await bare.perCpuSecond());
    }
  } finally {
    ours.close();
    bare.close();
  }
  return { ours: measured.ours, baseline: { name: baseline, values: measured.values } };
}

/** Changes a second through batches of 100; the baseline is one request a change on the same server. */
async function batches() {
  const operation = { method: 'POST', path: PATH, body: PROPERTY };
  const request = postBytes('/v1/batch', { operations: new Array(BATCH).fill(operation) });
  const batch = await Server.start('ours', 'memory', request, 'HTTP/1.1 200', 4);
  const single = await Server.start(
    'ours',
    'memory',
    postBytes(PATH, PROPERTY),
    'HTTP/1.1 201',
    16,
  );
  const measured = { ours: [] as number[], values: [] as number[] };
  try {
    await batch.warmUp();
    await single.warmUp();
    for (let i = 0; i < ROUNDS; i += 1) {
      measured.ours.push((await batch.perSecond()) * BATCH);
      measured.values.push(await single.perSecond());
    }
  } finally {
    batch.close();
    single.close();
  }
  return {
    ours: measured.ours,
    baseline: { name: 'one request a change', values: measured.values },
  };
}

export const benches: readonly MeasuredCase[] = [
  {
    name: 'http.property.add.memory',
    unit: 'requests/s of server CPU',
    measure: () => compare('memory', 16, 'bare fastify route, a map'),
  },
  {
    name: 'http.property.add.lmdb',
    unit: 'requests/s of server CPU',
    measure: () => compare('lmdb', 64, 'bare fastify route, lmdb awaited'),
  },
  {
    name: 'http.batch.100',
    unit: 'changes/s',
    measure: batches,
  },
];
