import t, { type Test } from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { Incompatibility } from '../../src/policy/migration-api.ts';
import { FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { type Host, openPair, PORT_SETTING, runningVm } from './migration-world.ts';
import { contents, ending, first, KeptStore, visible } from './vm-world.ts';

const NEWER = FABRIKAM_MOF.replaceAll('InterfaceRevision("0")', 'InterfaceRevision("1")');
const SETTING_ID = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb';
const codes = (problems: readonly Incompatibility[]): string[] =>
  problems.map(({ code, severity }) => `${code} ${severity}`);

/** What a comparison of `vm` on `b` says; nothing is changed by it on either host. */
async function compared(
  t: Test,
  a: Host,
  store: KeptStore,
  b: Host,
  wanted?: string,
): Promise<readonly Incompatibility[]> {
  const before = [visible(a.fabric), visible(b.fabric), contents(store)];
  const destination = wanted === undefined ? { host: 'b' } : { host: 'b', switch: wanted };
  const report = await a.fabric.migrations.compare({ vm: 'vm', destination });
  t.strictSame(
    [visible(a.fabric), visible(b.fabric), contents(store)],
    before,
    'nothing is changed',
  );
  t.equal(
    report.ok,
    report.problems.every(({ severity }) => severity === 'warning'),
  );
  const dry = await a.fabric.migrations.start({ vm: 'vm', destination, dryRun: true });
  t.strictSame(dry.report, report, 'a dry run says the same');
  t.equal(dry.state, report.ok ? 'succeeded' : 'failed');
  if (!report.ok) {
    const real = await a.fabric.migrations.start({ vm: 'vm', destination });
    const done = await a.fabric.migrations.done(real.id);
    t.match(done, { state: 'failed', error: { code: 'INCOMPATIBLE' }, report: { ok: false } });
    t.strictSame(
      [visible(a.fabric), visible(b.fabric)],
      before.slice(0, 2),
      'a migration leaves it where it was',
    );
  }
  return report.problems;
}

/** A pair whose destination was changed before the VM looks at it. */
async function pair(
  change: (b: Host, a: Host) => Promise<unknown> = async () => undefined,
  options: Parameters<typeof openPair>[1] = {},
): Promise<{ a: Host; b: Host; store: KeptStore }> {
  const store = new KeptStore();
  const { a, b } = await openPair({}, { ...options, store });
  await change(b, a);
  await runningVm(a);
  return { a, b, store };
}

t.test(
  'nothing stands against it: ok, asked on a validation port that is gone again (B44, B47, G36)',
  async (t) => {
    const { a, b, store } = await pair();
    t.strictSame(await compared(t, a, store, b), []);
    t.strictSame(b.oids().slice(0, 5), [
      'PORT_CREATE?',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_ADD',
      'PORT_TEARDOWN?',
      'PORT_DELETE?',
    ]);
    t.strictSame(a.oids(), [], 'the source asks nobody');
  },
);

t.test('each reason by its code (management.md 5)', async (t) => {
  const cases: readonly [
    string,
    readonly string[],
    Parameters<typeof pair>[0],
    Parameters<typeof pair>[1]?,
  ][] = [
    ['no such switch', ['SWITCH_MISSING error'], async (b) => b.fabric.switches.get('S').delete()],
    [
      'class not registered',
      ['CLASS_MISSING warning'],
      async (b) => b.fabric.features.delete(SETTING_ID),
    ],
    [
      'class older there',
      ['CLASS_OLDER error'],
      async (_b, a) => a.fabric.features.register(NEWER),
    ],
    ['class newer there', ['CLASS_NEWER warning'], async (b) => b.fabric.features.register(NEWER)],
    [
      'another uint16 profile',
      ['UINT16_PROFILE error'],
      async (b) => {
        await b.fabric.features.delete(SETTING_ID);
        await b.fabric.features.register(
          NEWER.slice(0, NEWER.indexOf('};') + 2).replace(
            'InterfaceRevision("1")',
            'InterfaceRevision("0")',
          ),
          { uint16: 'doc32' },
        );
      },
    ],
    [
      'extension disabled there',
      ['EXTENSION_DISABLED warning'],
      async (b) => b.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false }),
    ],
    ['name taken', ['NAME_TAKEN error'], async (b) => b.fabric.vms.create({ name: 'vm' })],
    [
      'property refused',
      ['PROPERTY_REFUSED error', 'PROPERTY_REFUSED error'],
      async (b) => {
        b.keeper.decide = (oid) =>
          oid === 'PORT_PROPERTY_ADD' ? NdisStatus.DATA_NOT_ACCEPTED : undefined;
      },
    ],
    [
      'port refused',
      ['PORT_REFUSED error'],
      async (b) => {
        b.keeper.decide = (oid) => (oid === 'PORT_CREATE' ? NdisStatus.RESOURCES : undefined);
      },
    ],
  ];
  for (const [what, expected, change] of cases) {
    const { a, b, store } = await pair(change);
    const problems = await compared(t, a, store, b);
    t.strictSame(codes(problems), expected, what);
    for (const { message } of problems) {
      // A report is read where the VM is: `this host` would be another one.
      t.match(message, / host "b"| switch S\b|network adapter "/, what);
      t.notMatch(message, /this host|\bhere\b/, what);
    }
  }
});

