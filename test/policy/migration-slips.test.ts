import t from 'tap';
import type { MigrationPeer } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import {
  closeScene,
  having,
  migrate,
  openScene,
  REFUSALS,
  remains,
} from './migration-fault-world.ts';
import { cutScene, pass } from './migration-settle-world.ts';
import { openHost, runningVm } from './migration-world.ts';
import { first } from './vm-world.ts';

/* Small slips in migrations that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

/** Hosts whose line brings `prepare` twice: the answer to the first was lost, and it was sent again. */
class RepeatingHosts extends LocalHosts {
  override peer(host: string): MigrationPeer | undefined {
    const peer = super.peer(host);
    if (peer === undefined) return undefined;
    return {
      host,
      compare: (...of) => peer.compare(...of),
      prepare: async (...of) => {
        await peer.prepare(...of);
        return peer.prepare(...of);
      },
      take: (...of) => peer.take(...of),
      abandon: (...of) => peer.abandon(...of),
      outcome: (...of) => peer.outcome(...of),
      supersede: (...of) => peer.supersede(...of),
      forget: (...of) => peer.forget(...of),
    };
  }
}

t.test('a prepare that comes twice is done once, and answered twice (G36, G37, S12)', async (t) => {
  const hosts = new RepeatingHosts();
  const a = await openHost(hosts, 'a');
  const b = await openHost(hosts, 'b');
  await runningVm(a);
  const before = having(a);
  t.match(await migrate(a, 'b'), { state: 'succeeded' });
  t.same(
    b.oids(),
    [
      // S12 steps 1 and 2: the validation port with the two policies; step 3: the operational one.
      ...['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_PROPERTY_ADD'],
      ...['PORT_TEARDOWN?', 'PORT_DELETE?'],
      ...['PORT_CREATE', 'PORT_PROPERTY_ADD', 'PORT_PROPERTY_ADD'],
      ...['NIC_CREATE', 'NIC_CONNECT', 'NIC_RESTORE', 'NIC_RESTORE', 'NIC_RESTORE_COMPLETE'],
    ],
    'one port each',
  );
  t.equal(having(b), before);
  await closeScene({ a, b });
});

t.test(
  'the address of a VM that did not arrive is handed out again; of one that did, it is not (G36)',
  async (t) => {
    for (const arrives of [false, true]) {
      const hosts = new LocalHosts();
      const a = await openHost(hosts, 'a');
      // The seed decides the range: both hosts hand out the same addresses, from 00 up.
      const b = await openHost(hosts, 'b', { seed: 'a' });
      const { mac } = first(await runningVm(a)).info;
      t.match(mac, /-00$/);
      b.keeper.decide = (oid) =>
        oid === 'NIC_CREATE' && !arrives ? REFUSALS.DATA_NOT_ACCEPTED() : undefined;
      t.equal((await migrate(a, 'b')).state, arrives ? 'succeeded' : 'failed');
      const next = await b.fabric.vms.create({ name: 'next', adapters: [{ switch: 'S' }] });
      t.equal(first(next).info.mac, arrives ? mac.replace(/00$/, '01') : mac);
      await closeScene({ a, b });
    }
  },
);

t.test(
  'data of an adapter that is not connected goes along, and is restored where it is connected (G38, S12)',
  async (t) => {
    const scene = await openScene();
    const { a, b, storeA } = scene;
    const vm = await a.fabric.vms.create({
      name: 'vm',
      adapters: [
        { name: 'A', switch: 'S' },
        { name: 'B', switch: 'S' },
      ],
    });
    await vm.start();
    const portOf = (adapter: string): number => vm.adapter(adapter).port.info.portId;
    a.keeper.held.set(portOf('A'), [Uint8Array.of(1)]);
    a.keeper.held.set(portOf('B'), [Uint8Array.of(2, 3)]);
    await vm.save();
    await vm.adapter('B').disconnect();
    await vm.restore();
    t.match(vm.info, { state: 'running', savedRecords: 1 });
    t.equal((await migrate(a, 'b')).state, 'succeeded');
    t.strictSame(remains(a, storeA), []);
    const there = b.fabric.vms.get('vm');
    t.match(there.info, { state: 'running', savedRecords: 1 });
    const dataOf = (adapter: string): number[][] =>
      (b.keeper.held.get(there.adapter(adapter).port.info.portId) ?? []).map((one) => [...one]);
    t.same(dataOf('A'), [[1]]);
    await there.save();
    await there.adapter('B').connect('S');
    t.match(await there.restore(), { restored: 2, unowned: [] });
    t.same(dataOf('B'), [[2, 3]]);
    await closeScene(scene);
  },
);

t.test(
  'a source on the disk of before a person gave it its VM: the destination says so, and it has its VM (G27, G39)',
  async (t) => {
    const { hosts, a, b, storeA, storeB, id, before } = await cutScene('beforeTake');
    const old = storeA.copy();
    await a.fabric.migrations.settle(id, { owner: 'source', confirm: 'b' });
    hosts.mend();
    await pass([a, b]);
    t.match([...b.fabric.migrations.arrivals()], [{ id, state: 'superseded' }]);
    await a.fabric.close();
    const again = await openHost(hosts, 'a', { store: old });
    t.equal(again.fabric.migrations.get(id).state, 'running', 'nothing is decided on that disk');
    await pass([again, b]);
    t.equal(again.fabric.migrations.get(id).state, 'failed');
    t.equal(having(again), before);
    t.strictSame(remains(b, storeB), []);
    await closeScene({ a: again, b });
  },
);
