import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { MigrationInfo, MigrationPeer } from '../../src/policy/migration-api.ts';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { having } from '../policy/migration-fault-world.ts';
import { runningVm } from '../policy/migration-world.ts';
import { first } from '../policy/vm-world.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import '../support/uncovered-children.ts';
import {
  type ClusterHost,
  hasVm,
  leftovers,
  migrateTo,
  openMember,
  reopen,
  sees,
  until,
} from './host-world.ts';

const missing = natsServerMissing();
// Most of it is waiting: side by side, each on a cluster of its own, on whatever machine.
t.setTimeout(240_000);
t.jobs = 6;
// A new one for each: tap writes what it knows of a test into it, and prints the one for the other where they share it.
const options = () => ({ skip: missing, buffered: true });

let servers: NatsServers;
let clusters = 0;

t.before(async () => {
  if (missing === false) servers = await startNatsServers({ count: 3 });
});
t.teardown(() => servers?.stop());

/** A cluster of its own. No lease runs out by itself on a busy machine. */
const newCluster = (lease = '15s'): string => {
  clusters += 1;
  return `${servers.url}/m${clusters}?lease=${lease}&writeTimeout=5s`;
};

interface Pair {
  readonly url: string;
  a: ClusterHost;
  b: ClusterHost;
}

async function openPair(): Promise<Pair> {
  const url = newCluster();
  const [a, b] = await Promise.all([openMember(url, 'a'), openMember(url, 'b')]);
  await sees(a, 'b');
  await sees(b, 'a');
  return { url, a, b };
}

async function close({ a, b }: Pick<Pair, 'a' | 'b'>): Promise<void> {
  await Promise.all([a.fabric.close(), b.fabric.close()]);
}

/** Run-time data is in the process of a host, but for the time between save and restore. */
const withoutData = (text: string): string => text.replace(/"data":\[[^}]*\]\}/g, '"data":0}');

t.test(
  'a running VM goes to and fro over NATS with its policies and run-time data (S11, S12, G39, G40)',
  options(),
  async (t) => {
    const pair = await openPair();
    const { a, b } = pair;
    await runningVm(a);
    const before = having(a);
    for (let round = 0; round < 3; round += 1) {
      const there = await migrateTo(a, 'b', 'vm');
      t.match(there, { state: 'succeeded', restore: { restored: 2, unowned: [] } });
      t.equal(having(b), before, `round ${round}, there`);
      t.strictSame(leftovers(a), []);
      const back = await migrateTo(b, 'a', 'vm');
      t.match(back, { state: 'succeeded', restore: { restored: 2, unowned: [] } });
      t.equal(having(a), before, `round ${round}, back`);
      t.strictSame(leftovers(b), []);
    }
    for (const state of ['paused', 'saved', 'off'] as const) {
      const vm = a.fabric.vms.get('vm');
      if (state === 'paused') await vm.pause();
      if (state === 'saved') await vm.save();
      if (state === 'off') await vm.stop();
      const was = having(a);
      t.match(await migrateTo(a, 'b', 'vm'), { state: 'succeeded' });
      t.equal(b.fabric.vms.get('vm').info.state, state);
      t.equal(having(b), was, state);
      t.match(await migrateTo(b, 'a', 'vm'), { state: 'succeeded' });
      t.equal(having(a), was, `${state}, back`);
      if (state === 'saved') await a.fabric.vms.get('vm').restore();
    }
    await close(pair);
  },
);

