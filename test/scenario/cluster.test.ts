import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import t from 'tap';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../../src/testing/nats-servers.ts';
import { runCli } from '../cli/run-in-process.ts';
import { fileOf, ONE_HOST, play, playFiles, scenario, TWO_HOSTS } from './scenario-text.ts';

const skip = natsServerMissing();
t.setTimeout(180_000);

let servers: NatsServers;
t.before(async () => {
  if (skip === false) servers = await startNatsServers({ count: 3 });
});
t.teardown(() => servers?.stop());

const FOLDER = 'policies/scenarios';
const ADD =
  'addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 1 }, as: p }';

/** Streams that clusters have on the servers, by the name of the cluster. */
async function clusters(): Promise<readonly string[]> {
  const connection = await connect({ servers: servers.url.replace('nats://', '').split(',') });
  const manager = await jetstreamManager(connection);
  const names = new Set<string>();
  for await (const { config } of manager.streams.list()) {
    names.add(config.name.replace(/^(KV|OBJ)_/, '').replace(/-[a-z]+$/, ''));
  }
  await connection.close();
  return [...names].sort();
}

t.test('shipped scenarios pass with every host a member of a real cluster', { skip }, async (t) => {
  const files = [
    'careless-tool',
    'migrate-a-vm',
    'rolling-upgrade',
    'save-and-restore',
    'source-dies',
    'updates-during-migration',
  ].map((name) => `${FOLDER}/${name}.yaml`);
  const parameters = { vms: 3, rounds: 2 };
  const inMemory = await playFiles(files, { parameters });
  const outcomes = await playFiles(files, { parameters, store: servers.url, parallel: 2 });
  for (const [i, { name, cell, failure, virtualMs }] of outcomes.entries()) {
    t.same(failure, undefined, `${name} ${cell}`);
    t.equal(virtualMs, inMemory[i]?.virtualMs, 'the network takes no virtual time');
  }
  t.equal(outcomes.length, 11, 'six files, the sources die six times');
  t.same(await clusters(), [], 'what was made for a run is gone with it');
});

t.test(
  'lost messages and failing stores are met on a cluster as in memory',
  { skip },
  async (t) => {
    const [outcome] = await play(
      scenario(
        `- startVm: web
- ${ADD}
- inject: { fault: storeFailure, host: a }
- expectRefused: { removeProperty: p, code: STORE_UNAVAILABLE }
- inject: { fault: lostMessage, host: a, message: prepare }
- expectRefused: { migrate: { vm: web, to: b }, code: HOST_UNREACHABLE }
- expectState: { vm: web, host: a, state: running }
- inject: { fault: lostMessage, host: a, message: take, delivered: true }
- migrate: { vm: web, to: b }
- settleMigrations: {}
- restartHost: b
- expectState: { vm: web, host: b, state: running }
- expectProperties: { vm: web, host: b, equal: [{ feature: Fabrikam_PortCustomSettingData }] }`,
        TWO_HOSTS,
      ),
      { store: servers.url },
    );
    t.same(outcome?.failure, undefined);
    t.same(await clusters(), []);
  },
);

t.test('a cluster that is named stays, and is not used twice', { skip }, async (t) => {
  const file = fileOf(scenario(`- startVm: web\n- ${ADD}`), 'named.yaml');
  const store = `${servers.url}/kept?lease=2s`;
  const first = await runCli(['run', file, '--store', store]);
  t.equal(first.code, 0, first.out);
  t.same(await clusters(), ['kept']);
  const connection = await connect({ servers: servers.url.replace('nats://', '').split(',') });
  const bucket = await new Kvm(connection).open('kept-policies');
  const keys = [];
  for await (const key of await bucket.keys()) keys.push(key);
  t.ok(
    keys.some((key) => key.startsWith('host.')),
    'records of host "host" are in the bucket',
  );
  await connection.close();
  const second = await runCli(['run', file, '--store', store]);
  t.equal(second.code, 1);
  t.match(second.out, /failedIn: "setUp"/);
  t.match(second.out, 'cluster \\"kept\\" has records already');
  t.match(second.out, 'leave the name out of --store');
});

t.test('a store that is none for scenarios is refused before anything is played', async (t) => {
  const file = fileOf(scenario('- startVm: web', ONE_HOST), 'one.yaml');
  for (const [store, message] of [
    ['./folder', '--store: the store of scenarios: expected "memory", or nats://host:port'],
    ['nats://h/a b', '--store: the name of the cluster: expected 1 to 64 of letters'],
    ['nats://u:p@h/x?replicas=2', '--store: option replicas of the cluster address: expected 1, 3'],
  ] as const) {
    const { code, err, out } = await runCli(['run', file, '--store', store]);
    t.equal(code, 2, store);
    t.match(err, message);
    t.equal(out, '');
  }
  t.equal((await runCli(['run', file, '--store', 'memory'])).code, 0);
  const lifeCycle = await runCli(['run', '--all', '--store', 'nats://h']);
  t.match(lifeCycle.err, '--store belongs to scenario files, not to life cycles');
  const { code, out } = await runCli(['run', file, '--store', 'nats://u:secret@127.0.0.1:1']);
  t.equal(code, 1);
  t.match(out, /failedIn: "setUp"[\s\S]*no server answers/);
  t.notMatch(out, 'secret', 'credentials are in no message');
});
