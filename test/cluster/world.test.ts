import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { openCluster } from '../../src/cluster/open-cluster.ts';
import { openSession } from '../../src/cluster/session.ts';
import type { ExtSwitchError } from '../../src/core/errors.ts';
import { CombinedHosts } from '../../src/policy/combined-hosts.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { MigrationPeer } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import {
  type NatsServer,
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { having } from '../policy/migration-fault-world.ts';
import { openHost, PORT_SETTING, runningVm } from '../policy/migration-world.ts';
import { contents, first, visible } from '../policy/vm-world.ts';
import { FABRIKAM } from '../support/fabrikam.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import '../support/uncovered-children.ts';
import { type ClusterHost, hasVm, migrateTo, openMember, sees, until } from './host-world.ts';
import { objectsOf } from './objects-of.ts';

const missing = natsServerMissing();

// Three servers, on whatever machine.
t.setTimeout(240_000);
// Most of it is waiting: for leases, and for what other hosts see.
t.jobs = 3;
// A new one for each: tap writes what it knows of a test into it.
const options = () => ({ skip: missing, buffered: true });

let servers: NatsServers;
let clusters = 0;

t.before(async () => {
  if (missing === false) servers = await startNatsServers({ count: 3 });
});
t.teardown(() => servers?.stop());

/** What the host has stored. */
const recordsOf = ({ cluster }: Fabric): string[] =>
  cluster === undefined ? ['no cluster'] : contents(cluster.store);

/** A cluster of its own. */
const newCluster = (): string => {
  clusters += 1;
  return `${servers.url}/w${clusters}?lease=1s&writeTimeout=3s`;
};

t.test(
  'a host that is opened again has its world as it was, and is the next epoch',
  options(),
  async (t) => {
    const url = newCluster();
    const a = await openMember(url, 'a');
    const vm = await runningVm(a);
    await a.fabric.vms.create({ name: 'second', adapters: [{ switch: 'S' }, {}] });
    await vm.save();
    const seen = visible(a.fabric);
    const kept = recordsOf(a.fabric);
    t.match(a.fabric.cluster, { name: 'w1', host: 'a', epoch: 1, isHolding: true });
    await a.fabric.close();
    t.equal(a.fabric.cluster?.isHolding, false);
    const again = await openMember(url, 'a', a.keeper);
    t.equal(visible(again.fabric), seen);
    t.strictSame(recordsOf(again.fabric), kept);
    t.equal(again.fabric.cluster?.epoch, 2);
    t.match(await again.fabric.vms.get('vm').restore(), { restored: 2 });
    t.strictSame(again.told, [], 'no warnings');
    await again.fabric.close();
    await again.fabric.close();
  },
);

t.test(
  'the hosts of a cluster see each other come, say where they listen, and go',
  options(),
  async (t) => {
    const url = newCluster();
    const [a, b] = await Promise.all([
      openCluster(url, { name: 'a', profile: 'ws2022' }),
      openMember(url, 'b'),
    ]);
    await until('b is open', () => a.hosts.peer('b') !== undefined);
    const there = b.fabric.cluster;
    if (there === undefined) throw new Error('no cluster');
    t.equal(there.hosts.peer('a'), undefined, 'no world is open there');
    t.equal(there.hosts.peer('b'), undefined, 'itself');
    let changes = 0;
    const end = a.subscribe(() => (changes += 1));
    await there.announce('http://10.0.0.2:8080');
    const seen = () => a.members().find(({ host }) => host === 'b');
    await until('the URL', () => seen()?.url === 'http://10.0.0.2:8080');
    t.ok(changes > 0);
    t.match(a.members(), [
      { host: 'a', epoch: 1, state: 'alive', isSelf: true, profile: 'ws2022', version: /^\d+\./ },
      { host: 'b', epoch: 1, state: 'alive', isSelf: false, since: /^\d{4}-\d\d-\d\dT.*Z$/ },
    ]);
    t.match(there.members(), [
      { host: 'a', isSelf: false },
      { host: 'b', isSelf: true },
    ]);
    a.serve('whoami', async (_body, from) => new TextEncoder().encode(`a, asked by ${from}`));
    const { answers, silent } = await there.askAll('whoami', new Uint8Array(0));
    t.strictSame(
      Array.from(answers, ([host, bytes]) => [host, new TextDecoder().decode(bytes)]),
      [['a', 'a, asked by b']],
    );
    t.strictSame(silent, []);
    end();
    await b.fabric.close();
    await until('b has left', () => seen()?.state === 'left');
    await t.rejects(a.ask('b', 'whoami', new Uint8Array(0)), { code: 'HOST_UNREACHABLE' });
    await a.close();
    await t.rejects(a.ask('b', 'whoami', new Uint8Array(0)), { code: 'SHUTTING_DOWN' });
    const later = await openCluster(url, { name: 'c', profile: 'ws2022' });
    const states = Object.fromEntries(later.members().map(({ host, state }) => [host, state]));
    t.match(states, { a: /^(left|silent)$/, b: /^(left|silent)$/, c: 'alive' }, 'hosts that were');
    await later.close();
  },
);

