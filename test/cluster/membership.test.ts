import { setTimeout as sleep } from 'node:timers/promises';
import type { KV } from '@nats-io/kv';
import t from 'tap';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { Lease } from '../../src/cluster/lease.ts';
import { encodeMember, type MemberRecord } from '../../src/cluster/member-record.ts';
import { Membership } from '../../src/cluster/membership.ts';
import { type ClusterSession, openSession } from '../../src/cluster/session.ts';
import type { ExtSwitchError } from '../../src/core/errors.ts';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';

const missing = natsServerMissing();
const LEASE_MS = 1000;
const options = { skip: missing };

let servers: NatsServers;
let session: ClusterSession;
let bucket: KV;

t.before(async () => {
  if (missing !== false) return;
  servers = await startNatsServers({ count: 1 });
  session = await openSession(parseClusterAddress(`${servers.url}/lab?lease=1s`), 'test');
  bucket = session.kv('hosts');
});
t.teardown(async () => {
  await session?.close();
  await servers?.stop();
});

const record = (incarnation: string, more: Partial<MemberRecord> = {}): MemberRecord => ({
  incarnation,
  epoch: 1,
  profile: 'ws2022',
  version: '0.1.0',
  since: '2026-01-02T03:04:05.000Z',
  isOpen: false,
  ...more,
});

interface Told {
  readonly level: string;
  readonly message: string;
}

async function acquire(
  host: string,
  incarnation: string,
  told: Told[] = [],
  more: Partial<MemberRecord> = {},
): Promise<Lease> {
  return Lease.acquire({
    bucket,
    host,
    leaseMs: LEASE_MS,
    record: record(incarnation, more),
    log: (level, message) => told.push({ level, message }),
  });
}

async function until(what: string, isSo: () => unknown, timeoutMs = 10_000): Promise<void> {
  const begun = performance.now();
  while (!isSo()) {
    if (performance.now() - begun > timeoutMs) throw new Error(`not in time: ${what}`);
    await sleep(10);
  }
}

const reasonOf = (lease: Lease): ExtSwitchError => lease.lost.reason as ExtSwitchError;

t.test('a lease is kept by heartbeats and handed back at close', options, async (t) => {
  const lease = await acquire('kept', 'one');
  for (let turn = 0; turn < 25; turn += 1) {
    await sleep(100);
    t.ok(lease.isHolding, `after ${turn * 100} ms`);
    const entry = await bucket.get('kept');
    t.equal(entry?.json<MemberRecord>().incarnation, 'one');
  }
  await lease.say({ url: 'http://127.0.0.1:1234' });
  t.equal((await bucket.get('kept'))?.json<MemberRecord>().url, 'http://127.0.0.1:1234');
  await lease.close();
  await lease.close();
  t.equal(lease.isHolding, false);
  t.equal(lease.lost.aborted, false, 'closed is not lost');
  t.equal((await bucket.get('kept'))?.operation, 'DEL');
});

t.test(
  'a second process of the same name waits for the first to close, and says whom it waits for',
  options,
  async (t) => {
    const first = await acquire('twice', 'one', [], { url: 'http://10.0.0.1:8080', epoch: 4 });
    const told: Told[] = [];
    const waiting = acquire('twice', 'two', told);
    await sleep(600);
    t.strictSame(
      told.map(({ level }) => level),
      ['warn'],
    );
    t.match(
      told[0]?.message,
      /host "twice" is held by another process at http:\/\/10\.0\.0\.1:8080/,
    );
    t.match(told[0]?.message, /epoch 4, incarnation one.*2 s at most/);
    const begun = performance.now();
    await first.close();
    const second = await waiting;
    t.ok(performance.now() - begun < 700, 'at once, not when the lease would have ended');
    t.ok(second.isHolding);
    await second.close();
  },
);

t.test(
  'a second process gives up after twice the lease while the first lives',
  options,
  async (t) => {
    const first = await acquire('busy', 'one', [], { url: 'http://10.0.0.1:8080' });
    const begun = performance.now();
    await t.rejects(acquire('busy', 'two'), {
      code: 'LEASE_LOST',
      message: /host "busy" is held by another process at http:\/\/10\.0\.0\.1:8080.*another name/,
      place: { member: 'name', found: 'busy' },
    });
    const waited = performance.now() - begun;
    t.ok(waited >= 2 * LEASE_MS && waited < 3 * LEASE_MS, `${waited} ms`);
    t.ok(first.isHolding);
    await first.close();
  },
);

