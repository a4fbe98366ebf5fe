import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition, SwitchContext } from '../../src/sdk/extension.ts';
import { extensionWith, FABRIKAM } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { PORT_SETTING } from './open-world.ts';
import {
  contents,
  ending,
  first,
  KeptStore,
  openVmWorld,
  STARTED,
  STOPPED,
  VALIDATED,
  visible,
} from './vm-world.ts';

const CLASS = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb';

/** Keeps one byte a port; says so in `log`. `refuse` fails the OID of that name, `isForeign` leaves records to nobody. */
function keeper(): {
  extension: ExtensionDefinition;
  log: string[];
  behave: { refuse?: string; isForeign?: boolean; isSilent?: boolean };
} {
  const log: string[] = [];
  const behave: { refuse?: string; isForeign?: boolean; isSilent?: boolean } = {};
  const extension = extensionWith(() => {
    const done = new Set<number>();
    return {
      oidRequest: ({ oidName }) =>
        oidName === `OID_SWITCH_${behave.refuse}` ? NdisStatus.FAILURE : 'forward',
      saveNic: (state) => {
        if (behave.isSilent === true || done.has(state.portId)) return 'forward';
        done.add(state.portId);
        return state.save(Uint8Array.of(state.portId, 7), CLASS);
      },
      saveNicComplete: (nic) => {
        done.delete(nic.portId);
        log.push(`saved ${nic.portId}`);
        return 'forward';
      },
      restoreNic: (state) => {
        if (behave.isForeign === true || !state.isMine) return 'forward';
        log.push(`restored ${state.portId} ${state.data.join()}`);
        return NdisStatus.SUCCESS;
      },
    };
  });
  return { extension, log, behave };
}

t.test(
  'save and restore in the order of S9 and S10; policies are as they were (G41)',
  async (t) => {
    const { extension, log } = keeper();
    const store = new KeptStore();
    const { fabric, sw, oids } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, {}] });
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: 5 });
    await vm.start();
    const before = [...first(vm).properties.list()];
    const savedPort = first(vm).info.port?.portId;
    oids();
    t.match(await vm.save(), {
      state: 'saved',
      savedRecords: 1,
      adapters: [{ connected: false }, {}],
    });
    t.same(
      oids(),
      [
        ...['NIC_SAVE', 'NIC_SAVE', 'NIC_SAVE_COMPLETE'],
        ...STOPPED,
        ...['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN?', 'PORT_DELETE?'],
      ],
      'the data first, then S3 steps 2-8 (OP-16)',
    );
    t.same([...sw.ports.list()], []);
    t.same(
      contents(store).filter((line) => line.startsWith('saved/')),
      [
        `saved/${vm.info.id}/${first(vm).info.id} {"records":[{"extensionId":"${FABRIKAM}","extensionFriendlyName":"Fabrikam Filter","featureClassId":"${CLASS}","portId":${savedPort},"data":"0${savedPort?.toString(16)}07"}]}`,
      ],
      'rule G11',
    );
    t.match(await vm.restore(), { restored: 1, unowned: [] });
    t.same(oids(), [
      ...['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT'],
      ...['NIC_RESTORE', 'NIC_RESTORE_COMPLETE'],
    ]);
    const [entry] = fabric.trace.entries({ oid: 'OID_SWITCH_PORT_CREATE' }).slice(-1);
    t.equal(entry && fabric.trace.decode(entry)['Flags'], 2, 'RESTORING_PORT (B9)');
    const restoredPort = first(vm).info.port?.portId;
    t.not(restoredPort, savedPort, 'another port than it was saved from (G25)');
    t.same(log, [`saved ${savedPort}`, `restored ${restoredPort} ${savedPort},7`]);
    t.match(vm.info, { state: 'running', savedRecords: 0, adapters: [{ connected: true }, {}] });
    t.same([...first(vm).properties.list()], before);
    t.same(
      contents(store).filter((line) => line.startsWith('saved/')),
      [],
    );
    await fabric.close();
  },
);

