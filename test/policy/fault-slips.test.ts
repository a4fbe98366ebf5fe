import t from 'tap';
import { extensionWith } from '../support/fabrikam.ts';
import { openWorld } from './open-world.ts';

/* Small slips in the fault engine that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

const CREATE = { at: 'oid', oid: 'OID_SWITCH_PORT_CREATE', extension: 'Fabrikam Filter' } as const;

/** `done`, or the status with which the creation of a port was refused. */
async function world() {
  const { fabric } = await openWorld([extensionWith(() => ({}))]);
  const create = (): Promise<unknown> =>
    fabric.switches
      .get('S')
      .ports.create()
      .then(
        () => 'done',
        (error: { place?: { ndisStatus?: string } }) => error.place?.ndisStatus,
      );
  const counts = (): unknown[] =>
    fabric.faults.list().map(({ id, matched, hits }) => `${id} ${hits} of ${matched}`);
  return { fabric, create, counts };
}

t.test('of several rules at one place the first that is hit counts, all are matched', async (t) => {
  const { fabric, create, counts } = await world();
  fabric.faults.add(
    { ...CREATE, id: 'once', effect: 'status', status: 'RESOURCES', times: 1 },
    { ...CREATE, id: 'then', effect: 'status', status: 'DATA_NOT_ACCEPTED' },
    { ...CREATE, id: 'beside', effect: 'act', act: 'restartStack', times: 1 },
  );
  t.equal(await create(), 'NDIS_STATUS_RESOURCES');
  t.same(counts(), ['once 1 of 1', 'then 0 of 1', 'beside 1 of 1'], 'an act comes beside it');
  t.equal(await create(), 'NDIS_STATUS_DATA_NOT_ACCEPTED');
  t.same(counts(), ['once 1 of 2', 'then 1 of 2', 'beside 1 of 2']);
  await fabric.close();
});

t.test('rules that are removed together are met no more, none of them', async (t) => {
  const { fabric, create, counts } = await world();
  const rule = { ...CREATE, effect: 'status' } as const;
  fabric.faults.add({ ...rule, id: 'a' }, { ...rule, id: 'b' }, { ...rule, id: 'c' });
  t.equal(await create(), 'NDIS_STATUS_RESOURCES');
  fabric.faults.clear();
  t.same(counts(), []);
  t.equal(await create(), 'done');
  await fabric.close();
});

t.test('a rule for queries is not met by a set', async (t) => {
  const { fabric, create, counts } = await world();
  const rule = { at: 'oid', extension: 'Fabrikam Filter', effect: 'status' } as const;
  fabric.faults.add({ ...rule, id: 'query', requestType: 'query' });
  t.equal(await create(), 'done');
  t.same(counts(), ['query 0 of 0']);
  fabric.faults.add({ ...rule, id: 'set', requestType: 'set' });
  t.equal(await create(), 'NDIS_STATUS_RESOURCES');
  t.same(counts(), ['query 0 of 0', 'set 1 of 1']);
  await fabric.close();
});

t.test('what undoes an atomic change that fails meets none of its rules', async (t) => {
  const { fabric } = await world();
  const onPurpose = new Error('on purpose');
  const failed = fabric.atomic(async (all) => {
    await all.switches.get('S').ports.create({ name: 'Q' });
    all.faults.add({
      ...{ at: 'oid', oid: 'OID_SWITCH_PORT_TEARDOWN', effect: 'status' },
      extension: 'Fabrikam Filter',
    });
    throw onPurpose;
  });
  await t.rejects(failed, onPurpose);
  t.equal(fabric.trace.entries({ oid: 'OID_SWITCH_PORT_TEARDOWN' }).length, 1, 'it was undone');
  t.same(
    fabric.events.after(0).filter(({ data }) => data['event'] === 'faultInjected'),
    [],
  );
  await fabric.close();
});

t.test('a rule for one port is not met at another', async (t) => {
  const { fabric, create, counts } = await world();
  // Port 1 is there; ids are given out in order (B1).
  fabric.faults.add({ ...CREATE, id: 'one', effect: 'status', portId: 1 });
  fabric.faults.add({ ...CREATE, id: 'three', effect: 'status', portId: 3 });
  t.equal(await create(), 'done');
  t.equal(await create(), 'NDIS_STATUS_RESOURCES');
  t.same(counts(), ['one 0 of 0', 'three 1 of 1']);
  await fabric.close();
});

t.test('a rule that a snapshot brings back draws what it would have drawn then', async (t) => {
  const { fabric, create } = await world();
  fabric.faults.add({ ...CREATE, id: 'half', effect: 'status', probability: 0.5 });
  const some = async (): Promise<unknown[]> => {
    const ends: unknown[] = [];
    for (let i = 0; i < 40; i += 1) ends.push(await create());
    return ends;
  };
  await some();
  await fabric.snapshots.create({ name: 'one' });
  const went = await some();
  await fabric.snapshots.restore('one');
  t.same(await some(), went);
  await fabric.close();
});

t.test(
  'what another module does with a request that a fault has met is its own doing',
  async (t) => {
    const scribbler = extensionWith(
      () => ({
        oidRequestComplete: ({ oidName, bytes }) => {
          // PortType, u32 at 1032 (B26).
          if (oidName === 'OID_SWITCH_PORT_CREATE') bytes[1032] = 9;
        },
      }),
      { id: 'f0000000-0000-4000-8000-0000000000f0', name: 'Scribbler', type: 'capture' },
    );
    const { fabric, sw } = await openWorld([scribbler, extensionWith(() => ({}))]);
    const before = fabric.findings.entries().length;
    fabric.faults.add({ ...CREATE, effect: 'status' });
    await t.rejects(sw.ports.create(), { code: 'VETOED' });
    const found = fabric.findings.entries().slice(before);
    t.same(
      found.map(({ extensionId, injected }) => [extensionId, injected]),
      [['f0000000-0000-4000-8000-0000000000f0', undefined]],
    );
    await fabric.close();
  },
);
