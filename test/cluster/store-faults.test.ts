import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { openClusterStore } from '../../src/cluster/cluster-store.ts';
import { type ClusterSession, openSession } from '../../src/cluster/session.ts';
import type { Store, StoreOp } from '../../src/store/store.ts';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { del, put } from '../support/store-contract.ts';
import '../support/uncovered-children.ts';
import { objectsOf } from './objects-of.ts';

const skip = natsServerMissing();
t.setTimeout(180_000);
// Most of it is waiting.
t.jobs = 8;
// A new one for each: tap writes what it knows of a test into it, and prints the one for the other where they share it.
const options = () => ({ skip, buffered: true });

let processes = 0;
const open = (session: ClusterSession, host: string) =>
  openClusterStore(session, host, { incarnation: `p${processes++}` });
const entries = (store: Store) => [...store.range('')];
const write = async (store: Store, ...ops: StoreOp[]) => store.write(ops);

/** Once whoever was cut off is connected again, which takes a busy machine longer than a write may wait. */
async function writeAgain(store: Store, ...ops: StoreOp[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(store, ...ops);
    } catch (cause) {
      if (attempt === 15) throw cause;
    }
  }
}

/** One server for the tests that need no quorum. */
let single: NatsServers | undefined;
t.teardown(() => single?.stop());
async function singleUrl(): Promise<string> {
  single ??= await startNatsServers({ count: 1 });
  return single.url;
}

/** Between a client and a server: either may be made to speak into the void until the line is cut. */
class LossyLine {
  isMute = false;
  isDeaf = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#join(client));
  readonly #target: number;

  constructor(target: number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whoever speaks is heard again, on a new connection. */
  renew(): void {
    this.isMute = false;
    this.isDeaf = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (chunk) => this.isMute || server.write(chunk));
    server.on('data', (chunk) => this.isDeaf || client.write(chunk));
  }
}

/** A host whose process is behind a lossy line, and a session without one. */
async function lossyHost(t: { teardown(end: () => unknown): void }, host: string) {
  const url = await singleUrl();
  const line = new LossyLine(Number(url.split(':').at(-1)));
  const port = await line.listen();
  const near = await openSession(
    parseClusterAddress(`nats://127.0.0.1:${port}/lab?writeTimeout=2s`),
    'near',
  );
  const direct = await openSession(parseClusterAddress(`${url}/lab`), 'direct');
  const opened = await open(near, host);
  await write(opened.store, put('a', 1), put('saved/s', 'one'));
  t.teardown(async () => {
    await near.close();
    await direct.close();
    line.close();
  });
  return { ...opened, line, direct };
}

t.test(
  'the answer of a commit is lost: it is acknowledged all the same, once',
  options(),
  async (t) => {
    const { store, line, direct } = await lossyHost(t, 'answer-lost');
    line.isDeaf = true;
    const writing = write(store, put('a', 2), put('b', 2));
    await sleep(300);
    line.renew();
    await writing;
    t.equal(store.get('a'), 2);
    await write(store, put('c', 3));
    const next = await open(direct, 'answer-lost');
    t.strictSame(entries(next.store), [
      ['a', 2],
      ['b', 2],
      ['c', 3],
      ['saved/s', 'one'],
    ]);
    await next.store.close();
  },
);

t.test('a commit is lost on its way: it is sent again', options(), async (t) => {
  const { store, line, direct } = await lossyHost(t, 'way-lost');
  line.isMute = true;
  const writing = write(store, put('a', 2));
  await sleep(300);
  line.renew();
  await writing;
  const next = await open(direct, 'way-lost');
  t.equal(next.store.get('a'), 2);
  await next.store.close();
});

t.test(
  'nobody answers in time, and the commit was stored: the write fails and is undone by the next',
  options(),
  async (t) => {
    const { store, line, direct } = await lossyHost(t, 'undone');
    line.isDeaf = true;
    const writing = write(store, put('a', 2), put('b', 2), del('saved/s'));
    const behind = write(store, put('z', 1));
    await t.rejects(writing, { code: 'STORE_UNAVAILABLE', message: /answered within 2000 ms/ });
    await t.rejects(behind, { code: 'STORE_UNAVAILABLE' });
    t.equal(store.get('a'), 1, 'not visible');
    line.renew();
    await writeAgain(store, put('c', 3));
    const expected = [
      ['a', 1],
      ['c', 3],
      ['saved/s', 'one'],
    ];
    t.strictSame(entries(store), expected);
    const next = await open(direct, 'undone');
    t.strictSame(entries(next.store), expected);
    await next.store.close();
  },
);

