import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { listen } from '../../src/http/listen.ts';
import { openPlane, type PlaneOptions, type TestPlane, withPort } from './plane.ts';

interface ServerEvent {
  readonly event: string;
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: events of every shape
  readonly data: any;
}

/** A client on a bare socket: reads only when asked to. */
class Client {
  readonly socket: Socket;
  #text = '';
  readonly comments: string[] = [];
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('utf8');
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', () => {
      this.ended = true;
    });
  }

  get text(): string {
    return this.#text;
  }

  /** Events received so far; chunk sizes of the transfer encoding are lines of their own and ignored. */
  get events(): ServerEvent[] {
    const events: ServerEvent[] = [];
    const fields = /event: (\w+)\nid: (\d+)\ndata: (.*)\n\n/g;
    const body = this.#text
      .slice(this.#text.indexOf('\r\n\r\n') + 4)
      .replace(/\r\n[0-9a-f]+\r\n/g, '');
    for (const [, event = '', id = '', data = ''] of body.matchAll(fields)) {
      events.push({ event, id: Number(id), data: JSON.parse(data) });
    }
    return events;
  }

  async until(done: (client: Client) => boolean): Promise<void> {
    const give = Date.now() + 10_000;
    while (!done(this)) {
      if (Date.now() > give) throw new Error(`nothing came: ${this.#text.slice(-500)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function openStreaming(t: Test, options: PlaneOptions = {}) {
  const plane = await openPlane(t, options);
  const { port } = await listen(plane.app, { port: 0 });
  const stream = async (
    headers: Record<string, string> = {},
    path = '/v1/events',
    paused = false,
  ): Promise<Client> => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    const client = new Client(socket);
    if (paused) socket.pause();
    const lines = Object.entries({
      host: `127.0.0.1:${port}`,
      accept: 'text/event-stream',
      ...headers,
    });
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`);
    if (!paused) await client.until(({ text }) => text.includes('\r\n\r\n'));
    return client;
  };
  return { plane, stream, port };
}

const addPort = (plane: TestPlane, name: string, base = '/v1') =>
  plane.call('POST', `${base}/switches/s/ports`, { name });

t.test(
  'a stream tells OIDs and state changes as they happen, with the trace entry and its id',
  async (t) => {
    const { plane, stream } = await openStreaming(t);
    await plane.call('POST', '/v1/switches', { name: 's' });
    const client = await stream();
    t.match(
      client.text,
      /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream; charset=utf-8\r\n/,
    );
    t.match(client.text, /\r\nx-content-type-options: nosniff\r\n/);
    await addPort(plane, 'p');
    await client.until(({ events }) => events.some((e) => e.data.oid === 'OID_SWITCH_PORT_CREATE'));
    const event = client.events.find((e) => e.data.oid === 'OID_SWITCH_PORT_CREATE');
    const [traced] = (await plane.call('GET', '/v1/trace?oid=OID_SWITCH_PORT_CREATE')).body.items;
    t.equal(event?.event, 'trace');
    t.equal(event?.id, traced.seq);
    t.strictSame(event?.data, traced, 'the same as in the trace');
    const ids = client.events.map((e) => e.id);
    t.strictSame(
      ids,
      [...ids].sort((a, b) => a - b),
    );
  },
);

t.test('a stream resumes behind Last-Event-ID without loss or repetition', async (t) => {
  const { plane, stream } = await openStreaming(t);
  await withPort(plane);
  const all = await stream({ 'last-event-id': '0' });
  const last = plane.fabric.events.lastSeq;
  await all.until(({ events }) => events.at(-1)?.id === last);
  const ids = all.events.map((e) => e.id);
  t.strictSame(
    ids,
    Array.from({ length: last }, (_, i) => i + 1),
    'every number once',
  );
  t.notOk(all.events.some((e) => e.event === 'gap'));
  t.ok(new Set(all.events.map((e) => e.event)).has('trace'));
  const middle = Math.floor(last / 2);
  const resumed = await stream({}, `/v1/events?lastEventId=${middle}`);
  await resumed.until(({ events }) => events.at(-1)?.id === last);
  t.strictSame(
    resumed.events,
    all.events.filter((e) => e.id > middle),
  );
});

t.test('what the history no longer holds is one gap, and the stream goes on', async (t) => {
  const { plane, stream } = await openStreaming(t, { fabric: { traceLimit: 20 } });
  await withPort(plane);
  for (let i = 0; i < 40; i += 1) {
    await plane.call('POST', '/v1/switches/s/ports/p/properties', { feature: 'Test_PortSetting' });
  }
  const client = await stream({ 'last-event-id': '1' });
  const last = plane.fabric.events.lastSeq;
  await client.until(({ events }) => events.at(-1)?.id === last);
  const gaps = client.events.filter((e) => e.event === 'gap');
  const told = client.events.filter((e) => e.event !== 'gap').map((e) => e.id);
  const oldest = plane.fabric.trace.entries()[0]?.seq ?? 0;
  t.ok(gaps.length >= 1);
  const gap = gaps.at(-1) as ServerEvent;
  t.equal(gap.data.firstSeq, gap.id + 1);
  t.ok(told.includes(oldest), 'goes on at the first that is there');
  const missing = Array.from({ length: last - 1 }, (_, i) => i + 2).filter(
    (id) => !told.includes(id),
  );
  for (const id of missing) {
    t.ok(
      gaps.some((e) => e.data.after < id && id < e.data.firstSeq),
      `${id} is in a gap`,
    );
  }
});

t.test('a position from another life of the server is a gap', async (t) => {
  const { plane, stream } = await openStreaming(t);
  await plane.call('POST', '/v1/switches', { name: 's' });
  const client = await stream({ 'last-event-id': '999999' });
  await client.until(({ events }) => events.some((e) => e.event === 'gap'));
  t.match(client.events[0], { event: 'gap', data: { after: 999999 } });
  await addPort(plane, 'p');
  await client.until(({ events }) => events.some((e) => e.data.oid === 'OID_SWITCH_PORT_CREATE'));
});

t.test(
  'a client that does not read holds no memory and later gets a gap or everything',
  async (t) => {
    const { plane, stream } = await openStreaming(t, { fabric: { traceLimit: 300 } });
    await withPort(plane);
    const slow = await stream({ 'last-event-id': '0' }, '/v1/events', true);
    await slow.until(() => plane.worlds.main.streams.size === 1);
    const { properties } = plane.fabric.switches.get('s').ports.get('p');
    const { id } = await properties.add('Test_PortSetting');
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 30_000; i += 1) {
      await properties.update(id, { SettingIntA: 1_000 + i, Label: 'x'.repeat(20) });
      if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    t.ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024, 'nothing piles up');
    const last = plane.fabric.events.lastSeq;
    slow.socket.resume();
    await slow.until(({ text }) => text.includes(`id: ${last}\n`));
    const { events } = slow;
    t.ok(
      events.some((e) => e.event === 'gap'),
      'was told that it missed some',
    );
    const ids = events.map((e) => e.id);
    t.strictSame(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    t.equal(new Set(ids).size, ids.length, 'nothing twice');
  },
);

t.test('streams are limited, beat, and end with their world and with the server', async (t) => {
  const { plane, stream, port } = await openStreaming(t, {
    limits: { streamsPerWorld: 1, heartbeatMs: 20 },
  });
  await plane.call('POST', '/v1/worlds', { name: 'w' });
  const one = await stream();
  const refused = await stream();
  t.match(refused.text, /^HTTP\/1\.1 429 /);
  await one.until(({ text }) => text.includes(': still here\n\n'));
  const other = await stream({}, '/worlds/w/v1/events');
  t.match((await plane.app.inject('/metrics')).payload, 'extswitch_event_streams 2\n');
  await plane.call('DELETE', '/v1/worlds/w');
  await other.until(({ ended }) => ended);
  t.notOk(one.ended);
  one.socket.destroy();
  await one.until(() => plane.worlds.main.streams.size === 0);
  const last = await stream();
  const closed = plane.app.close();
  await last.until(({ ended }) => ended);
  await closed;
  t.ok(port > 0);
});

t.test('an event stream needs an Accept that lets it through', async (t) => {
  const { stream } = await openStreaming(t);
  t.match((await stream({ accept: 'application/json' })).text, /^HTTP\/1\.1 406 /);
  t.match((await stream({ 'last-event-id': '-1' })).text, /^HTTP\/1\.1 400 /);
});
