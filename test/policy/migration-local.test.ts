import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { MigrationInfo } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { type Host, openHost, PORT_SETTING, runningVm } from './migration-world.ts';
import { first } from './vm-world.ts';

/** A host with switches `S` and `Other`, and `vm` on `S`. */
async function openScene(): Promise<Host> {
  const host = await openHost(new LocalHosts(), 'here');
  const { fabric, extensions } = host;
  await fabric.switches.create({ name: 'Other', type: 'external', extensions });
  await runningVm(host);
  return host;
}

async function migrate({ fabric }: Host, to: string): Promise<MigrationInfo> {
  const begun = await fabric.migrations.start({ vm: 'vm', destination: { switch: to } });
  return fabric.migrations.done(begun.id);
}

/** What there is of the VM: where it is, its policies, and whether its port has them. */
function shown({ fabric }: Host): unknown {
  const vm = fabric.vms.get('vm');
  const adapter = first(vm);
  return {
    state: vm.info.state,
    switch: adapter.info.switch?.name,
    connected: adapter.info.connected,
    policies: [...adapter.properties.list()].map(({ id, settings, revision }) => [
      id,
      settings,
      revision,
    ]),
  };
}

t.test(
  'a running VM goes to another switch of its host with policies and run-time data (S11)',
  async (t) => {
    const host = await openScene();
    const before = shown(host);
    host.oids();
    const info = await migrate(host, 'Other');
    t.match(info, {
      state: 'succeeded',
      destination: { switch: 'Other' },
      report: { ok: true },
      restore: { restored: 2, unowned: [] },
    });
    t.notOk('dryRun' in info);
    t.strictSame(
      info.steps.map(({ name, state }) => [name, state]),
      ['compare', 'save', 'take', 'restore'].map((name) => [name, 'succeeded']),
    );
    t.same(shown(host), { ...(before as object), switch: 'Other' });
    const { portId } = first(host.fabric.vms.get('vm')).port.info;
    t.strictSame(
      host.keeper.held.get(portId)?.map((bytes) => [...bytes]),
      [[1, 2, 3], [4]],
    );
    t.strictSame(
      host.oids().filter((oid) => /NIC_(SAVE_C|DISC|CONN|RESTORE_C)/.test(oid)),
      ['NIC_SAVE_COMPLETE', 'NIC_DISCONNECT', 'Other:NIC_CONNECT', 'Other:NIC_RESTORE_COMPLETE'],
    );
    t.equal(host.fabric.switches.get('S').info.portCount, 0, 'nothing of it is left there');
    await host.fabric.close();
  },
);

t.test('a paused VM stays paused; one that is off only changes its configuration', async (t) => {
  const host = await openScene();
  const vm = host.fabric.vms.get('vm');
  await vm.pause();
  t.equal((await migrate(host, 'Other')).state, 'succeeded');
  t.match(shown(host), { state: 'paused', switch: 'Other', connected: true });
  await vm.stop();
  const info = await migrate(host, 'S');
  t.match(info, { state: 'succeeded', steps: [{ name: 'compare' }, { name: 'take' }] });
  t.match(shown(host), { state: 'off', switch: 'S' });
  await host.fabric.close();
});

t.test('what fails leaves the VM where it was, with everything it had (G36, G39)', async (t) => {
  const host = await openScene();
  const before = shown(host);
  host.keeper.decide = (oid) =>
    oid === 'PORT_PROPERTY_ADD' ? NdisStatus.DATA_NOT_ACCEPTED : undefined;
  const refused = await migrate(host, 'Other');
  t.match(refused, {
    state: 'failed',
    error: { code: 'INCOMPATIBLE' },
    report: { ok: false },
    steps: [{ name: 'compare', state: 'failed' }],
  });
  t.same(shown(host), before);
  let isRefused = false;
  host.keeper.decide = (oid) => {
    if (oid !== 'NIC_CREATE' || isRefused) return undefined;
    isRefused = true;
    return NdisStatus.RESOURCES;
  };
  const late = await migrate(host, 'Other');
  t.match(late, { state: 'failed', restore: undefined });
  t.match(late.steps.at(-1), {
    name: 'restore',
    state: 'failed',
    oid: 'OID_SWITCH_NIC_CREATE',
    ndisStatus: 'NDIS_STATUS_RESOURCES',
  });
  t.same(shown(host), before, 'after it was saved and put on the other switch');
  await host.fabric.vms.get('vm').stop();
  await host.fabric.close();
});

t.test(
  'neither another host nor a switch, or a switch that is not there, begins nothing',
  async (t) => {
    const host = await openScene();
    const { migrations } = host.fabric;
    await t.rejects(migrations.start({ vm: 'vm', destination: {} }), {
      code: 'INVALID_ARGUMENT',
      place: { member: 'destination.host', expected: 'another host, or a switch' },
    });
    await t.rejects(migrations.start({ vm: 'vm', destination: { host: 'here' } }), {
      code: 'INVALID_ARGUMENT',
    });
    await t.rejects(migrations.start({ vm: 'vm', destination: { switch: 'nope' } }), {
      code: 'NOT_FOUND',
    });
    t.same([...migrations.list()], []);
    t.match(await first(host.fabric.vms.get('vm')).properties.add(PORT_SETTING, {}), {
      feature: PORT_SETTING,
    });
    await host.fabric.close();
  },
);