t.test(
  'a dry run, a report and a migration that cannot be change nothing on either host',
  options(),
  async (t) => {
    const pair = await openPair();
    const { a, b } = pair;
    await runningVm(a);
    const before = having(a);
    const destination = { host: 'b' };
    const dry = await a.fabric.migrations.start({ vm: 'vm', destination, dryRun: true });
    t.match(dry, { state: 'succeeded', dryRun: true, report: { ok: true } });
    t.match(await a.fabric.migrations.compare({ vm: 'vm', destination }), { ok: true });
    const wrong = { host: 'b', switch: 'nowhere' };
    t.match(await a.fabric.migrations.compare({ vm: 'vm', destination: wrong }), {
      ok: false,
      problems: [{ code: 'SWITCH_MISSING', severity: 'error' }],
    });
    const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: wrong });
    t.match(await a.fabric.migrations.done(id), {
      state: 'failed',
      error: { code: 'INCOMPATIBLE', message: /cannot run on host "b".*nowhere/ },
    });
    await b.fabric.vms.create({ name: 'vm', adapters: [] });
    t.match(await migrateTo(a, 'b', 'vm'), {
      state: 'failed',
      report: { ok: false, problems: [{ code: 'NAME_TAKEN' }] },
    });
    await b.fabric.vms.get('vm').delete();
    t.equal(having(a), before);
    t.strictSame(leftovers(b), []);
    await t.rejects(a.fabric.migrations.start({ vm: 'vm', destination: { host: 'c' } }), {
      code: 'NOT_FOUND',
      message: /host "c"/,
    });
    await close(pair);
  },
);

t.test(
  'five megabytes of run-time data arrive whole, through the object store',
  options(),
  async (t) => {
    const pair = await openPair();
    const { a, b } = pair;
    const vm = await runningVm(a);
    const large = new Uint8Array(5 * 1024 * 1024).map((_, at) => (at * 7 + (at >> 11)) % 256);
    a.keeper.held.set(first(vm).port.info.portId, [large, Uint8Array.of(9)]);
    t.match(await migrateTo(a, 'b', 'vm'), { state: 'succeeded', restore: { restored: 2 } });
    const held = b.keeper.held.get(first(b.fabric.vms.get('vm')).port.info.portId) ?? [];
    t.equal(held.length, 2);
    t.ok(Buffer.from(held[0] ?? []).equals(large));
    t.strictSame([...(held[1] ?? [])], [9]);
    await b.fabric.vms.get('vm').save();
    await b.fabric.close();
    pair.b = await reopen(pair.url, 'b');
    await sees(pair.b, 'a');
    t.match(await migrateTo(pair.b, 'a', 'vm'), { state: 'succeeded' });
    t.match(await a.fabric.vms.get('vm').restore(), { restored: 2, unowned: [] });
    const back = a.keeper.held.get(first(a.fabric.vms.get('vm')).port.info.portId) ?? [];
    t.ok(Buffer.from(back[0] ?? []).equals(large));
    await close(pair);
  },
);

const CALLS: readonly (keyof MigrationPeer)[] = ['prepare', 'take', 'forget'];

for (const side of ['b', 'a'] as const) {
  t.test(
    `${side === 'b' ? 'the destination' : 'the source'} closes before and after each message and opens again: one owner with everything (design.md 7, G39)`,
    options(),
    async (t) => {
      const pair = await openPair();
      for (const call of CALLS) {
        for (const moment of ['before', 'after'] as const) {
          const what = `${call} ${moment}`;
          const name = `vm-${call}-${moment}`;
          await runningVm(pair.a, name);
          const before = withoutData(having(pair.a, name));
          const info = await interrupted(pair, side, call, moment, name);
          const isA = hasVm(pair.a, name);
          t.equal(hasVm(pair.b, name), !isA, `${what}: one owner`);
          const [owner, other] = isA ? [pair.a, pair.b] : [pair.b, pair.a];
          t.equal(withoutData(having(owner, name)), before, `${what}: with everything`);
          t.strictSame(leftovers(other), [], `${what}: nothing on the other`);
          t.equal(info.state, isA ? 'failed' : 'succeeded', what);
          const isTaken = call === 'forget' || (call === 'take' && moment === 'after');
          if (isTaken) t.notOk(isA, `${what}: what was taken stays taken`);
          // Not stuck: it goes where it is not.
          const next = await migrateTo(owner, isA ? 'b' : 'a', name);
          t.match(next, { state: 'succeeded' }, `${what}: it can migrate`);
          t.equal(withoutData(having(other, name)), before, `${what}: and back`);
          const vm = other.fabric.vms.get(name);
          await vm.stop();
          await vm.delete();
        }
      }
      await close(pair);
    },
  );
}