t.test(
  'closing while nobody answers ends in bounded time, whatever a write may wait for',
  options(),
  async (t) => {
    const url = await singleUrl();
    const line = new LossyLine(Number(url.split(':').at(-1)));
    const address = `nats://127.0.0.1:${await line.listen()}/lab?writeTimeout=1h`;
    const session = await openSession(parseClusterAddress(address), 'closing');
    const { store } = await open(session, 'closing');
    await write(store, put('a', 1));
    line.isMute = true;
    line.isDeaf = true;
    const writing = write(store, put('a', 2)).catch((error: unknown) => error);
    const begun = performance.now();
    await store.close();
    const took = performance.now() - begun;
    t.ok(took < 20_000, `closed after ${Math.round(took)} ms`);
    t.match(await writing, { code: 'STORE_UNAVAILABLE' });
    await session.close();
    line.close();
  },
);

t.test(
  'a write was refused and had come through: it is undone when the host is closed',
  options(),
  async (t) => {
    const { store, line, direct } = await lossyHost(t, 'closed-after');
    line.isDeaf = true;
    await t.rejects(write(store, put('a', 2), put('b', 2)), { code: 'STORE_UNAVAILABLE' });
    line.renew();
    await store.close();
    const next = await open(direct, 'closed-after');
    t.strictSame(entries(next.store), [
      ['a', 1],
      ['saved/s', 'one'],
    ]);
    await next.store.close();
  },
);

t.test(
  'nobody answers in time, and the commit was not stored: it never is',
  options(),
  async (t) => {
    const { store, line, direct } = await lossyHost(t, 'kept-out');
    line.isMute = true;
    await t.rejects(write(store, put('a', 2)), { code: 'STORE_UNAVAILABLE' });
    await t.rejects(write(store, put('a', 3)), { code: 'STORE_UNAVAILABLE' }, 'nor the next');
    line.renew();
    await writeAgain(store, put('c', 3));
    t.equal(store.get('a'), 1);
    await store.close();
    const next = await open(direct, 'kept-out');
    t.strictSame(entries(next.store), [
      ['a', 1],
      ['c', 3],
      ['saved/s', 'one'],
    ]);
    await next.store.close();
  },
);

t.test(
  'a full bucket: writes fail naming it, nothing acknowledged is lost, deletes make room',
  options(),
  async (t) => {
    const url = await singleUrl();
    const address = parseClusterAddress(`${url}/small?maxBytes=1MiB`);
    const session = await openSession(address, 'full');
    t.teardown(() => session.close());
    const value = new Uint8Array(8_000);
    const { store } = await open(session, 'full');
    const acknowledged: string[] = [];
    let refusal: unknown;
    for (let n = 0; refusal === undefined && n < 1_000; n++) {
      const key = `k/${n}`;
      await write(store, put(key, value)).then(
        () => acknowledged.push(key),
        (cause: unknown) => {
          refusal = cause;
        },
      );
    }
    t.match(refusal, { code: 'STORE_UNAVAILABLE', message: /small-policies is full/ });
    t.ok(acknowledged.length > 100, `${acknowledged.length} writes fitted`);
    await t.rejects(write(store, put('more', value)), { code: 'STORE_UNAVAILABLE' });

    // The process dies with commits that have no records; another becomes the host while there is no room.
    const next = await open(session, 'full');
    const keysOf = (of: Store) => [...of.range('k/')].map(([key]) => key).sort();
    t.strictSame(keysOf(next.store), [...acknowledged].sort());
    for (const key of acknowledged.slice(0, 50)) await write(next.store, del(key));
    await write(next.store, put('again', value));
    await next.store.close();
    const last = await open(session, 'full');
    t.strictSame(keysOf(last.store), acknowledged.slice(50).sort());
    t.ok(last.store.get('again') !== undefined);
    await last.store.close();
    await store.close();
  },
);

t.test(
  'the leader of the journal is killed between writes: they wait, and all are there',
  { skip },
  async (t) => {
    const servers = await startNatsServers();
    t.teardown(() => servers.stop());
    const session = await openSession(parseClusterAddress(`${servers.url}/lab`), 'leader');
    t.teardown(() => session.close());
    const { store } = await open(session, 'leader');
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    let isOver = false;
    const writer = async (id: number) => {
      for (let n = 0; !isOver; n++) {
        const key = `w/${id}/${n}`;
        await write(store, put(key, n), put(`last/${id}`, n)).then(
          () => acknowledged.push(key),
          (cause: unknown) => failures.push(cause),
        );
      }
    };
    const writers = Array.from({ length: 8 }, (_, id) => writer(id));
    await sleep(300);
    const leader = await servers.leaderOf('KV_lab-journal');
    const before = acknowledged.length;
    await leader?.kill();
    while (acknowledged.length < before + 200 && failures.length === 0) await sleep(50);
    await leader?.start();
    await sleep(300);
    isOver = true;
    await Promise.all(writers);
    t.strictSame(failures, []);
    t.ok(before > 0 && acknowledged.length >= before + 200, 'writes went on with another leader');
    const next = await open(session, 'leader');
    for (const key of acknowledged) {
      if (next.store.get(key) === undefined) t.fail(`${key} was acknowledged and is not there`);
    }
    await Promise.all([next.store.close(), store.close()]);
  },
);

