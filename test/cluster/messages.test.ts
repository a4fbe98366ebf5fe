import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import t from 'tap';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { errorFromWire, errorToWire } from '../../src/cluster/error-wire.ts';
import { Messages } from '../../src/cluster/messages.ts';
import { Parcels } from '../../src/cluster/parcel.ts';
import { answerPeerCall } from '../../src/cluster/peer-service.ts';
import { type ClusterSession, openSession } from '../../src/cluster/session.ts';
import { ExtSwitchError } from '../../src/core/errors.ts';
import type { MigrationPeer } from '../../src/policy/migration-api.ts';
import { encodeValue } from '../../src/store/value-codec.ts';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import '../support/uncovered-children.ts';

const missing = natsServerMissing();
t.setTimeout(120_000);

interface Talker {
  readonly messages: Messages;
  readonly session: ClusterSession;
  isHolding: boolean;
  readonly lost: AbortController;
}

let servers: NatsServers;
const epochs = new Map<string, number>();
const listeners = new Set<() => void>();

/** What is on its way when a server is killed goes with it: a question of this host, or an answer to it. */
type Lost = (what: 'question' | 'answer') => boolean;

function losing(connection: NatsConnection, isLost: Lost): NatsConnection {
  const publish: NatsConnection['publish'] = (subject, ...rest) => {
    if (subject.includes('.ask.') && isLost('question')) return;
    connection.publish(subject, ...rest);
  };
  const subscribe: NatsConnection['subscribe'] = (subject, options) => {
    const { callback } = options ?? {};
    if (callback === undefined || subject.includes('.ask.')) {
      return connection.subscribe(subject, options);
    }
    return connection.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (!isLost('answer')) callback(error, message);
      },
    });
  };
  const closed = () => connection.closed();
  const isClosed = () => connection.isClosed();
  return { info: connection.info, publish, subscribe, closed, isClosed } as NatsConnection;
}

async function talker(host: string, epoch = 1, isLost: Lost = () => false): Promise<Talker> {
  const session = await openSession(parseClusterAddress(`${servers.url}/talk`), host);
  const state = { isHolding: true, lost: new AbortController() };
  epochs.set(host, epoch);
  const messages = new Messages({
    connection: losing(session.connection, isLost),
    cluster: 'talk',
    host,
    epoch,
    parcels: new Parcels(session.jetstream, 'talk', session.replicas),
    epochOf: (other) => epochs.get(other),
    others: () => [...epochs.keys()].filter((other) => other !== host),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isHolding: () => state.isHolding,
    lost: state.lost.signal,
    againMs: 40,
    log: () => undefined,
  });
  // The subscription is at the server before anybody asks.
  await session.connection.flush();
  return Object.assign(state, { messages, session });
}

