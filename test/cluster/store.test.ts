import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { AckedPublisher } from '../../src/cluster/acked-publisher.ts';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { type OpenedStore, openClusterStore } from '../../src/cluster/cluster-store.ts';
import { registeredHosts } from '../../src/cluster/read-records.ts';
import { encodeMessage } from '../../src/cluster/record-message.ts';
import {
  type ClusterSession,
  dropCluster,
  dropLeftRuns,
  openSession,
} from '../../src/cluster/session.ts';
import { StateObjects } from '../../src/cluster/state-objects.ts';
import type { ExtSwitchError } from '../../src/core/errors.ts';
import { encodeRecord } from '../../src/store/record.ts';
import type { Store, StoreOp } from '../../src/store/store.ts';
import { natsServerMissing, startNatsServers } from '../../src/testing/nats-servers.ts';
import { del, put, runStoreContract } from '../support/store-contract.ts';
import { objectsOf } from './objects-of.ts';

const skip = natsServerMissing();
t.setTimeout(120_000);
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const servers = await startNatsServers();
t.teardown(() => servers.stop());
const session = await openSession(parseClusterAddress(`${servers.url}/lab`), 'store.test');
t.teardown(() => session.close());

let hosts = 0;
let processes = 0;
const newHost = () => `h${hosts++}`;
const open = (host: string, onFenced?: (error: ExtSwitchError) => void, on = session) =>
  openClusterStore(on, host, {
    incarnation: `p${processes++}`,
    ...(onFenced === undefined ? {} : { onFenced }),
  });
const entries = (store: Store) => [...store.range('')];
/** A write to expect something of; none is done at once here. */
const write = async (store: Store, ...ops: StoreOp[]) => store.write(ops);
const policies = 'KV_lab-policies';
const journal = 'KV_lab-journal';
const recordSubject = (host: string, key: string) => `$KV.lab-policies.${host}.${key}`;

async function hasRecord(host: string, key: string): Promise<number> {
  for (let i = 0; i < 100; i++) {
    const query = { last_by_subj: recordSubject(host, key) };
    const message = await session.manager.streams.getMessage(policies, query);
    if (message !== null) return message.seq;
    await sleep(20);
  }
  throw new Error(`${key} of ${host} has no record`);
}

const names = new Map<Store, string>();
runStoreContract(t, {
  name: 'cluster of three servers',
  modelRuns: 12,
  create: async () => {
    const host = newHost();
    const { store } = await open(host);
    names.set(store, host);
    return store;
  },
  reopen: async (closed) => {
    const host = names.get(closed) as string;
    const { store } = await open(host);
    names.set(store, host);
    return store;
  },
});

t.test('a second opening of a host fences the first: what that one writes rejects', async (t) => {
  const host = newHost();
  const told: ExtSwitchError[] = [];
  const first = await open(host, (error) => told.push(error));
  await first.store.write([put('a', 1)]);
  const second = await open(host);
  t.equal(second.epoch, first.epoch + 1);
  t.strictSame(entries(second.store), [['a', 1]]);
  t.equal(await second.isCurrent(), true);

  const late = [write(first.store, put('a', 2)), write(first.store, put('b', 2))];
  for (const one of late) await t.rejects(one, { code: 'LEASE_LOST' });
  await t.rejects(write(first.store), { code: 'LEASE_LOST' });
  t.equal(told.length, 1, 'told once');
  t.match(told[0], { code: 'LEASE_LOST', message: /epoch 2, this one was 1/ });
  t.equal(await first.isCurrent(), false);
  await first.store.close();

  await second.store.write([put('c', 3)]);
  await second.store.close();
  const third = await open(host);
  t.strictSame(entries(third.store), [
    ['a', 1],
    ['c', 3],
  ]);
  await third.store.close();
});

t.test('isCurrent finds out without a write, and tells the store', async (t) => {
  const host = newHost();
  const told: ExtSwitchError[] = [];
  const first = await open(host, (error) => told.push(error));
  const second = await open(host);
  t.equal(await first.isCurrent(), false);
  t.equal(told[0]?.code, 'LEASE_LOST');
  await t.rejects(write(first.store, put('a', 1)), { code: 'LEASE_LOST' });
  await Promise.all([first.store.close(), second.store.close()]);
});

