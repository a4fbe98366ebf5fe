import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { having } from '../policy/migration-fault-world.ts';
import { runningVm } from '../policy/migration-world.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import '../support/uncovered-children.ts';
import { hasVm, leftovers, migrateTo, openMember, sees, until } from './host-world.ts';

const missing = natsServerMissing();

let servers: NatsServers;
let clusters = 0;

t.before(async () => {
  if (missing === false) servers = await startNatsServers({ count: 3 });
});
t.teardown(() => servers?.stop());

/** A cluster of its own. */
const newCluster = (): string => {
  clusters += 1;
  return `${servers.url}/cut${clusters}?lease=2s&writeTimeout=5s`;
};

for (const [side, cut] of [
  ['b', 'stall'],
  ['b', 'refuse'],
  ['a', 'stall'],
  ['a', 'refuse'],
] as const) {
  t.test(
    `${side === 'b' ? 'the destination' : 'the source'} is cut off (${cut}) while the VM is taken: nobody guesses, and when it is heard again one has it (design.md 7, G39)`,
    { skip: missing },
    async (t) => {
      const url = newCluster();
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
    { skip: missing },
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
  { skip: missing },
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
  { skip: missing },
  async (t) => {
    const url = newCluster();
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