t.test(
  'the rest by its code: switch down, NDIS version, extension missing, required feature, MAC, records',
  async (t) => {
    {
      const store = new KeptStore();
      const { a, b } = await openPair({}, { store, profile: 'ws2012' });
      const vm = await runningVm(a);
      await first(vm).properties.add('Msvm_EthernetSwitchPortIsolationSettingData', {});
      t.strictSame(
        codes(await compared(t, a, store, b)),
        ['NDIS_VERSION error'],
        'isolation on NDIS 6.30 (E1)',
      );
    }
    {
      const { a, b, store } = await pair();
      const mac = first(a.fabric.vms.get('vm')).info.mac;
      await b.fabric.vms.create({ name: 'other', adapters: [{ switch: 'S', mac }] });
      t.strictSame(
        codes(await compared(t, a, store, b)),
        ['MAC_TAKEN warning'],
        'in the settings of one that is off',
      );
    }
    {
      const { a, b, store } = await pair();
      const { mac } = first(a.fabric.vms.get('vm')).info;
      const other = await b.fabric.vms.create({ name: 'other', adapters: [{ switch: 'S', mac }] });
      await other.start();
      t.strictSame(codes(await compared(t, a, store, b)), ['MAC_TAKEN error'], 'in use');
    }
    {
      const { a, b, store } = await pair();
      await a.fabric.vms.get('vm').save();
      await b.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false });
      t.strictSame(
        codes(await compared(t, a, store, b)),
        ['EXTENSION_DISABLED warning', 'RECORD_UNOWNED warning', 'RECORD_UNOWNED warning'],
        'G26',
      );
    }
    {
      const store = new KeptStore();
      const { a, b } = await openPair({}, { store, extensions: [] });
      await runningVm(a);
      t.strictSame(codes(await compared(t, a, store, b)), ['EXTENSION_MISSING warning']);
    }
    {
      const { a, b, store } = await pair(async (b) => {
        await b.fabric.switches.get('S').delete();
        await b.fabric.switches.create({ name: 'S', extensions: [FABRIKAM] });
        await b.fabric.switches.get('S').extensions.change(FABRIKAM, { required: true });
        b.keeper.failsRestart = true;
        await ending(() =>
          b.fabric.switches.get('S').extensions.change('Fabrikam forward', { enabled: true }),
        );
      });
      t.match(codes(await compared(t, a, store, b)), ['SWITCH_DOWN error'], 'A50');
    }
  },
);