t.test(
  'a second world of the same name is refused while the first lives, and has everything when that closes',
  options(),
  async (t) => {
    const url = newCluster();
    const a = await openMember(url, 'a');
    await a.fabric.cluster?.announce('http://10.0.0.1:8080');
    const told: string[] = [];
    await t.rejects(
      Fabric.open({ store: url, name: 'a', log: (_level, message) => told.push(message) }),
      {
        code: 'LEASE_LOST',
        message: /host "a" is held by another process at http:\/\/10\.0\.0\.1:8080/,
      },
    );
    t.match(told, [/host "a" is held by another process.*waiting for it to end, 2 s at most/]);
    await a.fabric.switches.get('S').ports.create({ name: 'acknowledged' });
    const next = openMember(url, 'a');
    await sleep(300);
    await a.fabric.close();
    const { fabric } = await next;
    t.ok(fabric.switches.get('S').ports.get('acknowledged'));
    await fabric.close();
  },
);

/** Host `a` behind proxies. */
async function behindProxies(url: string): Promise<{ a: ClusterHost; proxies: TcpProxy[] }> {
  const proxies = await Promise.all(servers.servers.map(({ port }) => TcpProxy.open(port)));
  const through = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return { a: await openMember(url.replace(/^nats:\/\/[^/]*/, `nats://${through}`), 'a'), proxies };
}

t.test(
  'a world that is cut off answers nothing from memory; it is the host again when it is heard',
  options(),
  async (t) => {
    const { a, proxies } = await behindProxies(newCluster());
    const { fabric } = a;
    const vm = await runningVm(a);
    const sw = fabric.switches.get('S');
    const [adapter] = vm.adapters;
    const [port, properties, { vms }] = [adapter?.port, adapter?.properties, fabric];
    const made = await sw.ports.create({ name: 'by hand' });
    const { features, extensions, migrations } = fabric;
    const [ofSwitch, host, nics] = [sw.extensions, sw.host, port?.nics];
    const ended = migrations.list();
    const { id } = vm.info;
    for (const proxy of proxies) proxy.cut('stall');
    await until('the lease has run out', () => !fabric.cluster?.isHolding);
    const folder = t.testdir();
    for (const held of [
      () => vm.info,
      () => vm.adapters,
      () => adapter?.info,
      () => port?.info,
      () => [...(properties?.list() ?? [])],
      () => sw.info,
      () => [...sw.ports.list()],
      () => [...vms.list()],
      () => nics?.list(),
      () => made.nics.list(),
      () => ofSwitch.list(),
      () => ofSwitch.get(FABRIKAM),
      () => host.uplink,
      () => features.list(),
      () => features.get(PORT_SETTING),
      () => features.classOf(PORT_SETTING),
      () => extensions.list(),
      () => extensions.get(FABRIKAM),
      () => [...ended],
      () => [...migrations.arrivals()],
      () => migrations.get(id),
      () => migrations.kept(id),
      () => fabric.pending(),
      () => fabric.recording(),
    ]) {
      t.throws(held, { code: 'LEASE_LOST' }, `held from before: ${held}`);
    }
    const asked: readonly (Promise<unknown> | undefined)[] = [
      fabric.backup(`${folder}/backup`),
      sw.export(),
      sw.status('Fabrikam_CustomSwitchData'),
      vm.export(),
      vm.compare(),
      adapter?.status('Fabrikam_CustomPortData'),
      migrations.compare({ vm: 'vm', destination: { switch: 'S' } }),
    ];
    for (const answer of asked) {
      await t.rejects(answer ?? Promise.resolve(), { code: 'LEASE_LOST' });
    }
    for (const collection of ['vms', 'switches', 'features', 'extensions', 'migrations'] as const) {
      t.throws(() => fabric[collection], {
        code: 'LEASE_LOST',
        message: /has not reached cluster "w\d+"/,
      });
    }
    t.ok(fabric.counters()['vms'] === 1, 'metrics are still to be had');
    await t.rejects(vm.pause(), { code: 'STORE_UNAVAILABLE' });
    for (const proxy of proxies) proxy.heal();
    await until('host again', () => fabric.cluster?.isHolding);
    t.equal(vm.info.state, 'running', 'undone');
    await fabric.vms.get('vm').pause();
    t.equal(fabric.cluster?.epoch, 1, 'the same process');
    t.notOk(fabric.cluster?.lost.aborted);
    await fabric.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  },
);