t.test('RESTORING_PORT only from NDIS 6.60 on, and only where data waits (B9)', async (t) => {
  for (const [profile, flags] of [
    ['ws2012r2', 0],
    ['ws2019', 2],
  ] as const) {
    const { extension, behave } = keeper();
    const { fabric } = await openVmWorld([extension], { profile });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const restoring = async (): Promise<unknown> => {
      await vm.save();
      await vm.restore();
      const [entry] = fabric.trace.entries({ oid: 'OID_SWITCH_PORT_CREATE' }).slice(-1);
      return entry && fabric.trace.decode(entry)['Flags'];
    };
    await vm.start();
    t.equal(await restoring(), flags, profile);
    behave.isSilent = true;
    t.equal(await restoring(), 0, 'nobody saved anything');
    await fabric.close();
  }
});

t.test('a port whose saved state is restored has RESTORING_PORT no more (B9)', async (t) => {
  const { extension } = keeper();
  const contexts: SwitchContext[] = [];
  const watcher = extensionWith(
    (context) => {
      contexts.push(context);
      return {};
    },
    { id: 'f0000000-0000-4000-8000-0000000000f0', name: 'Watcher', type: 'capture' },
  );
  const { fabric } = await openVmWorld([watcher, extension]);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  await vm.start();
  await vm.save();
  await vm.restore();
  // OID_SWITCH_PORT_ARRAY (J2): FirstElementOffset is the u16 at 8, NumElements the u32 at 12; Flags of a port are the u32 at 4.
  t.equal(contexts[0]?.ports().length, 1);
  const [told] = fabric.trace.entries({ oid: 'OID_SWITCH_PORT_ARRAY' }).slice(-1);
  const bytes = Buffer.from(told?.output ?? []);
  t.equal(bytes.readUInt32LE(12), 1);
  t.equal(bytes.readUInt32LE(bytes.readUInt16LE(8) + 4), 0);
  await fabric.close();
});

t.test(
  'data of an adapter that is not connected waits for the restore at which it is (G26, G29)',
  async (t) => {
    const { extension, log, behave } = keeper();
    const store = new KeptStore();
    const { fabric } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({
      name: 'V',
      adapters: [
        { name: 'A', switch: 'S' },
        { name: 'B', switch: 'S' },
      ],
    });
    await vm.start();
    const portB = vm.adapter('B').info.port?.portId;
    await vm.save();
    t.equal(vm.info.savedRecords, 2);
    await vm.adapter('B').disconnect();
    t.match(await vm.restore(), { restored: 1, unowned: [] });
    t.match(vm.info, { state: 'running', savedRecords: 1 });
    const saved = (): number => contents(store).filter((line) => line.startsWith('saved/')).length;
    t.equal(saved(), 1, 'it outlives the process');
    behave.isSilent = true;
    await vm.save();
    await vm.adapter('B').connect('S');
    log.length = 0;
    t.match(await vm.restore(), { restored: 1, unowned: [] });
    t.same(log, [`restored ${vm.adapter('B').info.port?.portId} ${portB},7`]);
    t.equal(vm.info.savedRecords, 0);
    t.equal(saved(), 0);
    await fabric.close();
  },
);

t.test(
  'a save that could not be stored: the VM runs again, and the extensions have their data back (G23, S9)',
  async (t) => {
    const { extension, log } = keeper();
    const store = new FailingStore();
    const { fabric, oids } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    const port = first(vm).info.port?.portId;
    const before = visible(fabric);
    oids();
    store.failing = true;
    t.equal(await ending(() => vm.save()), 'STORE_UNAVAILABLE');
    store.failing = false;
    t.same(oids(), [
      ...['NIC_SAVE', 'NIC_SAVE', 'NIC_SAVE_COMPLETE'],
      ...STOPPED,
      ...VALIDATED,
      ...STARTED,
      ...['NIC_RESTORE', 'NIC_RESTORE_COMPLETE'],
    ]);
    t.equal(visible(fabric), before);
    t.same(log, [`saved ${port}`, `restored ${port} ${port},7`]);
    await fabric.close();
  },
);

