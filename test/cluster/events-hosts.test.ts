import t, { type Test } from 'tap';
import { readEvents, type ServerEvent } from '../../src/cli/sse.ts';
import { listen } from '../../src/http/listen.ts';
import { natsServerMissing, startNatsServers } from '../../src/testing/nats-servers.ts';
import {
  MOF,
  openPlane,
  type PlaneOptions,
  PORT_SETTING,
  type TestPlane,
  withPort,
} from '../http/plane.ts';

const skip = natsServerMissing();
t.setTimeout(60_000);

/** A plane that listens. */
async function openListening(
  t: Test,
  fabric: PlaneOptions['fabric'] = {},
): Promise<{ readonly plane: TestPlane; readonly url: string }> {
  const plane = await openPlane(t, { fabric });
  const { port } = await listen(plane.app, { port: 0 });
  return { plane, url: `http://127.0.0.1:${port}/v1/events?cluster=` };
}

/** Events of all hosts as the server at `url` tells them; what it gives reads up to one of them. */
async function stream(t: Test, url: string, lastEventId?: string) {
  const ending = new AbortController();
  t.teardown(() => ending.abort());
  const headers = { accept: 'text/event-stream' };
  const response = await fetch(`${url}true`, {
    signal: ending.signal,
    headers: lastEventId === undefined ? headers : { ...headers, 'last-event-id': lastEventId },
  });
  t.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  if (response.body === null) throw new Error('the stream has no body');
  const events = readEvents(response.body);
  return async (isLast: (event: ServerEvent) => boolean): Promise<ServerEvent[]> => {
    const found: ServerEvent[] = [];
    for (;;) {
      const { value, done } = await events.next();
      // Names the response: fetch cancels a body that nobody reads yet when its response is forgotten.
      if (done === true) {
        throw new Error(`stream of ${response.url} ended after ${found.length} events`);
      }
      found.push(value);
      if (isLast(value)) return found;
    }
  };
}

const isDelete = (event: ServerEvent): boolean => event.data.includes('OID_SWITCH_PORT_DELETE');

t.test('every host tells the events of all hosts over HTTP, and resumes', { skip }, async (t) => {
  const servers = await startNatsServers({ count: 1 });
  t.teardown(() => servers.stop());
  const store = `${servers.url}/feed`;
  const { plane: a, url: atA } = await openListening(t, { store, name: 'a', clock: 'wall' });
  const { plane: b, url: atB } = await openListening(t, { store, name: 'b', clock: 'wall' });
  await b.call('POST', '/v1/features', { mof: MOF });
  const until = await stream(t, atB);
  await withPort(a);
  await a.call('POST', '/v1/switches/s/ports/p/properties', {
    feature: PORT_SETTING,
    settings: { SettingIntA: 41, SettingIntB: '18446744073709551615' },
  });
  await a.call('DELETE', '/v1/switches/s/ports/p');
  const events = await until(isDelete);
  const ofA = events.map(({ data }) => JSON.parse(data)).filter(({ host }) => host === 'a');
  const { items } = (await a.call('GET', '/v1/trace?limit=1000')).body;
  const first = ofA.find(({ oid }) => oid !== undefined)?.seq;
  t.strictSame(
    ofA.filter(({ oid }) => oid !== undefined),
    items
      .filter(({ seq }: { readonly seq: number }) => seq >= first)
      .map((item: object) => ({ host: 'a', ...item })),
    "what a's own trace has, decoded here",
  );
  const added = ofA.find(({ oid }) => oid === 'OID_SWITCH_PORT_PROPERTY_ADD');
  t.match(JSON.stringify(added?.decoded), '18446744073709551615', 'also custom data');
  t.ok(
    ofA.some(({ type, data }) => type === 'state' && data.event !== undefined),
    'state changes too',
  );
  t.strictSame(
    ofA.map(({ seq }) => seq),
    ofA.map((_, i) => ofA[0].seq + i),
    'every one once',
  );
  for (const { event, id = '' } of events) {
    t.match(event, /^(trace|state|finding)$/);
    t.match(id, /^\d+-\d+$/);
  }

  const middle = events.length >> 1;
  const again = await stream(t, atA, events[middle]?.id);
  t.strictSame(await again(isDelete), events.slice(middle + 1), 'another host resumes it');
  for (const id of ['abc', '7']) {
    const wrong = await b.call('GET', '/v1/events?cluster=true', undefined, {
      accept: 'text/event-stream',
      'last-event-id': id,
    });
    t.match(wrong, { status: 400, body: { type: 'urn:extswitch:error:MALFORMED' } }, id);
  }
  const open = await fetch(`${atA}true`);
  const ended = open.text();
  await a.app.close();
  t.match(await ended, 'retry: 1000', 'a stream ends with its server');
});

t.test('a server that is no host of a cluster refuses the feed of one', async (t) => {
  const { plane, url } = await openListening(t);
  const headers = { accept: 'text/event-stream' };
  const refused = await plane.call('GET', '/v1/events?cluster=true', undefined, headers);
  t.match(refused, {
    status: 422,
    body: { type: 'urn:extswitch:error:INVALID_ARGUMENT', member: 'cluster' },
  });
  const own = await fetch(`${url}false`, { headers });
  t.equal(own.status, 200, 'its own it tells');
  await own.body?.cancel();
});