t.test(
  'a world whose host another process has become ends: LEASE_LOST for changes and queries, nothing of it is stored (decision 0011)',
  options(),
  async (t) => {
    const url = newCluster();
    const { a, proxies } = await behindProxies(url);
    const { fabric } = a;
    const vm = await runningVm(a);
    const { switches } = fabric;
    for (const proxy of proxies) proxy.cut('stall');
    const next = await openMember(url, 'a');
    t.equal(next.fabric.cluster?.epoch, 2);
    t.ok(hasVm(next, 'vm'), 'everything acknowledged');
    await next.fabric.vms.get('vm').stop();
    const stored = recordsOf(next.fabric);
    const late = vm.pause().catch((error: unknown) => error);
    for (const proxy of proxies) proxy.heal();
    await until('lost', () => fabric.cluster?.lost.aborted);
    t.match(await late, { code: /^(LEASE_LOST|STORE_UNAVAILABLE)$/ });
    t.match(fabric.cluster?.lost.reason as ExtSwitchError, { code: 'LEASE_LOST' });
    t.equal(fabric.cluster?.isHolding, false);
    t.throws(() => fabric.vms, { code: 'LEASE_LOST' });
    await t.rejects(async () => vm.start(), { code: 'LEASE_LOST' });
    await t.rejects(async () => switches.create({ name: 'T' }), { code: 'LEASE_LOST' });
    await t.rejects(
      fabric.atomic(async () => undefined),
      { code: 'LEASE_LOST' },
    );
    await t.rejects(fabric.reset(), { code: 'LEASE_LOST' });
    await t.rejects(async () => fabric.cluster?.ask('a', 'x', new Uint8Array(0)), {
      code: 'LEASE_LOST',
    });
    t.ok(
      a.told.some((message) => /another process/.test(message)),
      'logged',
    );
    await fabric.close();
    t.ok(next.fabric.cluster?.isHolding, 'closing it takes nothing from the other');
    t.strictSame(recordsOf(next.fabric), stored);
    await next.fabric.vms.get('vm').start();
    await next.fabric.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  },
);

t.test(
  'the worlds of a process and the hosts of its cluster are one directory for a world that is both',
  options(),
  async (t) => {
    const url = newCluster();
    const near = new LocalHosts();
    const side = await openHost(near, 'side', { clock: 'wall' });
    const main = await openHost(near, 'a', { store: url, clock: 'wall' });
    const b = await openMember(url, 'b');
    const a = Object.assign(main, { hooks: b.hooks, told: [] });
    await sees(a, 'b');
    await runningVm(side);
    const before = having(side);
    const { id } = await side.fabric.migrations.start({ vm: 'vm', destination: { host: 'a' } });
    t.match(await side.fabric.migrations.done(id), { state: 'succeeded' });
    t.match(await migrateTo(a, 'b', 'vm'), { state: 'succeeded' });
    t.equal(having(b), before);
    await sees(b, 'a');
    t.match(await migrateTo(b, 'a', 'vm'), { state: 'succeeded' });
    t.match(await migrateTo(a, 'side', 'vm'), { state: 'succeeded' });
    t.equal(having(side), before);
    await t.rejects(Fabric.open({ store: url, name: 'side', hosts: near }), {
      code: 'ALREADY_EXISTS',
    });
    const again = await openCluster(url, { name: 'side', profile: 'ws2022' });
    t.ok(again.isHolding, 'what was refused has handed its lease back');
    await again.close();
    await Promise.all([side.fabric.close(), a.fabric.close(), b.fabric.close()]);
  },
);