t.test('a refused save leaves the VM running exactly as before (G10, OP-14)', async (t) => {
  const { extension, behave } = keeper();
  const store = new KeptStore();
  const { fabric, oids } = await openVmWorld([extension], { store });
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, { switch: 'S' }] });
  await vm.start();
  oids();
  const before = [visible(fabric), contents(store)];
  behave.refuse = 'NIC_SAVE';
  t.equal(await ending(() => vm.save()), 'VETOED');
  t.same(oids(), ['NIC_SAVE!', 'NIC_SAVE_COMPLETE'], 'no NIC was touched');
  t.same([visible(fabric), contents(store)], before);
  await fabric.close();
});

t.test(
  'a record that is too long for the profile: its size and the limit are named (G12)',
  async (t) => {
    const tooLong: ExtensionDefinition[] = [
      extensionWith(() => ({ saveNic: (state) => state.save(new Uint8Array(70_000)) })),
      extensionWith(() => ({
        saveNic: ({ request }) => {
          request.bytesNeeded = 568 + 70_000;
          return NdisStatus.BUFFER_TOO_SHORT;
        },
      })),
    ];
    for (const [i, extension] of tooLong.entries()) {
      const { fabric } = await openVmWorld([extension], { profile: 'ws2012' });
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
      await vm.start();
      await t.rejects(vm.save(), {
        code: 'VETOED',
        place: { rule: 'G12', oid: 'OID_SWITCH_NIC_SAVE', extensionId: extension.id },
        message: [
          /NDIS_STATUS_FAILURE: its record has 70000 bytes, and one has at most 64967 on NDIS 6\.30 \(rule G12\), profile ws2012$/,
          /NDIS_STATUS_BUFFER_TOO_SHORT: its record wants 70000 bytes of room, and one has at most 64967 on NDIS 6\.30/,
        ][i],
      });
      t.equal(vm.info.state, 'running');
      await fabric.close();
    }
  },
);

t.test(
  'a refused restore takes everything down; the VM stays saved with its data (G27, OP-17)',
  async (t) => {
    const { extension, behave } = keeper();
    const store = new KeptStore();
    const { fabric, oids } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, { switch: 'S' }] });
    await vm.start();
    await vm.save();
    oids();
    const before = [visible(fabric), contents(store)];
    behave.refuse = 'NIC_RESTORE';
    t.equal(await ending(() => vm.restore()), 'VETOED');
    t.same(oids(), [
      ...STARTED,
      ...STARTED,
      ...['NIC_RESTORE!', 'NIC_RESTORE_COMPLETE'],
      ...STOPPED,
      ...STOPPED,
    ]);
    t.same([visible(fabric), contents(store)], before);
    delete behave.refuse;
    t.match(await vm.restore(), { restored: 2 });
    await fabric.close();
  },
);

t.test(
  'records nobody takes are reported and stay with the VM until it starts cold (G26)',
  async (t) => {
    const { extension, behave } = keeper();
    const store = new KeptStore();
    const { fabric } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    await vm.save();
    behave.isForeign = true;
    const unowned = {
      adapterId: first(vm).info.id,
      extensionId: FABRIKAM,
      extensionFriendlyName: 'Fabrikam Filter',
      featureClassId: CLASS,
      bytes: 2,
    };
    t.same(await vm.restore(), { restored: 0, unowned: [unowned] });
    t.match(vm.info, { state: 'running', savedRecords: 1 });
    behave.isSilent = true;
    await vm.save();
    t.equal(vm.info.savedRecords, 1, 'goes along into the next save');
    t.same(await vm.restore(), { restored: 0, unowned: [unowned] });
    behave.isSilent = false;
    await vm.save();
    t.equal(vm.info.savedRecords, 1, 'newer data of the same kind takes its place');
    behave.isForeign = false;
    t.match(await vm.restore(), { restored: 1, unowned: [] });
    behave.isForeign = true;
    await vm.save();
    await vm.restore();
    await vm.stop();
    t.equal(vm.info.savedRecords, 1);
    await vm.start();
    t.equal(vm.info.savedRecords, 0);
    t.same(
      contents(store).filter((line) => line.startsWith('saved/')),
      [],
    );
    await fabric.close();
  },
);

