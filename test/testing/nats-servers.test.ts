import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import t from 'tap';
import {
  natsServerMissing,
  natsServerPath,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import '../support/uncovered-children.ts';

const skip = natsServerMissing();

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 20_000) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) {
    if (await condition()) return true;
  }
  return false;
}

t.test(
  'three servers: one JetStream, whose leaders are killed, stopped and paused',
  { skip },
  async (t) => {
    const nats = await startNatsServers();
    t.teardown(() => nats.stop());
    t.match(nats.url, /^nats:\/\/127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/);
    const connection = await connect({
      servers: nats.servers.map(({ port }) => `127.0.0.1:${port}`),
    });
    t.teardown(() => connection.close());
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'S', subjects: ['s.>'], num_replicas: 3 });
    const leader = await nats.leaderOf('S');
    t.ok(leader, 'a stream of three replicas can be made at once');
    t.ok(await nats.metaLeader());
    t.equal(await nats.leaderOf('none'), undefined);

    const pid = leader?.pid ?? 0;
    await leader?.kill();
    t.equal(leader?.pid, undefined);
    t.notOk(isAlive(pid), 'gone when the promise resolves');
    t.ok(
      await until(async () => ![undefined, leader].includes(await nats.leaderOf('S'))),
      'elected',
    );
    await leader?.start();
    await nats.ready();
    t.not(leader?.pid, pid, 'another process on the same port');

    const next = await nats.leaderOf('S');
    await next?.stop();
    t.ok(await until(async () => ![undefined, next].includes(await nats.leaderOf('S')), 3_000));
    await next?.start();
    await nats.ready();

    const [first] = nats.servers;
    first?.pause();
    t.ok(isAlive(first?.pid ?? 0), 'paused, not ended');
    first?.resume();
    await nats.ready();

    const pids = nats.servers.map((server) => server.pid ?? 0);
    await nats.stop();
    t.strictSame(pids.filter(isAlive), []);
    t.notOk(existsSync(nats.folder), 'its own folder goes with it');
    await nats.stop();
  },
);

t.test(
  'servers cut off from each other by proxies elect a leader without the one',
  { skip },
  async (t) => {
    const lines: { readonly ends: readonly string[]; readonly proxy: TcpProxy }[] = [];
    const nats = await startNatsServers({
      routeThrough: async (from, to, port) => {
        const proxy = await TcpProxy.open(port);
        t.teardown(() => proxy.close());
        lines.push({ ends: [from, to], proxy });
        return proxy.port;
      },
    });
    t.teardown(() => nats.stop());
    t.equal(lines.length, 6, 'each to each');
    const before = await nats.metaLeader();
    const cut = lines.filter(({ ends }) => ends.includes(before?.name ?? ''));
    for (const { proxy } of cut) proxy.cut('refuse');
    t.ok(await until(async () => ![undefined, before].includes(await nats.metaLeader())));
    for (const { proxy } of cut) proxy.heal();
    await nats.ready();
  },
);

t.test(
  'servers end with the process that started them, even if it is killed',
  { skip },
  async (t) => {
    const folder = t.testdir({});
    const program = join(folder, 'program.ts');
    const module = pathToFileURL(join(process.cwd(), 'src/testing/nats-servers.ts')).href;
    writeFileSync(
      program,
      `import { startNatsServers } from ${JSON.stringify(module)};
    const { folder, servers } = await startNatsServers();
    console.log(JSON.stringify({ folder, ports: servers.map(({ port }) => port) }));
    setInterval(() => {}, 1000);`,
    );
    const child = spawn(process.execPath, ['--import', 'tsx', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const told = JSON.parse(String(line)) as { folder: string; ports: number[] };
    t.strictSame(await Promise.all(told.ports.map(listens)), [true, true, true]);
    child.kill('SIGKILL');
    t.ok(await until(() => !existsSync(told.folder)), 'its folder is removed');
    t.strictSame(await Promise.all(told.ports.map(listens)), [false, false, false]);
  },
);

t.test('a folder of the caller stays, and what is in it is there again', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'extswitch-kept-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const isFirst of [true, false]) {
    const nats = await startNatsServers({ count: 1, folder, maxStore: 64 << 20 });
    const connection = await connect({ servers: `127.0.0.1:${nats.servers[0]?.port}` });
    const manager = await jetstreamManager(connection);
    if (isFirst) await manager.streams.add({ name: 'S', subjects: ['s'] });
    else t.equal((await manager.streams.info('S')).config.name, 'S');
    await connection.close();
    await nats.stop();
    t.ok(existsSync(folder));
  }
});

t.test('without a nats-server it is said how to get one', async (t) => {
  const { PATH } = process.env;
  t.teardown(() => {
    process.env['PATH'] = PATH;
    delete process.env['NATS_SERVER'];
  });
  process.env['NATS_SERVER'] = join(t.testdir({}), 'none');
  t.equal(natsServerPath(), undefined);
  t.match(natsServerMissing(), 'apt-get install nats-server');
  await t.rejects(startNatsServers(), { code: 'NOT_FOUND', message: /nats-server/ });
});
