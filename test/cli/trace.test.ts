import t from 'tap';
import { readEvents, untilAborted } from '../../src/cli/sse.ts';
import { SWITCH } from './client-samples.ts';
import { fakeServer } from './fake-server.ts';
import { runCli } from './run-in-process.ts';

const entry = (seq: number, more: object = {}) => ({
  seq,
  time: seq * 1500,
  switch: 'TestSwitch',
  oid: 'OID_SWITCH_PORT_CREATE',
  requestType: 'set',
  origin: 'protocolEdge',
  route: [{ module: 'miniportEdge', verdict: 'NDIS_STATUS_SUCCESS' }],
  status: 'NDIS_STATUS_SUCCESS',
  input: '',
  decoded: { PortId: 1 },
  ...more,
});

const seqsOf = (lines: string): number[] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).seq);

t.test('trace prints the last entries, filtered by the server', async (t) => {
  const { url } = await fakeServer(t, {
    'GET /v1/switches/TestSwitch': [200, SWITCH],
    'GET /v1/trace?limit=20': [200, { items: [entry(1), entry(2)] }],
    'GET /v1/trace?limit=3&oid=OID_X&switch=TestSwitch': [200, { items: [] }],
  });
  const plain = await runCli(['trace', '--url', url, '--verbose']);
  const line =
    '     1  1970-01-01T00:00:01.500Z  TestSwitch  OID_SWITCH_PORT_CREATE set  NDIS_STATUS_SUCCESS  miniportEdge:NDIS_STATUS_SUCCESS\n';
  t.ok(plain.out.startsWith(line), plain.out);
  t.match(plain.out, '"PortId": 1');
  const json = await runCli(['trace', '--url', url, '--json']);
  t.strictSame(seqsOf(json.out), [1, 2]);
  const words = ['trace', '--url', url, '--limit', '3', '--oid', 'OID_X', '-s', 'TestSwitch'];
  t.match((await runCli(words)).err, 'the trace is empty');
});

t.test('an indication is printed with its name and what is inside, not as a failure', async (t) => {
  const indication = entry(3, {
    request: 0,
    oid: 'NDIS_STATUS_SWITCH_NIC_STATUS',
    requestType: 'indication',
    origin: 'miniportEdge',
    route: [{ module: 'protocolEdge', verdict: 'NDIS_STATUS_LINK_STATE' }],
    status: 'NDIS_STATUS_LINK_STATE',
  });
  const acl = '5cbf81be-0000-4000-8000-000000000002';
  const gone = '5cbf81be-0000-4000-8000-00000000000f';
  const failed = entry(4, {
    status: 'NDIS_STATUS_FAILURE',
    route: [
      { module: acl, verdict: 'forward' },
      { module: gone, verdict: 'NDIS_STATUS_FAILURE' },
    ],
  });
  const { url, seen } = await fakeServer(t, {
    'GET /v1/trace?limit=20': [200, { items: [indication, failed, failed] }],
    'GET /v1/extensions?limit=1000': [200, { items: [{ id: acl, name: 'Port ACL' }] }],
  });
  const { out } = await runCli(['trace', '--url', url], { tty: true });
  t.match(out, 'NDIS_STATUS_SWITCH_NIC_STATUS\u001b[22m indication');
  t.match(out, '\u001b[1mNDIS_STATUS_LINK_STATE\u001b[22m');
  t.match(out, '\u001b[31mNDIS_STATUS_FAILURE\u001b[39m');
  t.match(out, `Port ACL:forward > ${gone}:NDIS_STATUS_FAILURE`, 'names, where there are any');
  t.equal(seen.filter(({ path }) => path.startsWith('/v1/extensions')).length, 1, 'asked once');
});