t.test(
  'a saved VM that is stopped has no saved state any more; one that is deleted leaves nothing',
  async (t) => {
    const { extension } = keeper();
    const store = new KeptStore();
    const { fabric, oids } = await openVmWorld([extension], { store });
    const before = contents(store);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING);
    await vm.start();
    await vm.save();
    oids();
    t.match(await vm.stop(), { state: 'off', savedRecords: 0 });
    t.same(oids(), []);
    t.same(
      contents(store).filter((line) => line.startsWith('saved/')),
      [],
    );
    await vm.start();
    await vm.pause();
    await vm.save();
    t.equal(vm.info.savedRecords, 1, 'from paused too');
    await vm.delete();
    t.same(contents(store), before);
    await fabric.close();
  },
);

t.test(
  'saveOnStop asks at a plain power-off too (OP-15); a refusal cannot keep the VM from going off',
  async (t) => {
    const { extension, behave } = keeper();
    const { fabric, oids } = await openVmWorld([extension], { behaviour: { saveOnStop: true } });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    oids();
    t.match(await vm.stop(), { state: 'off', savedRecords: 1 });
    t.same(oids(), ['NIC_SAVE', 'NIC_SAVE', 'NIC_SAVE_COMPLETE', ...STOPPED, ...VALIDATED]);
    t.match(await vm.start(), { savedRecords: 0 }, 'nothing is restored after a cold start');
    t.same(oids(), STARTED);
    behave.refuse = 'NIC_SAVE';
    t.match(await vm.stop(), { state: 'off', savedRecords: 0 });
    t.match(
      fabric.events
        .after(0)
        .filter(({ type }) => type === 'finding')
        .at(-1),
      {
        data: { severity: 'error', message: /the save of network adapter/ },
      },
    );
    await fabric.close();
  },
);

t.test(
  'adapters are neither added to a saved VM nor removed from it (G41); it may be connected elsewhere',
  async (t) => {
    const { extension, log } = keeper();
    const { fabric, oids } = await openVmWorld([extension], {}, ['S', 'T']);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    await vm.save();
    oids();
    t.equal(await ending(() => vm.addAdapter({ switch: 'S' })), 'ILLEGAL_TRANSITION S4');
    t.equal(await ending(() => vm.removeAdapter(first(vm).info.id)), 'ILLEGAL_TRANSITION G41');
    t.same(oids(), []);
    await first(vm).connect('T');
    t.same(
      oids(),
      VALIDATED.map((oid) => `T:${oid}`),
    );
    t.match(await vm.restore(), { restored: 1 });
    t.equal(log.length, 2);
    t.equal(first(vm).info.switch?.name, 'T');
    await fabric.close();
  },
);

t.test('a saved VM and its data outlive the process', async (t) => {
  const { extension } = keeper();
  const store = new KeptStore();
  const { fabric } = await openVmWorld([extension], { store });
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  await vm.start();
  await vm.save();
  const before = visible(fabric);
  await fabric.close();
  const { extension: again, log } = keeper();
  const reopened = await Fabric.open({ store, clock: 'manual', extensions: [again] });
  t.equal(visible(reopened), before);
  t.match(await reopened.vms.get('V').restore(), { restored: 1, unowned: [] });
  t.match(log, [/^restored \d+ \d+,7$/]);
  await reopened.close();
});