t.test(
  'a required feature: neither start nor migration where no enabled extension offers it (management.md 5)',
  async (t) => {
    const store = new KeptStore();
    const { a, b } = await openPair({}, { store });
    await a.fabric.vms.create({
      name: 'vm',
      adapters: [{ switch: 'S', requiredFeatures: [PORT_SETTING] }],
    });
    t.strictSame(a.fabric.vms.get('vm').info.adapters[0]?.requiredFeatures, [
      { id: SETTING_ID, name: PORT_SETTING },
    ]);
    t.strictSame(codes(await compared(t, a, store, b)), []);
    await b.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false });
    const [problem] = await compared(t, a, store, b);
    t.match(problem, { code: 'FEATURE_REQUIRED', severity: 'error', feature: PORT_SETTING });
    t.match(problem?.message, /The connection requires feature Fabrikam_PortCustomSettingData/);
    await a.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false });
    await t.rejects(a.fabric.vms.get('vm').start(), {
      code: 'ILLEGAL_TRANSITION',
      message: /requires feature/,
    });
    t.match(codes((await a.fabric.vms.get('vm').compare()).problems), ['FEATURE_REQUIRED error']);
    await a.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: true });
    await a.fabric.vms.get('vm').start();
    t.equal(
      await ending(() =>
        a.fabric.vms.create({ name: 'x', adapters: [{ requiredFeatures: ['None'] }] }),
      ),
      'NOT_FOUND',
    );
  },
);

t.test(
  'what an adapter requires is changed: refused on a switch that lacks it, kept by the store, taken back when that fails (users 16)',
  async (t) => {
    const store = new KeptStore();
    const { a } = await openPair({}, { store });
    await a.fabric.vms.create({ name: 'vm', adapters: [{ name: 'e', switch: 'S' }] });
    const adapter = a.fabric.vms.get('vm').adapter('e');
    const { mtu } = adapter.info;
    const required = [{ id: SETTING_ID, name: PORT_SETTING }];
    t.strictSame(
      (await adapter.update({ requiredFeatures: [SETTING_ID] })).requiredFeatures,
      required,
    );
    t.equal(await ending(() => adapter.update({ requiredFeatures: ['None'] })), 'NOT_FOUND');
    t.strictSame(adapter.info.requiredFeatures, required, 'a class nobody knows changes nothing');
    await a.fabric.vms.get('vm').start();
    await adapter.update({ mtu: mtu + 1 });
    t.strictSame(adapter.info.requiredFeatures, required, 'not named, not changed');
    await adapter.update({ requiredFeatures: [] });
    t.notOk('requiredFeatures' in adapter.info);
    await a.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false });
    await t.rejects(adapter.update({ requiredFeatures: [PORT_SETTING], mtu }), {
      code: 'ILLEGAL_TRANSITION',
      message: /cannot stay connected to switch S: The connection requires feature Fabrikam_Port/,
    });
    t.match(adapter.info, { mtu: mtu + 1, connected: true }, 'nothing of it was done');
    await a.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: true });
    await t.rejects(
      a.fabric.atomic(async (world) => {
        await world.vms
          .get('vm')
          .adapter('e')
          .update({ requiredFeatures: [PORT_SETTING] });
        throw new Error('thought better of it');
      }),
      { message: 'thought better of it' },
    );
    t.notOk('requiredFeatures' in adapter.info, 'an atomic change that fails takes it back');
  },
);

t.test(
  'a VM compared with another switch of its own host; a migration has to name a host or a switch (S4)',
  async (t) => {
    const { a } = await openPair();
    const vm = await runningVm(a);
    await a.fabric.switches.create({ name: 'T' });
    t.strictSame(codes((await vm.compare('T')).problems), ['EXTENSION_DISABLED warning']);
    t.strictSame(codes((await vm.compare()).problems), []);
    t.strictSame(codes((await vm.compare('U')).problems), ['SWITCH_MISSING error']);
    const dry = await a.fabric.migrations.start({
      vm: 'vm',
      destination: { switch: 'T' },
      dryRun: true,
    });
    t.equal(dry.state, 'succeeded');
    t.equal(
      await ending(() => a.fabric.migrations.start({ vm: 'vm', destination: {} })),
      'INVALID_ARGUMENT',
    );
  },
);