t.test('a state change is printed as one line of its event, anything else as it is', async (t) => {
  const stop = new AbortController();
  const event = (id: number, type: string, data: object) =>
    `event: ${type}\nid: ${id}\ndata: ${JSON.stringify({ seq: id, time: 0, type, data })}\n\n`;
  const { url } = await fakeServer(t, {
    'GET /v1/trace?limit=1': [200, { items: [] }],
    'GET /v1/events': (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event(1, 'state', { event: 'vmStateChanged', vm: 'V', state: 'running' }));
      response.write(event(2, 'state', { event: 'switchActivated' }));
      response.write(event(3, 'finding', { rule: 'D11', portId: 1 }));
    },
  });
  const { out } = await runCli(['trace', '-f', '-n', '0', '--url', url], {
    signal: stop.signal,
    onOut: (text) => {
      if (text.includes('D11')) stop.abort();
    },
  });
  t.equal(
    out,
    `     1  1970-01-01T00:00:00.000Z  -  vmStateChanged  vm V, state running
     2  1970-01-01T00:00:00.000Z  -  switchActivated
     3  1970-01-01T00:00:00.000Z  -  {"type":"finding","data":{"rule":"D11","portId":1}}
`,
  );
});

t.test('trace --follow resumes after the last entry and survives a broken stream', async (t) => {
  const event = (id: number, data: object, name = 'trace') =>
    `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
  const state = { seq: 4, time: 0, type: 'state', switch: 'TestSwitch', data: { port: 1 } };
  const stop = new AbortController();
  const { url, seen } = await fakeServer(t, {
    'GET /v1/trace?limit=1': [200, { items: [entry(2)] }],
    'GET /v1/trace?limit=20': [200, { items: [entry(1), entry(2)] }],
    'GET /v1/events': [
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`retry: 1000\n\n${event(2, entry(2))}${event(3, entry(3))}`);
        response.end(event(4, state, 'state'));
      },
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(event(9, { after: 4, firstSeq: 10 }, 'gap'));
        response.write(event(10, entry(10)));
      },
    ],
  });
  let text = '';
  const ran = await runCli(['trace', '--follow', '--json', '--url', url], {
    signal: stop.signal,
    onOut: (out) => {
      text += out;
      if (text.includes('"seq":10')) stop.abort();
    },
  });
  t.equal(ran.code, 0);
  t.strictSame(seqsOf(ran.out), [1, 2, 3, 4, 10], 'nothing twice, nothing left out');
  const asked = seen.filter((each) => each.path === '/v1/events');
  t.strictSame(
    asked.map((each) => each.headers['last-event-id']),
    ['2', '4'],
  );
  t.match(ran.err, 'connection lost, trying again');
  t.match(ran.err, 'missed what came before request 10');
});

t.test(
  'trace --cluster prints the host of each event and resumes by the ids of the stream',
  async (t) => {
    const event = (id: string, name: string, data: object) =>
      `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
    const of = (host: string, seq: number, more: object = {}) => ({ host, ...entry(seq, more) });
    const stop = new AbortController();
    const { url, seen } = await fakeServer(t, {
      'GET /v1/events?cluster=true': [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(event('7-1', 'trace', of('a', 900)));
          response.write(event('7-2', 'trace', of('b', 3)));
          response.end(event('8-0', 'trace', of('b', 4, { switch: 'Other' })));
        },
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(
            event('20-0', 'gap', { host: 'a', data: { after: '8-0', first: '20-0' } }),
          );
          response.write(event('20-1', 'log', { host: 'b', type: 'log', data: { dropped: 12 } }));
          response.write(event('21-0', 'trace', of('a', 901)));
        },
      ],
    });
    const words = ['trace', '--cluster', '--switch', 'TestSwitch', '--url', url];
    const ran = await runCli(words, {
      signal: stop.signal,
      onOut: (out) => {
        if (out.includes('901')) stop.abort();
      },
    });
    t.equal(ran.code, 0);
    t.strictSame(
      ran.out.split('\n').map((line) => line.slice(0, 9)),
      ['a     900', 'b       3', 'a     901', ''],
      'numbers of one host do not hide those of another',
    );
    t.strictSame(
      seen.map((each) => each.headers['last-event-id']),
      [undefined, '8-0'],
    );
    t.match(ran.err, 'missed what came before this');
    t.match(ran.err, 'host b left out 12 events');
    const wrong = await runCli(['trace', '--cluster', '--limit', '3', '--url', url]);
    t.equal(wrong.code, 2);
    t.match(wrong.err, '--limit belongs to the trace of one host, not to --cluster');
  },
);