t.test(
  'a host that is removed is gone for everybody, its process ends when it is back, and its name begins anew',
  options(),
  async (t) => {
    const url = newCluster();
    const { a: gone, proxies } = await behindProxies(url);
    const [b, c] = await Promise.all([openMember(url, 'b'), openMember(url, 'c')]);
    const vm = await runningVm(gone);
    await vm.save();
    const { id } = vm.info;
    const listed = ({ fabric }: ClusterHost): string[] =>
      (fabric.cluster?.members() ?? []).map(({ host }) => host);
    const remove = async (host: string, withVms = false) =>
      b.fabric.cluster?.removeHost(host, { withVms });
    await until('all are seen', () => listed(b).length === 3 && listed(c).length === 3);
    for (const [host, code] of [
      ['a', 'ILLEGAL_TRANSITION'],
      ['b', 'ILLEGAL_TRANSITION'],
      ['nobody', 'NOT_FOUND'],
    ] as const) {
      await t.rejects(remove(host, true), { code, message: new RegExp(`host "${host}"`) });
    }
    for (const proxy of proxies) proxy.cut('stall');
    await until('a is silent', () => b.fabric.cluster?.hosts.peer('a') === undefined);
    await b.fabric.vms.create({ name: 'w' });
    await t.rejects(migrateTo(b, 'a', 'w'), { code: 'HOST_UNREACHABLE', message: /host "a"/ });
    await t.rejects(migrateTo(b, 'nobody', 'w'), { code: 'NOT_FOUND', message: /host "nobody"/ });
    await t.rejects(remove('a'), {
      code: 'ILLEGAL_TRANSITION',
      message: /host "a" still has a VM: "vm"/,
      place: { problems: [{ name: 'vm', id }] },
    });
    for (const proxy of proxies) proxy.heal();
    await until('a refusal has changed nothing', () => gone.fabric.cluster?.isHolding);
    await gone.fabric.switches.get('S').ports.create({ name: 'still the host' });

    for (const proxy of proxies) proxy.cut('stall');
    await until('a is silent', () => b.fabric.cluster?.hosts.peer('a') === undefined);
    t.match(await remove('a', true), { host: 'a', epoch: 2, vms: [{ name: 'vm' }] });
    t.strictSame(listed(b), ['b', 'c']);
    await until('c knows it too', () => listed(c).length === 2, 5_000);
    const session = await openSession(parseClusterAddress(url), 'test');
    const left = async (stream: string, subjects_filter: string) =>
      Object.keys(
        (await session.manager.streams.info(stream, { subjects_filter })).state.subjects ?? {},
      );
    const cluster = session.address.cluster;
    const marks = [`$KV.${cluster}-policies.a.=removed`];
    t.strictSame(await left(`KV_${cluster}-policies`, `$KV.${cluster}-policies.a.>`), marks);
    t.strictSame(
      (await objectsOf(session)).filter(({ name }) => name.startsWith('a/')),
      [],
      'no run-time data',
    );
    const late = gone.fabric.atomic(async () => undefined).catch((error: unknown) => error);
    for (const proxy of proxies) proxy.heal();
    await until('its process ends', () => gone.fabric.cluster?.lost.aborted);
    await late;
    await gone.fabric.close();
    await session.close();
    await until('and is not in the list', () => listed(b).length === 2 && listed(c).length === 2);

    const anew = await openMember(url, 'a');
    t.equal(anew.fabric.cluster?.epoch, 3);
    t.notOk(hasVm(anew, 'vm'));
    // Its record was on the way until now.
    t.throws(() => anew.fabric.switches.get('S').ports.get('still the host'), {
      code: 'NOT_FOUND',
    });
    await runningVm(anew);
    const kept = recordsOf(anew.fabric);
    await anew.fabric.close();
    const again = await openMember(url, 'a');
    t.strictSame(recordsOf(again.fabric), kept, 'what is written since counts');
    await Promise.all([again, b, c].map(({ fabric }) => fabric.close()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
  },
);

t.test('a directory of two is joined whole or not at all', async (t) => {
  const near = new LocalHosts();
  const far = new LocalHosts();
  const both = new CombinedHosts(near, far);
  const peer = { host: 'a' } as MigrationPeer;
  const joined: string[] = [];
  const end = both.subscribe((host) => joined.push(host));
  far.join({ host: 'a' } as MigrationPeer);
  t.throws(() => both.join(peer), { code: 'ALREADY_EXISTS' });
  t.equal(near.peer('a'), undefined);
  const other = { host: 'b' } as MigrationPeer;
  both.join(other);
  t.equal(both.peer('b'), other);
  t.ok(near.peer('b') === other && far.peer('b') === other);
  both.leave(other);
  t.equal(both.peer('b'), undefined);
  end();
  far.join(other);
  t.strictSame([...new Set(joined)], ['a', 'b']);
});

t.test(
  'what happens in the world of a host is in the feed of the cluster',
  options(),
  async (t) => {
    const url = newCluster();
    const watcher = await openCluster(url, { name: 'watcher', profile: 'ws2022' });
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of watcher.events.read({ signal: stop.signal })) {
        seen.push(`${event.host} ${event.type} ${JSON.stringify(event.data)}`);
      }
    })();
    const a = await openMember(url, 'a');
    await a.fabric.switches.get('S').ports.create({ name: 'told' });
    await until('the event', () =>
      seen.some((line) => line.startsWith('a trace') && line.includes('OID_SWITCH_PORT_CREATE')),
    );
    const vm = await runningVm(a);
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: 1, SettingIntB: 2n });
    await a.fabric.close();
    await until('the last one', () => seen.some((line) => line.includes('PORT_PROPERTY_ADD')));
    stop.abort();
    await reading;
    t.ok(seen.every((line) => line.startsWith('a ')));
    await watcher.close();
  },
);

