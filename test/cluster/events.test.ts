import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import t from 'tap';
import type { ClusterEvent } from '../../src/cluster/api.ts';
import { encodeMessage, parsePosition, type ToldEvent } from '../../src/cluster/event-message.ts';
import { EventPublisher } from '../../src/cluster/event-publisher.ts';
import { EventStream, type EventStreamOptions } from '../../src/cluster/event-stream.ts';
import { tapEvents } from '../../src/cluster/event-tap.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { decodeValue } from '../../src/store/value-codec.ts';
import { natsServerMissing, startNatsServers } from '../../src/testing/nats-servers.ts';

const skip = natsServerMissing();
// After a leader was killed, the next one takes 4 to 9 seconds.
t.setTimeout(60_000);

async function member(
  t: { teardown(end: () => Promise<void>): void },
  url: string,
  host: string,
  options: Partial<EventStreamOptions> = {},
) {
  const servers = url.replace('nats://', '').split(',');
  const connection = await connect({ servers, reconnectTimeWait: 100, maxReconnectAttempts: -1 });
  const manager = await jetstreamManager(connection);
  const jetStream = jetstream(connection);
  const base = { connection, jetStream, manager, cluster: 'lab', replicas: 1, host };
  t.teardown(async () => connection.close());
  const events = await EventStream.open({ ...base, ...options });
  return { connection, manager, jetStream, events };
}

const told = (n: number): ToldEvent => ({ type: 'log', time: n, data: { n } });

/** Reads until `enough` says so. */
async function collect(
  events: EventStream,
  enough: (all: readonly ClusterEvent[]) => boolean,
  after?: string,
): Promise<ClusterEvent[]> {
  const ending = new AbortController();
  const found: ClusterEvent[] = [];
  const start = after === undefined ? {} : { after };
  for await (const event of events.read({ ...start, signal: ending.signal })) {
    found.push(event);
    if (enough(found)) break;
  }
  return found;
}

/** "From now on" is fixed when the stream answers, which may be after the first event: a reading of all begins here. */
const BEGINNING = '1-0';

const numbers = (all: readonly ClusterEvent[]): unknown[] =>
  all.map(({ data }) => (data as { readonly n?: number }).n);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