/** A migration from `a` to `b`, one of which closes at this message and opens again at once. */
async function interrupted(
  pair: Pair,
  side: 'a' | 'b',
  call: keyof MigrationPeer,
  moment: 'before' | 'after',
  vm: string,
): Promise<MigrationInfo> {
  const { a, url } = pair;
  let reopened: Promise<ClusterHost> | undefined;
  a.hooks.hook = async (what, when) => {
    if (what !== call || when !== moment || reopened !== undefined) return;
    reopened = (async () => {
      await pair[side].fabric.close();
      return reopen(url, side);
    })();
    if (side === 'b') await pair.b.fabric.close();
    // The process that asked is no more: nothing comes of the answer.
    else throw new Error('closed');
  };
  const { id } = await a.fabric.migrations.start({ vm, destination: { host: 'b' } });
  await until('closed', () => reopened !== undefined);
  pair[side] = (await reopened) as ClusterHost;
  a.hooks.hook = undefined;
  await Promise.all([sees(pair.a, 'b'), sees(pair.b, 'a')]);
  return pair.a.fabric.migrations.done(id);
}

for (const [side, cut] of [
  ['b', 'stall'],
  ['b', 'refuse'],
  ['a', 'stall'],
  ['a', 'refuse'],
] as const) {
  t.test(
    `${side === 'b' ? 'the destination' : 'the source'} is cut off (${cut}) while the VM is taken: nobody guesses, and when it is heard again one has it (design.md 7, G39)`,
    options(),
    async (t) => {
      const url = newCluster('4s');
      const proxies = await Promise.all(servers.servers.map(({ port }) => TcpProxy.open(port)));
      const through = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
      const behind = url.replace(/^nats:\/\/[^/]*/, `nats://${through}`);
      const open = (name: string) => openMember(name === side ? behind : url, name);
      const [a, b] = await Promise.all([open('a'), open('b')]);
      await Promise.all([sees(a, 'b'), sees(b, 'a')]);
      const vm = await runningVm(a);
      const before = having(a);
      let isCut = false;
      b.keeper.decide = (oid) => {
        if (oid !== 'NIC_CREATE' || isCut) return undefined;
        isCut = true;
        for (const proxy of proxies) proxy.cut(cut);
        return undefined;
      };
      const { migrations } = a.fabric;
      const { id } = await migrations.start({ vm: 'vm', destination: { host: 'b' } });
      if (side === 'b') {
        // The take got no answer; from then on the other host is waited for.
        await until('no answer', () =>
          migrations.get(id).steps.some((one) => one.state === 'failed'),
        );
        await sleep(500);
        t.equal(migrations.get(id).state, 'running', 'undecided');
        await t.rejects(vm.pause(), {
          code: 'ILLEGAL_TRANSITION',
          message: /host "b" does not answer/,
        });
      } else {
        // Who is cut off does not know any more what is so.
        await until('its lease has run out', () => a.fabric.cluster?.isHolding === false);
        t.throws(() => migrations.get(id), { code: 'LEASE_LOST' });
      }
      for (const proxy of proxies) proxy.heal();
      const end = await migrations.done(id);
      await until('both are hosts', () => [a, b].every((one) => one.fabric.cluster?.isHolding));
      const isA = hasVm(a, 'vm');
      const [owner, other] = isA ? [a, b] : [b, a];
      t.equal(hasVm(b, 'vm'), !isA, 'one owner');
      t.equal(end.state, isA ? 'failed' : 'succeeded');
      t.equal(having(owner), before, 'with everything');
      t.strictSame(leftovers(other), [], 'nothing on the other');
      t.notOk(a.fabric.cluster?.lost.aborted || b.fabric.cluster?.lost.aborted);
      await Promise.all([sees(a, 'b'), sees(b, 'a')]);
      t.match(await migrateTo(owner, isA ? 'b' : 'a', 'vm'), { state: 'succeeded' });
      t.equal(having(other), before, 'it can migrate');
      await Promise.all([a.fabric.close(), b.fabric.close()]);
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  );
}

for (const call of ['prepare', 'take'] as const) {
  t.test(
    `${call} gets no answer in time while the destination is still at it: asked again, it says what came of it (design.md 7, G36, G40)`,
    options(),
    async (t) => {
      const url = newCluster();
      const [a, b] = await Promise.all([openMember(url, 'a'), openMember(url, 'b')]);
      await Promise.all([sees(a, 'b'), sees(b, 'a')]);
      await runningVm(a);
      const before = having(a);
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isHeld = false;
      b.keeper.decide = (oid) => {
        if (isHeld || oid !== (call === 'take' ? 'NIC_CREATE' : 'PORT_PROPERTY_ADD')) return;
        isHeld = true;
        return held.then(() => 'forward' as const);
      };
      // The message is on its way; nobody waits for what comes of it any more.
      a.hooks.isLate = (what) => what === call;
      const { migrations } = a.fabric;
      const { id } = await migrations.start({ vm: 'vm', destination: { host: 'b' } });
      await until('no answer', () =>
        migrations.get(id).steps.some((one) => one.state === 'failed'),
      );
      await until('held', () => isHeld);
      await sleep(500);
      t.equal(migrations.get(id).state, 'running');
      if (call === 'prepare') t.equal(having(a), before, 'the VM runs here meanwhile');
      release();
      const end = await migrations.done(id);
      const [owner, other] = call === 'prepare' ? [a, b] : [b, a];
      t.match(end, {
        state: call === 'prepare' ? 'failed' : 'succeeded',
        ...(call === 'prepare' ? {} : { restore: { restored: 2 } }),
      });
      t.equal(having(owner), before, 'with everything');
      t.strictSame(leftovers(other), [], 'nothing on the other');
      await Promise.all([a.fabric.close(), b.fabric.close()]);
    },
  );
}

t.test(
  'a host that does not come back is waited for; resume asks at once when it is there (design.md 7)',
  options(),
  async (t) => {
    const url = newCluster();
    let [a, b] = await Promise.all([openMember(url, 'a'), openMember(url, 'b')]);
    await Promise.all([sees(a, 'b'), sees(b, 'a')]);
    await runningVm(a);
    const before = having(a);
    a.hooks.hook = async (what, when) => {
      if (what === 'take' && when === 'before') await b.fabric.close();
    };
    const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
    await until('no answer', () =>
      a.fabric.migrations.get(id).steps.some((one) => one.state === 'failed'),
    );
    t.match(await a.fabric.migrations.resume(id), { state: 'running' });
    // Nor does a restart of the source decide by itself.
    await a.fabric.close();
    a = await openMember(url, 'a');
    t.match(await a.fabric.migrations.resume(id), { state: 'running' });
    await t.rejects(a.fabric.vms.get('vm').stop(), {
      code: 'ILLEGAL_TRANSITION',
      message: /host "b"/,
    });
    b = await openMember(url, 'b');
    await sees(a, 'b');
    t.match(await a.fabric.migrations.resume(id), { state: 'failed' });
    t.equal(having(a), before, 'with everything, its run-time data too');
    t.strictSame(leftovers(b), []);
    await Promise.all([a.fabric.close(), b.fabric.close()]);
  },
);

t.test(
  'a host that is cut off closes all the same, and its lease runs out',
  options(),
  async (t) => {
    const url = newCluster('2s');
    const proxies = await Promise.all(servers.servers.map(({ port }) => TcpProxy.open(port)));
    const through = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const a = await openMember(url.replace(/^nats:\/\/[^/]*/, `nats://${through}`), 'a');
    const b = await openMember(url, 'b');
    await sees(b, 'a');
    for (const proxy of proxies) proxy.cut('stall');
    const begun = performance.now();
    await a.fabric.close();
    t.ok(performance.now() - begun < 20_000, `${Math.round(performance.now() - begun)} ms`);
    await until('silent', () => b.fabric.cluster?.members()[0]?.state === 'silent');
    await b.fabric.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  },
);