t.test('trace --follow with filters leaves out what does not match', async (t) => {
  const stop = new AbortController();
  const send = (seq: number, more: object) =>
    `id: ${seq}\ndata: ${JSON.stringify(entry(seq, more))}\n\n`;
  const { url } = await fakeServer(t, {
    'GET /v1/switches/TestSwitch': [200, SWITCH],
    'GET /v1/trace?limit=1': [200, { items: [] }],
    'GET /v1/events': (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(send(1, { switch: 'Other', oid: 'OID_X' }));
      response.write(send(2, {}));
      response.write(`id: 3\ndata: {"seq":3,"type":"state"}\n\n`);
      response.write(send(4, { oid: 'OID_X', status: 'NDIS_STATUS_FAILURE' }));
    },
  });
  const words = ['trace', '-f', '--limit', '0', '--oid', 'OID_X', '-s', 'TestSwitch', '--url', url];
  const ran = await runCli(words, { signal: stop.signal, onOut: () => stop.abort() });
  t.equal(ran.code, 0);
  t.match(ran.out, /^ +4 .*OID_X set {2}NDIS_STATUS_FAILURE/);
});

t.test(
  'trace --follow without the right to is an error of the server, not tried again',
  async (t) => {
    const { url, seen } = await fakeServer(t, {
      'GET /v1/trace?limit=1': [200, { items: [] }],
      'GET /v1/events': [429, { title: 'Too many requests', detail: 'too many streams' }],
    });
    const ran = await runCli(['trace', '-f', '-n', '0', '--url', url]);
    t.equal(ran.code, 1);
    t.match(ran.err, 'Too many requests (429)');
    t.equal(seen.filter((each) => each.path === '/v1/events').length, 1);
  },
);

t.test('colour and progress only on a terminal, and no colour with NO_COLOR', async (t) => {
  const { url } = await fakeServer(t, {
    'GET /v1/switches?limit=1000': (response) => {
      setTimeout(() => response.end(JSON.stringify({ items: [SWITCH] })), 1400);
    },
    'GET /v1/trace?limit=20': [200, { items: [entry(1)] }],
  });
  const [tty, pipe] = await Promise.all([
    runCli(['switch', 'list', '--url', url], { tty: true }),
    runCli(['switch', 'list', '--url', url]),
  ]);
  t.match(tty.err, 'GET /v1/switches?limit=1000 1 s', 'over a second: it shows that it goes on');
  t.equal(pipe.err, '');
  const csi = '\u001b[';
  t.ok((await runCli(['trace', '--url', url], { tty: true })).out.includes(csi));
  t.notOk((await runCli(['trace', '--url', url])).out.includes(csi));
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    t.notOk((await runCli(['trace', '--url', url], { tty: true, env })).out.includes(csi));
  }
});

t.test('events are read across chunk borders, with every kind of line end', async (t) => {
  const text =
    ': comment\r\ndata: é1\ndata:2\r\rid: 7\nevent: x\ndata: 3\n\nid: a\u0000b\nignored\n\ndata: cut';
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, bytes.length]) {
    const events = [];
    async function* body() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    for await (const event of readEvents(body())) events.push(event);
    t.strictSame(events, [
      { event: 'message', data: 'é1\n2' },
      { event: 'x', data: '3', id: '7' },
    ]);
  }
});

t.test(
  'reading a stream ends when it is aborted, also when nobody else tells the stream',
  async (t) => {
    const cancelled: unknown[] = [];
    const endless = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
        cancel: (reason) => void cancelled.push(reason),
      });
    const stop = new AbortController();
    const events: string[] = [];
    for await (const { data } of readEvents(untilAborted(endless(), stop.signal))) {
      events.push(data);
      setImmediate(() => stop.abort());
    }
    t.same(events, ['1']);
    t.equal(cancelled.length, 1, 'the connection is given up');
    const before = AbortSignal.abort();
    for await (const { data } of readEvents(untilAborted(endless(), before))) events.push(data);
    t.same(events, ['1'], 'aborted before it began');
  },
);