t.test('events of several hosts are read by all, each host in its order', { skip }, async (t) => {
  const servers = await startNatsServers({ count: 1 });
  t.teardown(() => servers.stop());
  const a = await member(t, servers.url, 'a');
  const b = await member(t, servers.url, 'b');
  const count = 300;
  const reading = [a, b].map(({ events }) =>
    collect(events, (all) => all.length === 2 * count, BEGINNING),
  );
  for (const n of upTo(count)) {
    a.events.publish(told(n));
    b.events.publish(told(n));
    if (n % 100 === 0) await sleep(15);
  }
  const [atA = [], atB = []] = await Promise.all(reading);
  t.same(atA, atB, 'both read the same stream');
  for (const host of ['a', 'b']) {
    t.same(numbers(atA.filter((event) => event.host === host)), upTo(count), host);
  }
  const { state, config } = await a.manager.streams.info('lab-events');
  t.ok(state.messages < count / 10, `events go together: ${state.messages} messages`);
  t.equal(config.max_age, 3_600_000_000_000, 'an hour');
  t.equal(config.max_bytes, 268_435_456, '256 MB');
  t.equal(config.discard, 'old');

  t.test('a reading resumes after any event and sees each later one once', async (t) => {
    t.equal(new Set(atA.map(({ id }) => id)).size, atA.length, 'ids are unique');
    for (const at of [0, 1, 127, 299, 300, 598]) {
      const rest = await collect(
        b.events,
        (all) => all.length === atA.length - at - 1,
        atA[at]?.id,
      );
      t.same(rest, atA.slice(at + 1), `after event ${at}`);
    }
  });
  t.test('after the last event there is nothing until the next one', async (t) => {
    const reading = collect(b.events, (all) => all.length > 0, atA.at(-1)?.id);
    await sleep(500);
    a.events.publish(told(7));
    t.same(numbers(await reading), [7]);
  });
  t.test('a reading without a resume point begins with the call', async (t) => {
    const signal = AbortSignal.timeout(10_000);
    const reading = b.events.read({ signal });
    await sleep(500);
    a.events.publish(told(8));
    await sleep(500);
    for await (const { data } of reading) {
      t.same(data, { n: 8 });
      break;
    }
  });
  t.test('what is no event of a host is passed over', async (t) => {
    const reading = collect(b.events, (all) => all.length === 1);
    await sleep(500);
    const twice = { host: 'c', run: 'r', number: 1, events: [told(1)] };
    for (const bytes of [
      Buffer.from('not MessagePack'),
      encodeMessage({ ...twice, events: [] }),
      encodeMessage({ ...twice, number: 'one' as unknown as number }),
    ]) {
      await a.jetStream.publish('lab.events.c', bytes);
    }
    a.events.publish(told(9));
    t.same(numbers(await reading), [9]);
  });
  t.test('a message that is in the stream twice is seen once', async (t) => {
    const reading = collect(b.events, (all) => all.at(-1)?.host === 'a');
    await sleep(500);
    const twice = encodeMessage({ host: 'd', run: 'r', number: 1, events: [told(1), told(2)] });
    await a.jetStream.publish('lab.events.d', twice);
    await a.jetStream.publish('lab.events.d', twice);
    a.events.publish(told(3));
    t.same(numbers(await reading), [1, 2, 3]);
  });
  t.test('a resume point that is gone says so, and where it goes on', async (t) => {
    const { state } = await a.manager.streams.info('lab-events');
    const first = state.last_seq - 1;
    await a.manager.streams.purge('lab-events', { seq: first });
    const [gap, next] = await collect(b.events, (all) => all.length === 2, atA[0]?.id);
    t.match(gap, { type: 'gap', host: 'b', data: { after: atA[0]?.id, first: `${first}-0` } });
    t.ok(parsePosition(next?.id ?? '').sequence <= first + 1, `${next?.id}`);
    const [again] = await collect(b.events, (all) => all.length === 1, gap?.id);
    t.same(again, next, 'the id of the gap resumes behind it');
    const [beyond] = await collect(b.events, (all) => all.length === 1, '999999-3');
    t.match(beyond, { type: 'gap', data: { after: '999999-3', first: `${first}-0` } });
  });
  t.test('a reading whose consumer is gone makes another, and misses nothing', async (t) => {
    const reading = collect(b.events, (all) => all.length === 300);
    for (const n of upTo(300)) {
      a.events.publish(told(n));
      if (n % 20 === 0) await sleep(15);
      if (n % 100 !== 0) continue;
      for await (const { name } of a.manager.consumers.list('lab-events')) {
        // The reader may have been faster: it takes away a consumer that it has given up.
        await a.manager.consumers.delete('lab-events', name).catch((error: unknown) => {
          if (!/consumer not found/.test(String(error))) throw error;
        });
      }
    }
    t.same(numbers(await reading), upTo(300));
  });
  t.test('a reading that the stream overtakes says what it missed, and goes on', async (t) => {
    const all = b.events.read({ signal: AbortSignal.timeout(20_000) })[Symbol.asyncIterator]();
    const next = async (): Promise<ClusterEvent> => (await all.next()).value;
    await sleep(500);
    a.events.publish(told(1));
    t.same(numbers([await next()]), [1]);
    // What is fetched already is still told; the rest goes before the reader asks for it.
    for (const n of upTo(40)) {
      a.events.publish(told(n));
      await sleep(15);
    }
    const { state } = await a.manager.streams.info('lab-events');
    await a.manager.streams.purge('lab-events', { seq: state.last_seq });
    const rest = [await next()];
    while (numbers(rest).at(-1) !== 40) rest.push(await next());
    const gaps = rest.filter(({ type }) => type === 'gap');
    t.equal(gaps.length, 1, `${rest.length} events`);
    const told40 = numbers(rest.filter(({ type }) => type === 'log'));
    t.same(
      told40,
      upTo(40).filter((n) => n < told40.length || n === 40),
      'in order, the rest missing',
    );
    t.ok(told40.length < 40);
    await all.return?.();
  });
  t.test('an aborted reading ends', async (t) => {
    const ending = new AbortController();
    const reading = (async () => {
      for await (const event of a.events.read({ signal: ending.signal })) t.fail(event.id);
    })();
    await sleep(500);
    ending.abort();
    await reading;
    // The reading does not wait for it.
    const left = async () => (await a.manager.streams.info('lab-events')).state.consumer_count;
    while ((await left()) > 0) await sleep(50);
    t.equal(await left(), 0, 'no reading leaves anything on the server');
  });
});

t.test(
  'readers go on across a lost connection and a server that was killed',
  { skip },
  async (t) => {
    const servers = await startNatsServers({ count: 3 });
    t.teardown(() => servers.stop());
    const a = await member(t, servers.url, 'a', { replicas: 3 });
    const b = await member(t, servers.url, 'b', { replicas: 3 });
    const count = 3_000;
    const reading = collect(b.events, (all) => all.length === count, BEGINNING);
    const leader = await servers.leaderOf('lab-events');
    for (const n of upTo(count)) {
      a.events.publish(told(n));
      if (n % 20 === 0) await sleep(10);
      if (n === 600) await b.connection.reconnect();
      if (n === 900) await a.connection.reconnect();
      if (n === 1_200) await leader?.kill();
    }
    t.ok(leader !== undefined, 'a leader was killed');
    t.same(numbers(await reading), upTo(count), 'no event twice, none left out');
    await leader?.start();
  },
);