t.test(
  'the lease of a process that was killed ends by itself, and another has it',
  options,
  async (t) => {
    await bucket.put('dead', encodeMember(record('killed')));
    const lease = await acquire('dead', 'next');
    t.ok(lease.isHolding);
    await lease.close();
  },
);

t.test('a key that is no record of a host is named as such', options, async (t) => {
  await bucket.put('foreign', 'something else');
  const keep = setInterval(() => void bucket.put('foreign', 'something else'), 300);
  await t.rejects(acquire('foreign', 'one'), {
    code: 'LEASE_LOST',
    message: /lease of host "foreign" is held by what is no host of extswitch/,
  });
  clearInterval(keep);
});

t.test(
  'whoever finds the lease in other hands is lost, for ever, and takes nothing from them',
  options,
  async (t) => {
    const told: Told[] = [];
    const lease = await acquire('fenced', 'one', told);
    await bucket.put('fenced', encodeMember(record('other', { epoch: 2, url: 'http://o:1' })));
    await until('lost', () => lease.lost.aborted);
    t.match(reasonOf(lease), {
      code: 'LEASE_LOST',
      message:
        /host "fenced" is held by another process at http:\/\/o:1 .*epoch 2, incarnation other/,
    });
    t.ok(told.some(({ level }) => level === 'error'));
    t.equal(lease.isHolding, false);
    await lease.close();
    t.equal((await bucket.get('fenced'))?.json<MemberRecord>().incarnation, 'other');
  },
);

t.test(
  'a lease that ran out is had again by the same process, unless another was the host meanwhile',
  options,
  async (t) => {
    for (const isStill of [true, false]) {
      const lease = await acquire(`again-${isStill}`, 'one');
      let asked = 0;
      lease.isStillHost = async () => {
        asked += 1;
        return isStill;
      };
      // As if it had run out, or another had held it and closed.
      await bucket.delete(`again-${isStill}`);
      await until('asked', () => asked > 0);
      await lease.say({});
      t.equal(lease.isHolding, isStill);
      t.equal(lease.lost.aborted, !isStill);
      if (isStill) {
        t.equal((await bucket.get('again-true'))?.json<MemberRecord>().incarnation, 'one');
      } else
        t.match(reasonOf(lease), { code: 'LEASE_LOST', message: /has been host "again-false"/ });
      await lease.close();
    }
  },
);

t.test(
  'a lease that ran out holds nothing until it is known that no other was the host meanwhile',
  options,
  async (t) => {
    const lease = await acquire('doubt', 'one');
    const answers: (Error | boolean)[] = [new Error('no server answers'), false];
    let holdsBetween = false;
    lease.isStillHost = async () => {
      const answer = answers.shift() ?? true;
      if (typeof answer === 'boolean') return answer;
      throw answer;
    };
    await sleep(100);
    await bucket.delete('doubt');
    await until('it has run out', () => answers.length < 2);
    const begun = performance.now();
    while (!lease.lost.aborted && performance.now() - begun < 3 * LEASE_MS) {
      if (performance.now() - begun > LEASE_MS) holdsBetween ||= lease.isHolding;
      await sleep(10);
    }
    t.equal(holdsBetween, false);
    t.match(reasonOf(lease), { code: 'LEASE_LOST', message: /has been host "doubt"/ });
    t.equal((await bucket.get('doubt'))?.operation, 'DEL', 'another need not wait');
    await lease.close();
  },
);