t.test(
  'a process that was stopped until nothing marks the end of its epoch is the host no more, and writes nothing',
  async (t) => {
    for (const how of ['asked', 'written'] as const) {
      const host = newHost();
      const first = await open(host);
      await first.store.write([put('a', 1)]);
      const second = await open(host);
      await second.store.write([put('a', 2)]);
      await second.store.close();
      const third = await open(host);
      await third.store.write([put('a', 3)]);
      // What the third does with openings that are old enough.
      await session.manager.streams.purge(journal, { filter: `$KV.lab-journal.${host}.1.*` });
      if (how === 'asked') t.equal(await first.isCurrent(), false);
      else {
        const { now } = Date;
        Date.now = () => now() + 2 * 3_600_000;
        t.teardown(() => {
          Date.now = now;
        });
        await t.rejects(write(first.store, put('a', 4)), { code: 'LEASE_LOST' });
        await third.store.write([put('b', 3)]);
        Date.now = now;
      }
      t.equal(await third.isCurrent(), true);
      await first.store.close();
      await third.store.close();
      const last = await open(host);
      t.equal(last.store.get('a'), 3);
      await last.store.close();
    }
  },
);

t.test('a process that is the host no more sweeps no object of the one that is', async (t) => {
  const host = newHost();
  const late = new StateObjects(session, host);
  const current = new StateObjects(session, host);
  late.begin(1);
  const orphan = await late.keep(Buffer.from('orphan'));
  current.begin(2);
  const kept = await current.keep(Buffer.from('acknowledged'));
  await late.sweep(new Set());
  const load = (name: string) => current.load(name, 'it', performance.now() + 5_000);
  t.equal(String(Buffer.from(await load(kept))), 'acknowledged');
  await current.sweep(new Set([kept]));
  await t.rejects(load(orphan), { code: 'STORE_CORRUPT' });
  t.equal(String(Buffer.from(await load(kept))), 'acknowledged');
});

t.test(
  'parts of objects whose storing was cut off go when the host is opened next, and only its own',
  async (t) => {
    const host = newHost();
    const parts = async (of: string) => {
      const subjects_filter = `$O.lab-state.C.${of}.>`;
      const { state } = await session.manager.streams.info('OBJ_lab-state', { subjects_filter });
      return Object.keys(state.subjects ?? {}).length;
    };
    const first = await open(host);
    await first.store.write([put('saved/vm/nic', { records: ['kept'] })]);
    await first.store.close();
    t.equal(await parts(host), 1);
    for (const of of [host, `${host}x`]) {
      for (const part of ['one', 'two']) {
        await session.jetstream.publish(`$O.lab-state.C.${of}.${first.epoch}.p.0`, part);
      }
    }
    t.equal(await parts(host), 2, 'one of them without a name');
    const next = await open(host);
    for (let turn = 0; turn < 100 && (await parts(host)) > 1; turn++) await sleep(50);
    t.equal(await parts(host), 1);
    assert.deepStrictEqual(next.store.get('saved/vm/nic'), { records: ['kept'] });
    await next.store.close();
    t.equal(await parts(`${host}x`), 1, 'those of another host are not its to remove');
  },
);

t.test(
  'a removal that was cut off goes on where it was, also at the beginning of the stream',
  async (t) => {
    const own = await openSession({ ...session.address, cluster: 'cut-off' }, 't');
    t.teardown(() => own.close());
    const host = newHost();
    const first = new StateObjects(own, host);
    first.begin(0);
    const name = await first.keep(new Uint8Array(300_000));
    const { metadata } = (await objectsOf(own))[0] ?? {};
    const places = (metadata?.['places'] ?? '').split(',').map(Number);
    t.equal(places.length, 3);
    // Killed behind its parts: nothing is before what names them, and the servers say of that another error than of a gap.
    for (const place of places) await own.manager.streams.deleteMessage('OBJ_cut-off-state', place);
    const { store } = await open(host, undefined, own);
    const sweeping = async () => (await objectsOf(own)).some((object) => object.name === name);
    for (let n = 0; n < 100 && (await sweeping()); n++) await sleep(50);
    t.strictSame(await objectsOf(own), []);
    await store.close();
  },
);

t.test('what a killed run has left is found by its name and its age, and removed', async (t) => {
  const streams = async () => {
    const names: string[] = [];
    for await (const name of await session.manager.streams.names()) names.push(name);
    return names.filter((name) => name.includes('run-'));
  };
  const url = (cluster: string) => parseClusterAddress(`${servers.url}/${cluster}?lease=1s`);
  const [left, alive, named] = ['run-0123456789ab', 'run-ba9876543210', 'run-of-a-person'];
  for (const cluster of [left, alive, named]) await (await openSession(url(cluster), 't')).close();
  t.strictSame(await dropLeftRuns(session), [], 'none is an hour old');
  const holder = await openSession(url(alive), 't');
  await holder.kv('hosts').put('a', 'alive');
  t.strictSame(await dropLeftRuns(session, 0), [left]);
  const expected = [alive, named].flatMap((cluster) => [
    `KV_${cluster}-hosts`,
    `KV_${cluster}-journal`,
    `KV_${cluster}-policies`,
    `OBJ_${cluster}-state`,
  ]);
  t.strictSame((await streams()).sort(), expected.sort());
  await dropCluster(holder);
  await holder.close();
  const last = await openSession(url(named), 't');
  await dropCluster(last);
  await last.close();
});