t.test(
  'a reading goes on after a reconnection although its consumer cannot be asked about',
  { skip },
  async (t) => {
    const servers = await startNatsServers({ count: 1 });
    t.teardown(() => servers.stop());
    const connection = await connect({ servers: servers.url.replace('nats://', '') });
    t.teardown(() => connection.close());
    // The client asks about the consumer before it listens for heartbeats again; without a leader nobody answers.
    const jetStream = jetstream(connection);
    const { consumers } = jetStream;
    const made: string[] = [];
    const deaf: JetStreamClient = Object.create(jetStream, {
      consumers: {
        value: {
          get: async (stream: string, name: string) => {
            const consumer = await consumers.get(stream, name);
            made.push(name);
            return Object.assign(consumer, { info: () => new Promise(() => undefined) });
          },
        },
      },
    });
    const manager = await jetstreamManager(connection);
    const base = { connection, manager, cluster: 'lab', replicas: 1, host: 'a' };
    const events = await EventStream.open({ ...base, jetStream: deaf });
    const reading = collect(events, (all) => all.length === 2, BEGINNING);
    events.publish(told(1));
    while (made.length === 0) await sleep(20);
    await connection.reconnect();
    while (made.length === 1) await sleep(20);
    events.publish(told(2));
    t.same(numbers(await reading), [1, 2]);
  },
);

t.test('what cannot be kept up with is counted and told in its place', async (t) => {
  const kept: unknown[] = [];
  let open: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const publisher = new EventPublisher({
    host: 'a',
    send: async (bytes) => {
      await gate;
      const { events } = decodeValue(bytes, bytes.length) as unknown as { events: ToldEvent[] };
      kept.push(...events.map(({ data }) => data));
    },
  });
  for (const n of upTo(20_000)) publisher.publish(told(n));
  await sleep(30);
  open?.();
  await sleep(200);
  publisher.publish(told(0));
  await publisher.close();
  const at = kept.findIndex((data) => (data as { n?: number }).n === undefined);
  const dropped = (kept[at] as { dropped?: number }).dropped ?? 0;
  t.ok(at >= 8_000, `${at} events are queued`);
  t.equal(at + dropped, 20_000, 'each was told or counted');
  t.same(kept.slice(at + 1), [{ n: 0 }], 'then it goes on');
  publisher.publish(told(1));
});

t.test('an event that cannot be written or is too large is counted, the others go', async (t) => {
  const kept: unknown[] = [];
  let attempts = 0;
  const publisher = new EventPublisher({
    host: 'a',
    messageBytesMax: 4_096,
    send: async (bytes) => {
      attempts += 1;
      if (attempts % 2 === 1) throw new Error('no answer');
      t.ok(bytes.length <= 4_096);
      const { events } = decodeValue(bytes, bytes.length) as unknown as { events: ToldEvent[] };
      kept.push(...events.map(({ data }) => data));
    },
  });
  publisher.publish(told(1));
  publisher.publish({ type: 'log', time: 2, data: { text: '\ud800' } });
  publisher.publish({ type: 'log', time: 3, data: { bytes: new Uint8Array(5_000) } });
  publisher.publish(told(4));
  await sleep(1_000);
  await publisher.close();
  t.same(kept, [{ n: 1 }, { dropped: 1 }, { dropped: 1 }, { n: 4 }]);
});

t.test(
  'a world tells its OIDs and events in their order; what its trace forgot is counted',
  async (t) => {
    const fabric = await Fabric.open({ seed: 's', clock: 'manual', traceLimit: 100 });
    const events: ToldEvent[] = [];
    const end = tapEvents(fabric, { publish: (event) => events.push(event) });
    const sw = await fabric.switches.create({ name: 'Lab' });
    await sleep(500);
    const seqs = (): unknown[] => events.map(({ data }) => (data as { readonly seq?: number }).seq);
    t.same(seqs(), upTo(fabric.events.lastSeq), 'every number once');
    t.same(
      events.map(({ data }) => data),
      [...fabric.trace.entries(), ...fabric.events.after(0)].sort((a, b) => a.seq - b.seq),
      'as they are',
    );
    const before = events.length;
    for (let i = 0; i < 400; i += 1) await sw.ports.create({ name: `p${i}` });
    end();
    const rest = events.slice(before);
    const lost = rest
      .map(({ data }) => (data as { readonly dropped?: number }).dropped ?? 0)
      .reduce((sum, n) => sum + n, 0);
    const there = rest.filter(({ type }) => type !== 'log').length;
    t.ok(lost > 0 && there > 0, `${lost} lost, ${there} told`);
    t.equal(before + lost + there, fabric.events.lastSeq, 'each was told or counted');
    await fabric.close();
  },
);

t.test('ids of events are checked', async (t) => {
  t.same(parsePosition('12-3'), { sequence: 12, index: 3 });
  for (const id of ['', '12', '0-1', '-1-2', '1-2-3', 'x-1', '1-', `${'9'.repeat(20)}-1`]) {
    t.throws(() => parsePosition(id), { code: 'MALFORMED' }, id);
  }
});
