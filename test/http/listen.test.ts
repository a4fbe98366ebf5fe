import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { drain, drainOnSignals, listen } from '../../src/http/listen.ts';
import { openPlane, withPort } from './plane.ts';

async function exchange(port: number, text: string, hold = false): Promise<string> {
  const socket = await open(port);
  socket.write(text);
  if (!hold) socket.end();
  return received(socket);
}
async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
async function received(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
const listening = async (t: Test, app: FastifyInstance): Promise<number> => {
  t.teardown(() => app.close());
  return (await listen(app, { port: 0 })).port;
};

t.test(
  'port 0 takes a free port, a taken one is PORT_IN_USE, a foreign address is named',
  async (t) => {
    const first = await openPlane(t);
    const { url, port, host } = await listen(first.app, { port: 0 });
    t.equal(host, '127.0.0.1');
    t.equal(url, `http://127.0.0.1:${port}`);
    t.equal((await fetch(`${url}/healthz`)).status, 200);
    const second = await openPlane(t);
    await t.rejects(listen(second.app, { port }), {
      code: 'PORT_IN_USE',
      message: `127.0.0.1:${port} is in use`,
    });
    const third = await openPlane(t, { token: 'x' });
    await t.rejects(listen(third.app, { host: '192.0.2.1', port: 0 }), {
      code: 'INVALID_ARGUMENT',
    });
  },
);

const probe = createServer();
const hasIPv6 = await new Promise<boolean>((resolve) => {
  probe.once('error', () => resolve(false));
  probe.listen(0, '::1', () => resolve(true));
});
probe.close();
const skip = hasIPv6 ? false : 'no IPv6 loopback here';

t.test('an IPv6 address is shown in brackets', { skip }, async (t) => {
  const { app } = await openPlane(t, { host: '::1' });
  const { url, port } = await listen(app, { host: '::1', port: 0 });
  t.equal(url, `http://[::1]:${port}`);
  t.equal((await fetch(`${url}/v1/switches`)).status, 200);
});

t.test('an address others can reach is refused without a token', async (t) => {
  const { app } = await openPlane(t);
  await t.rejects(listen(app, { host: '0.0.0.0', port: 0 }), { code: 'USAGE' });
  t.notOk(app.server.listening);
});

t.test('what is no request is answered as a problem and closed', async (t) => {
  const { app } = await openPlane(t, {
    limits: { headersTimeoutMs: 300, requestTimeoutMs: 400 },
  });
  const port = await listening(t, app);
  const cases: readonly [what: string, text: string, status: number][] = [
    ['not HTTP', 'hello\r\n\r\n', 400],
    [
      'a head too large',
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n', 403],
    [
      'two lengths',
      'POST /v1/switches HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
      400,
    ],
    [
      'length and chunks',
      'POST /v1/switches HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ];
  for (const [what, text, status] of cases) {
    const answer = await exchange(port, text);
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
  }
  const late = await exchange(port, 'GET /healthz HTTP/1.1\r\nhost: loc', true);
  t.match(late, /^HTTP\/1\.1 408 .*application\/problem\+json/s, 'a head that never ends');
  t.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200, 'and the server lives');
});

t.test('a refused body is not read: the connection is closed', async (t) => {
  const { app } = await openPlane(t, { token: 'x' });
  const port = await listening(t, app);
  const answer = await exchange(
    port,
    'POST /v1/switches HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n{',
    true,
  );
  t.match(answer, /^HTTP\/1\.1 401 /);
  t.match(answer, /\r\nconnection: close\r\n/i);
  const large = await exchange(
    port,
    'POST /v1/switches HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer x\r\ncontent-type: application/json\r\ncontent-length: 99000000\r\n\r\n{',
    true,
  );
  t.match(large, /^HTTP\/1\.1 413 /);
});

t.test('a HEAD has the head of its GET and no body', async (t) => {
  const { app } = await openPlane(t);
  const port = await listening(t, app);
  const url = `http://127.0.0.1:${port}/v1/switches`;
  const head = await fetch(url, { method: 'HEAD' });
  t.equal(head.headers.get('content-length'), (await fetch(url)).headers.get('content-length'));
  t.equal(await head.text(), '');
});

t.test(
  'draining: requests in flight finish, new ones are refused, streams end, worlds close',
  async (t) => {
    const plane = await openPlane(t);
    await withPort(plane);
    const port = await listening(t, plane.app);
    const url = `http://127.0.0.1:${port}`;
    const stream = await fetch(`${url}/v1/events`);
    const inFlight = fetch(`${url}/v1/switches/s/ports/p/properties`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ feature: 'Test_PortSetting', settings: { SettingIntA: 777 } }),
    });
    while (plane.held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const kept = await open(port);
    kept.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(kept, 'data');
    const begun = Date.now();
    const drained = drain(plane.app, 20_000);
    t.equal(drain(plane.app), drained, 'once');
    await stream.text();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await t.rejects(fetch(`${url}/healthz`), 'nothing new is accepted');
    plane.held[0]?.forward();
    t.equal((await inFlight).status, 201);
    await drained;
    t.ok(Date.now() - begun < 5_000, 'as soon as the last one finished');
    await t.rejects(plane.worlds.create({}), { code: 'SHUTTING_DOWN' });
  },
);

t.test('draining cuts what does not finish in time', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const port = await listening(t, plane.app);
  const hanging = fetch(`http://127.0.0.1:${port}/v1/switches/s/ports/p/properties`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ feature: 'Test_PortSetting', settings: { SettingIntA: 777 } }),
  });
  const cut = t.rejects(hanging, 'the connection is cut');
  while (plane.held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const before = Date.now();
  await drain(plane.app, 50);
  await cut;
  t.ok(Date.now() - before < 5_000);
});

t.test('SIGTERM and SIGINT drain, and the handlers go away', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const plane = await openPlane(t);
    const port = await listening(t, plane.app);
    const before = process.listenerCount(signal);
    const done = new Promise<unknown>((resolve) => drainOnSignals(plane.app, resolve));
    process.emit(signal);
    t.equal(await done, undefined);
    t.equal(process.listenerCount(signal), before);
    await t.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  }
  const plane = await openPlane(t);
  const before = process.listenerCount('SIGTERM');
  drainOnSignals(plane.app, () => undefined)();
  t.equal(process.listenerCount('SIGTERM'), before);
});