t.test(
  'members are alive, silent after the lease, left at once; once known they stay known',
  { skip: missing },
  async (t) => {
    // What the tests before have left runs out first.
    await sleep(1.5 * LEASE_MS);
    const members = await Membership.watch({
      bucket,
      host: 'm-self',
      leaseMs: LEASE_MS,
      log: () => undefined,
    });
    let changes = 0;
    members.subscribe(() => {
      changes += 1;
      throw new Error('a listener that fails');
    });
    const end = members.subscribe(() => (changes += 100));
    const stateOf = (host: string) => members.list().find((one) => one.host === host)?.state;
    const self = await acquire('m-self', 'self');
    const other = await acquire('m-b', 'b', [], { epoch: 3, isOpen: true });
    await until('both', () => stateOf('m-self') === 'alive' && stateOf('m-b') === 'alive');
    t.ok(changes >= 202, 'all listeners, whatever one does');
    end();
    const own = members.list().filter(({ host }) => host.startsWith('m-'));
    t.match(own, [
      { host: 'm-b', epoch: 3, state: 'alive', isSelf: false, profile: 'ws2022', version: '0.1.0' },
      { host: 'm-self', epoch: 1, state: 'alive', isSelf: true },
    ]);
    t.same([...members.open()], [['m-b', 3]], 'where VMs can go');
    const before = changes;
    await sleep(1500);
    t.equal(changes, before, 'heartbeats are no news');
    await other.close();
    await until('left', () => stateOf('m-b') === 'left', LEASE_MS / 2);
    t.same([...members.open()], []);
    await bucket.put('m-c', encodeMember(record('c', { url: 'http://c:1' })));
    await until('c', () => stateOf('m-c') === 'alive');
    t.equal(members.alive('m-c')?.url, 'http://c:1');
    await until('silent', () => stateOf('m-c') === 'silent', 2 * LEASE_MS);
    t.equal(members.alive('m-c'), undefined);
    t.equal(stateOf('m-b'), 'left');
    await bucket.put('m-d', 'no record');
    members.remember('m-old');
    members.remember('m-c');
    t.equal(stateOf('m-old'), 'silent');
    t.equal(stateOf('m-d'), undefined);
    t.strictSame(
      members.others().filter((host) => host.startsWith('m-')),
      [],
    );
    const again = await acquire('m-b', 'b2', [], { epoch: 4 });
    await until('back', () => members.alive('m-b')?.epoch === 4);
    members.close();
    await again.close();
    await self.close();
  },
);

t.test(
  'a watch that tells of nothing, not even the own renewals, is begun anew: a host that comes is seen',
  { skip: missing },
  async (t) => {
    let watches = 0;
    let stop = (): void => undefined;
    const stopped = new Promise<{ done: true; value: undefined }>((resolve) => {
      stop = () => resolve({ done: true, value: undefined });
    });
    const deaf = { [Symbol.asyncIterator]: () => ({ next: () => stopped }), stop };
    const members = await Membership.watch({
      bucket: {
        get: (key) => bucket.get(key),
        watch: async () => {
          watches += 1;
          return watches === 1 ? deaf : bucket.watch();
        },
      },
      host: 'm-alone',
      leaseMs: LEASE_MS,
      log: () => undefined,
    });
    const renewals = setInterval(() => members.renewed(record('alone')), LEASE_MS / 3);
    await sleep(0.75 * LEASE_MS);
    t.equal(watches, 1, 'a lease has not passed yet');
    const late = await acquire('m-late', 'late');
    await until('seen', () => members.alive('m-late') !== undefined);
    t.equal(watches, 2);
    clearInterval(renewals);
    members.close();
    await late.close();
  },
);

t.test(
  'while the servers are gone a host holds nothing; when they are back it is host and hears the others again',
  { skip: missing },
  async (t) => {
    const told: Told[] = [];
    const lease = await acquire('out', 'one', told);
    const members = await Membership.watch({
      bucket,
      host: 'watcher',
      leaseMs: LEASE_MS,
      log: () => undefined,
    });
    const [server] = servers.servers;
    await server?.kill();
    const gone = performance.now();
    await until('not holding', () => !lease.isHolding);
    t.ok(performance.now() - gone <= LEASE_MS + 100, 'by its own clock');
    await until('silent', () => members.alive('out') === undefined, 3 * LEASE_MS);
    await sleep(LEASE_MS);
    await server?.start();
    await until('holding', () => lease.isHolding, 20_000);
    t.equal(lease.lost.aborted, false);
    t.equal((await bucket.get('out'))?.json<MemberRecord>().incarnation, 'one');
    await until('alive', () => members.alive('out') !== undefined, 20_000);
    t.strictSame(
      told.map(({ level }) => level),
      ['warn', 'info'],
    );
    members.close();
    await lease.close();
  },
);