t.test(
  'a server is killed by which a host watches the others: it goes on hearing them',
  // The servers are everybody's: by itself.
  { skip: missing, buffered: false },
  async (t) => {
    const url = newCluster().replace('lease=1s', 'lease=3s');
    const b = await openCluster(url, { name: 'b', profile: 'ws2022' });
    const session = await openSession(parseClusterAddress(url), 'test');
    const stream = `KV_w${clusters}-hosts`;
    const watchers = async () => {
      const found = new Map<string, string | undefined>();
      for await (const { name, cluster } of session.manager.consumers.list(stream)) {
        found.set(name, cluster?.leader);
      }
      return found;
    };
    const others = new Set((await watchers()).keys());
    const [leader, meta] = [await servers.leaderOf(stream), await servers.metaLeader()];
    // Where the consumer is put is the servers' choice: again until it is one that leads nothing.
    let a = await openCluster(url, { name: 'a', profile: 'ws2022' });
    let victim: NatsServer | undefined;
    for (let attempt = 0; victim === undefined && attempt < 40; attempt += 1) {
      const own = [...(await watchers())].find(([name]) => !others.has(name))?.[1];
      victim = servers.servers.find(
        (one) => one.name === own && one.name !== leader?.name && one.name !== meta?.name,
      );
      if (victim !== undefined) break;
      await a.close();
      // That of the host that has just closed may be there for a while.
      for (const name of (await watchers()).keys()) others.add(name);
      a = await openCluster(url, { name: 'a', profile: 'ws2022' });
    }
    if (victim === undefined) throw new Error('no server to kill');
    const states = new Set<string | undefined>();
    const look = () => states.add(a.members().find(({ host }) => host === 'b')?.state);
    await until('b is seen', () =>
      a.members().some(({ host, state }) => host === 'b' && state === 'alive'),
    );
    await victim.kill();
    const begun = performance.now();
    while (performance.now() - begun < 9_000) {
      look();
      await sleep(50);
    }
    t.strictSame([...states], ['alive']);
    await victim.start();
    await Promise.all([a.close(), b.close()]);
    await session.close();
  },
);