t.test(
  'objects that were replaced or deleted leave nothing in the store, not even a mark',
  async (t) => {
    const host = newHost();
    const messages = async () =>
      (await session.manager.streams.info('OBJ_lab-state')).state.messages;
    const before = await messages();
    const { store } = await open(host);
    for (let n = 0; n < 40; n++) await store.write([put('saved/vm/nic', n), put(`saved/${n}`, n)]);
    await store.write(Array.from({ length: 40 }, (_, n) => del(`saved/${n}`)));
    await store.write([del('saved/vm/nic')]);
    await store.close();
    t.equal(await messages(), before);
  },
);

t.test('of commits at once by many openings, none that was acknowledged is lost', async (t) => {
  const host = newHost();
  const acknowledged: string[] = [];
  const epochs: number[] = [];
  for (let round = 0; round < 6; round++) {
    // Each opens while the one before writes as fast as it can, over connections of their own.
    const sessions = await Promise.all([1, 2].map(() => openSession(session.address, 'racer')));
    await Promise.all(
      sessions.map(async (own, i) => {
        const opened: OpenedStore = await open(host, undefined, own);
        epochs.push(opened.epoch);
        for (let n = 0; n < 60; n++) {
          const key = `r/${round}/${i}/${n}`;
          try {
            await opened.store.write([put(key, n), put('last', key)]);
            acknowledged.push(key);
          } catch (cause) {
            assert.equal((cause as ExtSwitchError).code, 'LEASE_LOST');
            break;
          }
        }
        await opened.store.close();
      }),
    );
    for (const own of sessions) await own.close();
  }
  t.equal(new Set(epochs).size, epochs.length, 'each epoch is one process');
  const { store } = await open(host);
  t.ok(acknowledged.length > 60, `${acknowledged.length} writes were acknowledged`);
  for (const key of acknowledged) {
    if (store.get(key) === undefined) t.fail(`${key} was acknowledged and is not there`);
  }
  await store.close();
});

t.test('a record that a fenced process still had on the way is refused', async (t) => {
  const host = newHost();
  const zombie = await open(host);
  await zombie.store.write([put('a', 'old')]);
  const revision = await hasRecord(host, 'a');
  const next = await open(host);
  await next.store.write([put('a', 'new')]);
  await next.store.close();
  const publisher = new AckedPublisher(session.connection);
  t.teardown(() => publisher.close());
  const data = encodeMessage(zombie.epoch, 99, { sealed: encodeRecord('a', 'late') });
  const subject = recordSubject(host, 'a');
  const answer = await publisher.publish({ subject, data, expected: revision }, 2_000);
  // JetStream API error 10071: wrong last sequence.
  t.match(answer, { kind: 'refused', code: 10071 });
  const after = await open(host);
  t.strictSame(entries(after.store), [['a', 'new']]);
  await after.store.close();
});

t.test('a record that came in the moment of the replay is put right', async (t) => {
  const host = newHost();
  const { store, epoch } = await open(host);
  await store.write([put('a', 'committed')]);
  const revision = await hasRecord(host, 'a');
  // As a crash leaves it: in the journal, and no record.
  await session.manager.streams.deleteMessage(policies, revision, false);
  const next = await open(host);
  t.equal(next.store.get('a'), 'committed', 'read from the journal');
  // Both were ordered, this one last: what nats-server 2.9 lets through of two at once.
  const publisher = new AckedPublisher(session.connection);
  t.teardown(() => publisher.close());
  const data = encodeMessage(epoch, 1, { sealed: encodeRecord('a', 'stale') });
  await publisher.publish({ subject: recordSubject(host, 'a'), data }, 2_000);
  await sleep(1_000);
  await next.store.close();
  const after = await open(host);
  t.equal(after.store.get('a'), 'committed');
  await Promise.all([after.store.close(), store.close()]);
});

