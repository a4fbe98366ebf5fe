import t from 'tap';
import { defineExtension, NdisStatus } from '../../src/sdk/index.ts';
import { expectNoFindings, expectVeto, testSwitch } from '../../src/testing/index.ts';

const COUNTER = '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0011';

/** Counts for each NIC and carries the count over a save; what a stateful extension looks like. */
function counter() {
  const counts = new Map<number, number>();
  const control = { saves: true, takes: true };
  const saved = new Set<number>();
  const definition = defineExtension({
    id: COUNTER,
    name: 'Counter',
    vendor: 'Test',
    version: '1.0',
    type: 'filter',
    attach: () => ({
      connectNic: (nic) => {
        counts.set(nic.portId, (counts.get(nic.portId) ?? 0) + 1);
      },
      deleteNic: (nic) => {
        counts.delete(nic.portId);
      },
      saveNic: (state) => {
        if (!control.saves) return NdisStatus.RESOURCES;
        const count = counts.get(state.portId);
        if (count === undefined || saved.has(state.portId)) return 'forward';
        const status = state.save(Uint8Array.of(count));
        if (status === NdisStatus.SUCCESS) saved.add(state.portId);
        return status;
      },
      saveNicComplete: (nic) => {
        saved.delete(nic.portId);
      },
      restoreNic: (state) => {
        if (!state.isMine) return 'forward';
        if (!control.takes) return NdisStatus.FAILURE;
        counts.set(state.portId, (state.data[0] ?? 0) + 10);
        return NdisStatus.SUCCESS;
      },
    }),
  });
  return { definition, counts, control };
}

t.test(
  'a test saves and restores a VM of the switch: the extension gets its data back (G5, G25, G31)',
  async (t) => {
    const { definition, counts } = counter();
    const sw = await testSwitch({ extensions: [definition] });
    t.teardown(() => sw.close());
    const vm = await sw.vm('web');
    t.equal(vm.info.state, 'running');
    t.equal((await sw.vm('web')).info.id, vm.info.id, 'the same one');
    t.same([...counts.values()], [1]);
    t.equal((await vm.save()).savedRecords, 1);
    t.equal(counts.size, 0);
    t.same(await vm.restore(), { restored: 1, unowned: [] });
    t.same([...counts.values()], [11]);
    t.same(
      sw
        .oids({ seenBy: 'Counter' })
        .flatMap(({ oid }) => /NIC_(?:SAVE|RESTORE)\w*/.exec(oid) ?? []),
      ['NIC_SAVE', 'NIC_SAVE', 'NIC_SAVE_COMPLETE', 'NIC_RESTORE', 'NIC_RESTORE_COMPLETE'],
    );
    expectNoFindings(sw);
  },
);

t.test('data of an extension that is gone is reported as unowned (G26)', async (t) => {
  const { definition } = counter();
  const sw = await testSwitch({ extensions: [definition] });
  t.teardown(() => sw.close());
  const vm = await sw.vm('web');
  await vm.save();
  await sw.disable(definition);
  t.match(await vm.restore(), {
    restored: 0,
    unowned: [{ extensionId: COUNTER, extensionFriendlyName: 'Counter', bytes: 1 }],
  });
  expectNoFindings(sw);
});

t.test(
  'a refused save leaves the VM running, a refused restore leaves it saved (G10, G27, OP-14, OP-17)',
  async (t) => {
    const { definition, control } = counter();
    const sw = await testSwitch({ extensions: [definition] });
    t.teardown(() => sw.close());
    const vm = await sw.vm('web');
    control.saves = false;
    await expectVeto(vm.save(), 'RESOURCES');
    t.equal(vm.info.state, 'running');
    control.saves = true;
    await vm.save();
    control.takes = false;
    const place = await expectVeto(vm.restore(), 'FAILURE');
    t.match(place, { oid: 'OID_SWITCH_NIC_RESTORE', extensionId: COUNTER });
    t.equal(vm.info.state, 'saved');
    t.equal(vm.info.savedRecords, 1, 'kept for another try');
    control.takes = true;
    t.match(await vm.restore(), { restored: 1 });
    await t.rejects(vm.restore(), { code: 'ILLEGAL_TRANSITION' }, 'it runs');
    expectNoFindings(sw);
  },
);