async function end(...talkers: readonly Talker[]): Promise<void> {
  for (const { messages, session } of talkers) {
    messages.close();
    await session.close();
  }
  epochs.clear();
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (answer: Uint8Array): string => new TextDecoder().decode(answer);

t.before(async () => {
  if (missing === false) servers = await startNatsServers({ count: 1 });
});
t.teardown(() => servers?.stop());

const skip = { skip: missing };

t.test('a question of one host is answered by the other, which hears who asks', skip, async (t) => {
  const a = await talker('a');
  const b = await talker('b');
  b.messages.serve('echo', async (body, from) => bytes(`${from}: ${text(body)}`));
  t.equal(text(await a.messages.ask('b', 'echo', bytes('hello'))), 'a: hello');
  const none = await a.messages.ask('b', 'echo', new Uint8Array(0));
  t.equal(text(none), 'a: ');
  a.messages.serve('echo', async (_body, from) => bytes(`here: ${from}`));
  t.equal(text(await a.messages.ask('a', 'echo', bytes(''))), 'here: a', 'itself');
  b.messages.serve('echo.far.off', async () => bytes('of three parts'));
  t.equal(text(await a.messages.ask('b', 'echo.far.off', bytes(''))), 'of three parts');
  t.throws(() => b.messages.serve('echo', async () => bytes('')), { code: 'ALREADY_EXISTS' });
  t.throws(() => b.messages.serve('e.*', async () => bytes('')), { code: 'INVALID_ARGUMENT' });
  await end(a, b);
});

t.test('bodies of every size arrive whole both ways, and no parcel stays', skip, async (t) => {
  const a = await talker('a');
  const b = await talker('b');
  let asked = 0;
  b.messages.serve('double', async (body) => {
    asked += 1;
    const twice = new Uint8Array(2 * body.length);
    twice.set(body);
    twice.set(body, body.length);
    return twice;
  });
  const half = (a.session.connection.info?.max_payload ?? 0) / 2;
  t.equal(half, 512 * 1024, 'what nats-server takes by default');
  for (const size of [1, half / 2, half / 2 + 1, half, half + 1, 2 * half, 5 * 1024 * 1024]) {
    const body = new Uint8Array(size).map((_, at) => (at * 31) % 251);
    const answer = await a.messages.ask('b', 'double', body, 30_000);
    t.equal(answer.length, 2 * size);
    t.ok(Buffer.from(answer.subarray(0, size)).equals(body), `${size} bytes, first half`);
    t.ok(Buffer.from(answer.subarray(size)).equals(body), `${size} bytes, second half`);
  }
  t.equal(asked, 7);
  const info = async (): Promise<number> => {
    const { state } = await a.session.manager.streams.info('OBJ_talk-parcels', {
      subjects_filter: '$O.talk-parcels.C.>',
    });
    return Object.keys(state.subjects ?? {}).length;
  };
  for (let turn = 0; turn < 50 && (await info()) > 0; turn += 1) await sleep(50);
  t.equal(await info(), 0, 'chunks of parcels');
  const { config } = await a.session.manager.streams.info('OBJ_talk-parcels');
  t.equal(config.max_age, 3_600_000_000_000, 'what nobody fetches goes after an hour');
  await end(a, b);
});

t.test(
  'what a handler throws is thrown at the one who asked, without its stack',
  skip,
  async (t) => {
    const a = await talker('a');
    const b = await talker('b');
    const failures: Record<string, () => unknown> = {
      ours: () => {
        throw new ExtSwitchError('VETOED', 'extension X refuses', {
          oid: 'OID_SWITCH_NIC_CREATE',
          problems: [{ code: 'MAC_TAKEN', size: 3n }],
        });
      },
      foreign: () => {
        throw new TypeError('x is not a function');
      },
      text: () => {
        throw 'only text';
      },
      circle: () => {
        const problem: Record<string, unknown> = {};
        problem['self'] = problem;
        throw new ExtSwitchError('NOT_FOUND', 'going round', { problems: [problem] });
      },
      nothing: () => undefined,
    };
    b.messages.serve('fail', async (body) => failures[text(body)]?.() as Uint8Array);
    const failed = (name: string) =>
      a.messages.ask('b', 'fail', bytes(name)).catch((e: unknown) => e);
    t.match(await failed('ours'), {
      name: 'ExtSwitchError',
      code: 'VETOED',
      message: 'extension X refuses',
      place: { oid: 'OID_SWITCH_NIC_CREATE', problems: [{ code: 'MAC_TAKEN', size: 3n }] },
    });
    const foreign = (await failed('foreign')) as Error;
    t.match(foreign, { code: 'INTERNAL', message: /x is not a function/ });
    t.notMatch(foreign.stack ?? '', /failures/, 'no stack of the other process');
    t.match(await failed('text'), { code: 'INTERNAL', message: /only text/ });
    t.match(await failed('circle'), { code: 'NOT_FOUND', message: 'going round' });
    t.match(await failed('nothing'), { code: 'INTERNAL', message: /gave no bytes/ });
    t.equal(text(await echo(a, b)), 'still there');
    await end(a, b);
  },
);

async function echo(a: Talker, b: Talker): Promise<Uint8Array> {
  b.messages.serve('echo', async (body) => body);
  return a.messages.ask('b', 'echo', bytes('still there'));
}

t.test(
  'a host that is not there, silent, late, of another epoch or fenced is HOST_UNREACHABLE',
  skip,
  async (t) => {
    const a = await talker('a');
    const b = await talker('b', 7);
    const ask = (timeoutMs = 2000) => a.messages.ask('b', 'echo', bytes('x'), timeoutMs);
    b.messages.serve('echo', async (body) => body);
    t.equal(text(await ask()), 'x');
    epochs.set('b', 6);
    await t.rejects(
      ask(),
      { code: 'HOST_UNREACHABLE', message: /"echo" of host "b"/ },
      'the epoch before',
    );
    epochs.delete('b');
    await t.rejects(ask(), {
      code: 'HOST_UNREACHABLE',
      message: /host "b": the host is not alive/,
    });
    epochs.set('b', 7);
    b.isHolding = false;
    await t.rejects(ask(), { code: 'HOST_UNREACHABLE', message: /length of its lease/ });
    b.isHolding = true;
    let release: () => void = () => undefined;
    b.messages.serve('slow', async (body) => {
      await new Promise<void>((resolve) => (release = resolve));
      return body;
    });
    const begun = performance.now();
    await t.rejects(a.messages.ask('b', 'slow', bytes('x'), 300), {
      code: 'HOST_UNREACHABLE',
      message: /"slow" of host "b": no answer in time/,
    });
    t.ok(performance.now() - begun < 2000);
    release();
    for (const epoch of [8, undefined]) {
      const waits = a.messages.ask('b', 'slow', bytes('x'), 30_000);
      waits.catch(() => undefined);
      await sleep(50);
      for (const listener of listeners) listener();
      if (epoch === undefined) epochs.delete('b');
      else epochs.set('b', epoch);
      for (const listener of listeners) listener();
      await t.rejects(waits, {
        code: 'HOST_UNREACHABLE',
        message: /went away before it had answered/,
      });
      epochs.set('b', 7);
      release();
    }
    // Heard while it was host, answered when it may be no more.
    const late = a.messages.ask('b', 'slow', bytes('x'), 2000);
    late.catch(() => undefined);
    await sleep(100);
    b.isHolding = false;
    release();
    await t.rejects(late, { code: 'HOST_UNREACHABLE' });
    b.isHolding = true;
    b.lost.abort(new ExtSwitchError('LEASE_LOST', 'another process is host "b"'));
    await t.rejects(ask(), { code: 'LEASE_LOST' });
    await t.rejects(
      b.messages.ask('a', 'echo', bytes('x')),
      { code: 'LEASE_LOST' },
      'nor does it ask',
    );
    b.messages.close();
    await b.session.connection.flush();
    await t.rejects(ask(), { code: 'HOST_UNREACHABLE', message: /nobody answers there/ });
    await end(a, b);
  },
);

t.test(
  'many questions at once are all answered, and askAll names who is silent',
  skip,
  async (t) => {
    const talkers = [await talker('a'), await talker('b'), await talker('c')];
    const [a, b, c] = talkers as [Talker, Talker, Talker];
    let now = 0;
    let most = 0;
    b.messages.serve('echo', async (body) => {
      now += 1;
      most = Math.max(most, now);
      await sleep(1);
      now -= 1;
      return body;
    });
    const answers = await Promise.all(
      Array.from({ length: 2000 }, (_, at) => a.messages.ask('b', 'echo', bytes(`${at}`), 30_000)),
    );
    t.strictSame(
      answers.map((answer) => text(answer)),
      Array.from({ length: 2000 }, (_, at) => `${at}`),
    );
    t.ok(most <= 256, `${most} at a time`);
    c.messages.serve('who', async () => bytes('c'));
    b.messages.serve('who', async () => bytes('b'));
    epochs.set('gone', 1);
    b.isHolding = false;
    const all = await a.messages.askAll('who', bytes(''), 2000);
    t.strictSame(
      [...all.answers].map(([host, answer]) => [host, text(answer)]),
      [['c', 'c']],
    );
    t.strictSame(all.silent, ['b', 'gone']);
    await end(...talkers);
  },
);

t.test(
  'a question or an answer that is lost, and one that takes long, is asked again and done once',
  skip,
  async (t) => {
    let lost: string[] = [];
    const isLost: Lost = (what) => {
      if (lost[0] !== what) return false;
      lost.shift();
      return true;
    };
    const a = await talker('a', 1, isLost);
    const b = await talker('b');
    let done = 0;
    b.messages.serve('count', async (body) => {
      done += 1;
      await sleep(Number(text(body)));
      return bytes(`${done}`);
    });
    const whole = new Uint8Array(700_000).fill(48);
    for (const [what, body] of [
      [[], bytes('300')],
      [['question'], bytes('0')],
      [['question', 'question'], bytes('0')],
      [['answer'], bytes('0')],
      [['answer', 'answer'], bytes('0')],
      [['question', 'answer', 'question'], bytes('0')],
      [['answer'], whole],
    ] as const) {
      lost = [...what];
      done = 0;
      const answer = await a.messages.ask('b', 'count', body, 30_000);
      t.equal(text(answer), '1', `${what.join(', ') || 'nothing'} lost`);
      t.equal(done, 1);
      t.strictSame(lost, [], 'that many were lost');
    }
    await end(a, b);
  },
);

t.test(
  'a question of a process that is the host no more is refused, and not done',
  skip,
  async (t) => {
    const before = await talker('a', 4);
    const b = await talker('b');
    let done = 0;
    b.messages.serve('count', async () => bytes(`${++done}`));
    t.equal(text(await before.messages.ask('b', 'count', bytes(''))), '1');
    // The lease says it first.
    epochs.set('a', 5);
    const refusal = {
      code: 'LEASE_LOST',
      message: /another process is host "a" \(epoch 5; what was asked is of epoch 4\)/,
    };
    await t.rejects(before.messages.ask('b', 'count', bytes('')), refusal);
    const now = await talker('a', 5);
    t.equal(text(await now.messages.ask('b', 'count', bytes(''))), '2');
    // Nothing is heard of the lease any more: what the later process has asked counts.
    epochs.delete('a');
    await t.rejects(before.messages.ask('b', 'count', bytes('')), refusal);
    t.equal(done, 2);
    await end(before, now, b);
  },
);

t.test(
  'a host that is closed, or the host no more, waits for nothing, and asks nothing of what waited its turn',
  skip,
  async (t) => {
    for (const code of ['LEASE_LOST', 'SHUTTING_DOWN']) {
      const a = await talker('a');
      const b = await talker('b');
      let asked = 0;
      b.messages.serve('never', async (): Promise<Uint8Array> => {
        asked += 1;
        return new Promise(() => undefined);
      });
      const ask = () => a.messages.ask('b', 'never', bytes('x'), 60_000).catch((e: unknown) => e);
      const waiting = Array.from({ length: 256 }, ask);
      const behind = Array.from({ length: 44 }, ask);
      for (let turn = 0; turn < 200 && asked < 256; turn += 1) await sleep(20);
      t.equal(asked, 256);
      const begun = performance.now();
      if (code === 'SHUTTING_DOWN') a.messages.close();
      else a.lost.abort(new ExtSwitchError('LEASE_LOST', 'another process is host "a"'));
      const ofWaiting = code === 'LEASE_LOST' ? code : 'HOST_UNREACHABLE';
      for (const outcome of await Promise.all(waiting)) t.match(outcome, { code: ofWaiting });
      for (const outcome of await Promise.all(behind)) t.match(outcome, { code });
      t.ok(performance.now() - begun < 30_000, 'long before their time was over');
      await a.session.connection.flush();
      await b.session.connection.flush();
      t.equal(asked, 256);
      await end(a, b);
    }
  },
);

t.test('an answer of another host or epoch than was asked counts for none', skip, async (t) => {
  const a = await talker('a');
  const b = await talker('b', 3);
  const said = async (from: string, epoch: number) => {
    const subject = 'talk.ask.c.5.who';
    const { session } = b;
    const liar = session.connection.subscribe(subject, {
      callback: (_error, message) => {
        message.respond(encodeValue('x', { from, epoch, body: bytes('me') }));
      },
    });
    await session.connection.flush();
    epochs.set('c', 5);
    const answer = await a.messages.ask('c', 'who', bytes(''), 2_000).catch((e: unknown) => e);
    liar.unsubscribe();
    return answer;
  };
  t.equal(text((await said('c', 5)) as Uint8Array), 'me');
  const refusal = { code: 'HOST_UNREACHABLE', message: /the answer is of epoch/ };
  t.match(await said('c', 4), refusal);
  t.match(await said('b', 5), refusal);
  await end(a, b);
});

t.test('bytes that are no question are answered with an error', skip, async (t) => {
  const a = await talker('a');
  const b = await talker('b');
  b.messages.serve('echo', async (body) => body);
  for (const wrong of [
    bytes(''),
    Uint8Array.of(0xc1),
    bytes('{"from":"a"}'),
    Uint8Array.of(0xdf, 255),
  ]) {
    const reply = await a.session.connection.request('talk.ask.b.1.echo', wrong, { timeout: 2000 });
    t.match(text(reply.data), /MALFORMED/);
  }
  t.equal(text(await a.messages.ask('b', 'echo', bytes('x'))), 'x');
  await end(a, b);
});

t.test('an error of a version with other codes is INTERNAL and keeps its message and code', (t) => {
  t.match(errorFromWire({ code: 'NEWER_THAN_THIS', message: 'text' }, 'b'), {
    code: 'INTERNAL',
    message: 'host "b": text (NEWER_THAN_THIS)',
    place: { found: 'NEWER_THAN_THIS' },
  });
  for (const wire of [undefined, null, 3, 'text', {}, { code: 7 }, { code: 'toString' }]) {
    t.match(errorFromWire(wire, 'b'), { code: 'INTERNAL', message: /host "b": no message/ });
  }
  const round = errorFromWire(
    errorToWire(new ExtSwitchError('VETOED', 'no', { rule: 'B20' })),
    'b',
  );
  t.match(round, { code: 'VETOED', message: 'no', place: { rule: 'B20' } });
  t.end();
});

t.test(
  'a message of a migration that is none is MALFORMED, and the peer is not called',
  async (t) => {
    const peer = new Proxy({} as MigrationPeer, {
      get: () => () => t.fail('called'),
    });
    for (const wrong of [
      new Uint8Array(0),
      Uint8Array.of(0xc1),
      encodeValue('x', 'text'),
      encodeValue('x', [1]),
      encodeValue('x', { call: 'destroy' }),
      encodeValue('x', { call: 'constructor' }),
      encodeValue('x', { migration: 'm' }),
    ]) {
      await t.rejects(answerPeerCall(peer, wrong), { code: 'MALFORMED' });
    }
  },
);