t.test('of two first messages of a subject at once exactly one is stored', async (t) => {
  // What the journal stands on; with the revision of a last message, both are (nats-server 2.9, three replicas).
  const publishers = [0, 1, 2].map(() => new AckedPublisher(session.connection));
  t.teardown(() => {
    for (const publisher of publishers) publisher.close();
  });
  const data = new Uint8Array(1);
  for (let n = 0; n < 100; n++) {
    const subject = recordSubject('nobody', `n${n}`);
    const answers = await Promise.all(
      publishers.flatMap((publisher) =>
        [1, 2, 3].map(() => publisher.publish({ subject, data, expected: 0 }, 5_000)),
      ),
    );
    const stored = answers.filter(({ kind }) => kind === 'stored');
    if (stored.length !== 1) t.fail(`${stored.length} of ${answers.length} were stored`);
  }
});

t.test(
  'run-time data, large values and large commits come back, and their objects go',
  async (t) => {
    const host = newHost();
    const names = async () =>
      (await objectsOf(session)).filter(
        ({ name, deleted }) => !deleted && name.startsWith(`${host}/`),
      );
    const { store } = await open(host);
    const large = new Uint8Array(3_000_000).map((_, i) => i % 251);
    const many = Array.from({ length: 40 }, (_, i) => put(`many/${i}`, large.subarray(0, 60_000)));
    await store.write([put('saved/vm/nic', { records: ['x'] }), put('large', large)]);
    await store.write(many);
    await store.write([put('small', 1)]);
    await store.close();
    const objects = await names();
    t.ok(objects.length >= 2, `${objects.length} objects`);

    const again = await open(host);
    assert.deepStrictEqual(again.store.get('saved/vm/nic'), { records: ['x'] });
    assert.deepStrictEqual(again.store.get('large'), large);
    t.equal([...again.store.range('many/')].length, 40);
    assert.deepStrictEqual(again.store.get('many/39'), large.subarray(0, 60_000));
    await again.store.write([put('saved/vm/nic', { records: ['y'] })]);
    await again.store.write([del('saved/vm/nic'), put('large', 'small now')]);
    await again.store.write([put('small', 2)]);
    await again.store.close();
    const last = await open(host);
    t.equal(last.store.get('large'), 'small now');
    t.equal(last.store.get('saved/vm/nic'), undefined);
    await last.store.write([put('small', 3)]);
    await sleep(300);
    await last.store.close();
    t.strictSame(
      (await names()).map(({ name }) => name),
      [],
      'no object is left',
    );
  },
);

t.test('a journal keeps what the records lack and little more', async (t) => {
  const host = newHost();
  const { store } = await open(host);
  for (let n = 0; n < 200; n++) await store.write([put(`k/${n % 10}`, n)]);
  await store.close();
  let count = 0;
  for await (const key of await session.kv('journal').keys(`${host}.>`))
    count += key === '' ? 0 : 1;
  t.ok(count <= 20, `${count} entries`);
  const again = await open(host);
  t.equal(again.store.get('k/9'), 199);
  await again.store.close();
  t.ok((await registeredHosts(session)).has(host));
});

t.test('10,000 records are open soon', async (t) => {
  const host = newHost();
  const { store } = await open(host);
  const value = { name: 'x'.repeat(200) };
  for (let n = 0; n < 10; n++) {
    await store.write(Array.from({ length: 1_000 }, (_, i) => put(`p/${n}/${i}`, value)));
  }
  await store.close();
  const start = performance.now();
  const again = await open(host);
  t.comment(`10,000 records opened in ${Math.round(performance.now() - start)} ms`);
  t.equal([...again.store.range('p/')].length, 10_000);
  await again.store.close();
});

t.test('host names, and clusters side by side', async (t) => {
  for (const host of ['', 'a.b', 'a b', '*', '>', 'x'.repeat(64)]) {
    await t.rejects(open(host), { code: 'INVALID_ARGUMENT', message: /name of the host/ }, host);
  }
  const address = parseClusterAddress(`${servers.url}/other`);
  const other: ClusterSession = await openSession(address, 'store.test');
  const here = await open('same');
  const there = await open('same', undefined, other);
  await here.store.write([put('a', 'here')]);
  await there.store.write([put('a', 'there')]);
  t.equal(here.store.get('a'), 'here');
  t.equal(there.store.get('a'), 'there');
  await Promise.all([here.store.close(), there.store.close()]);
  await dropCluster(other);
  await dropCluster(other);
  await other.close();
  const streams: string[] = [];
  for await (const { config } of session.manager.streams.list()) streams.push(config.name);
  t.strictSame(
    streams.filter((name) => name.includes('other')),
    [],
  );
  t.ok(streams.includes('KV_lab-journal'));
});