t.test(
  'servers that are killed and started again have all that was acknowledged, whichever leads',
  { skip },
  async (t) => {
    const servers = await startNatsServers();
    t.teardown(() => servers.stop());
    const session = await openSession(parseClusterAddress(`${servers.url}/lab`), 'restarted');
    t.teardown(() => session.close());
    const { store } = await open(session, 'restarted');
    const state = 'OBJ_lab-state';
    // What is replaced is removed: a server does that again from its log when it starts.
    const replace = async (round: number) => {
      for (let n = 0; n < 40; n++) {
        await write(store, put(`saved/${round}/kept-${n}`, { n }), put('saved/replaced', { n }));
      }
    };
    await replace(0);
    const killed = await servers.leaderOf(state);
    await killed?.kill();
    await replace(1);
    await killed?.start();
    await servers.ready();
    // Until it leads what it had when it was killed.
    for (let turn = 0; turn < 200; turn++) {
      const leader = await servers.leaderOf(state);
      if (leader === killed) break;
      const stepDown = `$JS.API.STREAM.LEADER.STEPDOWN.${state}`;
      await session.connection.request(stepDown, '', { timeout: 2_000 }).catch(() => undefined);
      await sleep(250);
    }
    t.equal((await servers.leaderOf(state))?.name, killed?.name, 'it leads');
    const next = await open(session, 'restarted-reader');
    await next.store.close();
    for (const { name } of await objectsOf(session)) t.ok(name.startsWith('restarted/'));
    const kept = (await objectsOf(session)).length;
    // What could not be removed in an election waits for the next opening.
    t.ok(kept >= 81, `${kept} objects: every one that a record names`);
    await store.close();
    const last = await open(session, 'restarted');
    t.equal([...last.store.range('saved/')].length, 81);
    await last.store.close();
  },
);

interface Round {
  readonly acknowledged: ReadonlySet<number>;
}

async function killedWriter(url: string, host: string, round: number, ms: number): Promise<Round> {
  const script = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));
  const args = [...FROM_SOURCES, script, url, host, String(round)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const acknowledged = new Set<number>();
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'open') setTimeout(() => child.kill('SIGKILL'), ms);
    else acknowledged.add(Number(line.slice('ack '.length)));
  }
  await ended;
  return { acknowledged };
}

t.test(
  'a process killed at any moment loses nothing acknowledged and tears nothing',
  { skip },
  async (t) => {
    const url = `${await singleUrl()}/crash`;
    const session = await openSession(parseClusterAddress(url), 'crash');
    t.teardown(() => session.close());
    for (let round = 0; round < 4; round++) {
      const ms = Math.floor(Math.random() * 150);
      const { acknowledged } = await killedWriter(url, 'crash', round, ms);
      const { store } = await open(session, 'crash');
      const parts = new Map<number, number>();
      let wanted = 0;
      for (const [key, value] of store.range(`batch/${round}-`)) {
        const number = Number(key.split('/')[1]?.split('-')[1]);
        parts.set(number, (parts.get(number) ?? 0) + 1);
        wanted = (value as { of: number }).of;
        if (wanted !== 2 + (number % 5)) t.fail(`batch ${number} has a wrong value`);
      }
      const most = Math.max(-1, ...parts.keys());
      for (const [number, count] of parts) {
        if (count !== 2 + (number % 5)) t.fail(`round ${round}: batch ${number} is torn`);
      }
      for (const number of acknowledged) {
        // The batch 50 later deletes it, acknowledged or not.
        if (!parts.has(number) && number > most - 50) t.fail(`round ${round}: ${number} is lost`);
      }
      t.comment(`round ${round}: killed after ${ms} ms, ${acknowledged.size} acknowledged`);
      // The next round starts from nothing.
      await write(store, ...[...store.range('batch/')].map(([key]) => del(key)));
      await store.close();
    }
    // What killed processes left is swept behind the last opening; `saved/state` has one.
    let objects = 99;
    for (let n = 0; objects > 1 && n < 50; n++) {
      await sleep(100);
      objects = (await objectsOf(session)).filter(({ deleted }) => !deleted).length;
    }
    t.ok(objects <= 1, `${objects} objects`);
  },
);
