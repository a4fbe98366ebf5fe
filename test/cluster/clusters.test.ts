import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { listClusters, removeCluster, removeLeftRuns } from '../../src/cluster/clusters.ts';
import { type ClusterSession, openSession } from '../../src/cluster/session.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { runCli } from '../cli/run-in-process.ts';

/* Clusters looked at from outside, and removed (issue 4, part 5). */

const missing = natsServerMissing();
t.setTimeout(120_000);

let servers: NatsServers;
t.before(async () => {
  if (missing === false) servers = await startNatsServers({ count: 1 });
});
t.teardown(async () => servers?.stop());

/** Made as a run does, and left. */
async function leftRun(cluster: string): Promise<ClusterSession> {
  return openSession(parseClusterAddress(`${servers.url}/${cluster}?lease=1s`), 'test');
}

/** A process of it that was killed: its lease stands until it runs out. */
async function untilSilent(cluster: string): Promise<void> {
  const address = parseClusterAddress(servers.url);
  for (;;) {
    const [found] = await listClusters(address, cluster);
    if (found?.hosts.every(({ state }) => state === 'silent') === true) return;
    await sleep(100);
  }
}

t.test(
  'clusters are listed with their hosts, leases and VMs; one is removed when nobody is alive in it',
  { skip: missing },
  async (t) => {
    const address = parseClusterAddress(servers.url);
    t.strictSame(await listClusters(address), []);
    const open = (name: string) =>
      Fabric.open({ store: `${servers.url}/lab?lease=1s`, name, seed: name });
    const [a, b] = await Promise.all([open('a'), open('b')]);
    await a.vms.create({ name: 'web' });
    await a.vms.create({ name: 'gone' });
    await a.vms.get('gone').delete();
    const session = await leftRun('run-0123456789ab');
    await session.manager.streams.add({ name: 'KV_other-hosts', subjects: ['$KV.other-hosts.>'] });
    const found = await listClusters(address);
    t.match(found, [
      {
        cluster: 'lab',
        replicas: 1,
        leaseMs: 1_000,
        isOfRun: false,
        hosts: [
          { host: 'a', state: 'alive', epoch: 1, vms: [{ name: 'web' }] },
          { host: 'b', state: 'alive', epoch: 1, vms: [] },
        ],
      },
      { cluster: 'run-0123456789ab', isOfRun: true, hosts: [] },
    ]);
    t.equal(found.length, 2, 'what others keep there is none of ours');
    t.equal(found[0]?.hosts[0]?.vms.length, 1, 'a deleted VM is none');
    await t.rejects(listClusters(address, 'other'), {
      code: 'NOT_FOUND',
      message: /there is no cluster "other" on .*; there is lab, run-0123456789ab/,
    });
    for (const withVms of [false, true]) {
      await t.rejects(removeCluster(address, 'lab', { withVms }), {
        code: 'ILLEGAL_TRANSITION',
        message: 'hosts a, b are alive in cluster "lab": end what runs there first',
      });
    }
    await a.vms.create({ name: 'a refusal changes nothing' });
    await Promise.all([a.close(), b.close()]);
    await untilSilent('lab');
    await t.rejects(removeCluster(address, 'lab', { withVms: false }), {
      code: 'ILLEGAL_TRANSITION',
      message:
        /^cluster "lab" still has 2 VMs: "(web|a refusal changes nothing)" of a, ".*" of a\. Start/,
    });
    const again = await open('a');
    t.strictSame([...again.vms.list()].map(({ name }) => name).sort(), [
      'a refusal changes nothing',
      'web',
    ]);
    await again.close();
    await untilSilent('lab');
    t.match(await removeCluster(address, 'lab', { withVms: true }), { cluster: 'lab' });
    t.strictSame(
      (await listClusters(address)).map(({ cluster }) => cluster),
      ['run-0123456789ab'],
    );
    const streams: string[] = [];
    for await (const name of await session.manager.streams.names()) streams.push(name);
    t.strictSame(
      streams.filter((name) => name.includes('lab')),
      [],
      'nothing of it is on the servers',
    );
    t.strictSame(await removeLeftRuns(address), [], 'made less than an hour ago');
    t.strictSame(await removeLeftRuns(address, 0), ['run-0123456789ab']);
    t.strictSame(await listClusters(address), []);
    t.ok(await session.manager.streams.info('KV_other-hosts'), "others' streams stay");
    await session.close();
  },
);

t.test(
  'cluster list and remove say it to people (exit codes 0, 1, 2)',
  { skip: missing },
  async (t) => {
    const cli = (...argv: string[]) =>
      runCli(['cluster', ...argv], { env: { EXTSWITCH_STORE: servers.url } });
    t.match(await cli('list'), { code: 0, err: /there are no clusters/ });
    const fabric = await Fabric.open({
      store: `${servers.url}/lab?lease=1s`,
      name: 'a',
      seed: 'a',
    });
    await fabric.vms.create({ name: 'web' });
    const run = await leftRun('run-ba9876543210');
    const { code, out } = await cli('list');
    t.equal(code, 0);
    t.match(out, /^CLUSTER +AGE +HOST +STATE +VMS +EPOCH +URL\nlab +\d+ (s|min) +a +alive +1 +1/);
    t.match(out, /\nrun-ba9876543210 +\d+ (s|min) .*left by a run/);
    t.match(JSON.parse((await cli('list', 'lab', '--json')).out), [
      { cluster: 'lab', hosts: [{ host: 'a', vms: [{ name: 'web' }] }] },
    ]);
    t.match(await cli('remove', 'lab', '--with-vms'), {
      code: 1,
      err: /host a is alive in cluster/,
    });
    await fabric.close();
    await untilSilent('lab');
    t.match(await cli('remove', 'lab'), { code: 1, err: /still has a VM: "web" of a/ });
    t.match(await cli('remove', 'lab', '--with-vms'), {
      code: 0,
      out: 'removed cluster lab of 1 host, and with it VM web\n',
    });
    t.match(await cli('remove', '--left-runs'), { code: 0, err: /no run has left anything/ });
    t.match(await cli('remove'), {
      code: 2,
      err: /expected the name of a cluster, or --left-runs/,
    });
    t.match(await cli('remove', 'lab', '--left-runs'), { code: 2 });
    t.match(await cli('list', '--store', 'folder'), { code: 2, err: /expected nats:/ });
    await run.close();
  },
);
