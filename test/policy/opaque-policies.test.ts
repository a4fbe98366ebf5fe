import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { MigrationInfo } from '../../src/policy/migration-api.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import { extensionWith, FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { type Host, openHost, openPair, PORT_SETTING, runningVm } from './migration-world.ts';
import { contents, ending, first, KeptStore } from './vm-world.ts';

/*
 * management.md 5: a policy of a class that the destination does not know, and that is not required, is kept opaque in the
 * configuration, reported, not delivered.
 */

const SETTING_ID = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb';
const [PORT_CLASS = ''] = FABRIKAM_MOF.split('\n};').map((one) => `${one}\n};`);
const policiesOf = ({ fabric }: Host) => [...first(fabric.vms.get('vm')).properties.list()];
const ofClass = (host: Host) => policiesOf(host).find(({ featureId }) => featureId === SETTING_ID);

async function moved(from: Host, host: string): Promise<MigrationInfo> {
  const { id } = await from.fabric.migrations.start({ vm: 'vm', destination: { host } });
  return from.fabric.migrations.done(id);
}

/** `vm` of `a` on `b`, which has the extension and not the class. */
async function opaquePair(options: Parameters<typeof openPair>[1] = {}) {
  const pair = await openPair({}, options);
  await pair.b.fabric.features.delete(SETTING_ID);
  await runningVm(pair.a);
  const done = await moved(pair.a, 'b');
  return { ...pair, done };
}

t.test(
  'a class the destination does not know is a warning; the policy is kept as it came and told to nobody (management.md 5)',
  async (t) => {
    const { a, b, done } = await opaquePair();
    t.match(done, {
      state: 'succeeded',
      report: {
        ok: true,
        problems: [{ code: 'CLASS_MISSING', severity: 'warning', feature: PORT_SETTING }],
      },
    });
    t.match(done.report?.problems[0]?.message, /kept there unread and told to nobody/);
    t.match(ofClass(b), {
      feature: PORT_SETTING,
      version: 256,
      settings: { SettingIntA: 100, SettingIntB: '9999' },
      revision: 1,
      delivered: false,
      opaque: true,
    });
    t.equal(policiesOf(b)[1]?.opaque, undefined, 'what is read says nothing of it');
    t.strictSame(
      b.oids().filter((oid) => oid.startsWith('PORT_PROPERTY')),
      ['PORT_PROPERTY_ADD', 'PORT_PROPERTY_ADD'],
      'VLAN alone: on the validation port and on the operational one (G36, G37)',
    );
    t.equal([...a.fabric.vms.list()].length, 0, 'and it is nowhere else');
  },
);

t.test('it goes back to where its class is known and is told there (G37, G41)', async (t) => {
  const { a, b } = await opaquePair();
  a.oids();
  t.match(await moved(b, 'a'), { state: 'succeeded', report: { ok: true, problems: [] } });
  const back = ofClass(a);
  t.match(back, { settings: { SettingIntA: 100, SettingIntB: 9_999n }, delivered: true });
  t.equal(back?.opaque, undefined);
  t.equal(a.oids().filter((oid) => oid === 'PORT_PROPERTY_ADD').length, 4, 'two policies, twice');
});

t.test('its host is started again: it is there, unread; then the class comes (E61)', async (t) => {
  const store = new KeptStore();
  const { hosts, b } = await opaquePair({ store });
  await b.fabric.close();
  const again = await openHost(hosts, 'b', { store, extensions: b.extensions });
  t.match(ofClass(again), { settings: { SettingIntA: 100, SettingIntB: '9999' }, opaque: true });
  await again.fabric.features.register(FABRIKAM_MOF);
  t.match(ofClass(again), { settings: { SettingIntB: 9_999n }, delivered: true });
  const [line = ''] = contents(store).filter(
    (one) => one.startsWith('property/vm/') && one.includes(SETTING_ID),
  );
  t.match(line, '"SettingIntB":"9999n"', 'stored as typed values');
  t.notMatch(line, 'opaque');
  await again.fabric.close();
  const third = await openHost(hosts, 'b', { store, extensions: b.extensions });
  t.match(ofClass(third), { settings: { SettingIntA: 100, SettingIntB: 9_999n }, delivered: true });
  t.equal(await ending(() => third.fabric.features.delete(SETTING_ID)), 'FEATURE_IN_USE');
});

t.test('its class is registered: the extension hears of it at once, in its place', async (t) => {
  const { b } = await opaquePair();
  b.oids();
  const { lastSeq } = b.fabric.events;
  await b.fabric.features.register(FABRIKAM_MOF);
  t.strictSame(b.oids(), ['PORT_PROPERTY_ADD']);
  t.match(policiesOf(b), [{ feature: PORT_SETTING, delivered: true }, {}]);
  t.match(
    b.fabric.events
      .after(lastSeq)
      .map(({ data }) => data)
      .filter((data) => data['event'] === 'policyRead'),
    [{ vm: 'vm', feature: PORT_SETTING, property: ofClass(b)?.id }],
  );
  await b.fabric.features.register(FABRIKAM_MOF);
  t.strictSame(b.oids(), [], 'once');
});

t.test(
  'an extension refuses it when it is read: marked, and kept, as after a restart',
  async (t) => {
    const { b } = await opaquePair();
    b.keeper.decide = (oid) =>
      oid === 'PORT_PROPERTY_ADD' ? NdisStatus.DATA_NOT_ACCEPTED : undefined;
    await b.fabric.features.register(FABRIKAM_MOF);
    t.match(ofClass(b), { settings: { SettingIntB: 9_999n }, delivered: false });
    t.equal(ofClass(b)?.opaque, undefined);
    t.match(b.fabric.findings.entries().at(-1), { rule: 'E17' });
  },
);

t.test('a class by which it could not be read is not registered', async (t) => {
  const { b } = await opaquePair();
  const before = ofClass(b);
  const none = async (mof: string, expected: string, uint16: 'native' | 'doc32' = 'native') => {
    await t.rejects(b.fabric.features.register(mof, { uint16 }), {
      code: expected,
      message: /^policy [0-9a-f-]{36} of network adapter .* which is kept unread here: /,
    });
    t.equal(await ending(async () => b.fabric.features.get(SETTING_ID)), 'NOT_FOUND');
    t.strictSame(ofClass(b), before);
  };
  await none(
    PORT_CLASS.replace('InterfaceVersion("1")', 'InterfaceVersion("0")'),
    'CLASS_MISMATCH',
  );
  await none(PORT_CLASS, 'CLASS_MISMATCH', 'doc32');
  await none(PORT_CLASS.replace('uint32 SettingIntA', 'uint16 SettingIntA'), 'CLASS_MISMATCH');
  await none(
    PORT_CLASS.replace('InterfaceRevision("0")', 'InterfaceRevision("1")').replace(
      'WmiDataId(1)]',
      'WmiDataId(1), MaxValue(99)]',
    ),
    'SETTINGS_INVALID',
  );
  const newer = PORT_CLASS.replace('InterfaceRevision("0")', 'InterfaceRevision("1")').replace(
    '};',
    '[Read, Write, WmiDataId(3)] uint32 SettingIntC = 7;\n};',
  );
  await b.fabric.features.register(newer);
  t.match(ofClass(b), {
    version: 257,
    settings: { SettingIntA: 100, SettingIntB: 9_999n, SettingIntC: 7 },
    delivered: true,
  });
});

t.test(
  'a connection that requires the class does not go where it is unknown (users 16)',
  async (t) => {
    const { a, b } = await openPair();
    await b.fabric.features.delete(SETTING_ID);
    const vm = await runningVm(a);
    await first(vm).update({ requiredFeatures: [PORT_SETTING] });
    const done = await moved(a, 'b');
    t.match(done, {
      state: 'failed',
      error: { code: 'INCOMPATIBLE' },
      report: {
        ok: false,
        problems: [
          { code: 'FEATURE_REQUIRED', severity: 'error' },
          { code: 'CLASS_MISSING', severity: 'error' },
        ],
      },
    });
    t.match(ofClass(a), { delivered: true });
  },
);

t.test('unread it can be deleted, and not be changed', async (t) => {
  const store = new KeptStore();
  const { b } = await opaquePair({ store });
  const { properties } = first(b.fabric.vms.get('vm'));
  const id = ofClass(b)?.id ?? '';
  b.oids();
  await t.rejects(properties.update(id, { SettingIntA: 1 }), {
    code: 'ILLEGAL_TRANSITION',
    message: /is kept unread, since the class is not registered here: register its MOF/,
  });
  await properties.delete(id);
  t.strictSame([b.oids(), policiesOf(b).length], [[], 1], 'no OID (E3)');
  t.notOk(contents(store).some((line) => line.includes(id)));
});

t.test('exported from where it is unread, it comes with its class (issue 4, part 3)', async (t) => {
  const { hosts, b } = await opaquePair();
  const document = await b.fabric.vms.get('vm').export();
  t.match(document.features, [
    { id: SETTING_ID, name: PORT_SETTING, version: 256, uint16: 'native' },
  ]);
  t.strictSame(document.vms[0]?.adapters[0]?.properties[0]?.settings, {
    SettingIntA: 100,
    SettingIntB: '9999',
  });
  const c = await openHost(hosts, 'c');
  await c.fabric.features.delete(SETTING_ID);
  const { notes } = await c.fabric.vms.import(document);
  t.strictSame(notes, ['class Fabrikam_PortCustomSettingData 1.0 was registered']);
  t.match(ofClass(c), { settings: { SettingIntA: 100, SettingIntB: 9_999n } });
  await b.fabric.vms.import(document, { name: 'copy' });
  t.match(ofClass(b), { delivered: true }, 'the class that came with the copy reads it, too');
});

t.test('what is read is unread again when the change is taken back (design.md 5)', async (t) => {
  const { b } = await opaquePair();
  const before = policiesOf(b);
  b.oids();
  await t.rejects(
    b.fabric.atomic(async (world) => {
      await world.features.register(FABRIKAM_MOF);
      t.match([...first(world.vms.get('vm')).properties.list()], [{ delivered: true }, {}]);
      throw new Error('thought better of it');
    }),
    { message: 'thought better of it' },
  );
  t.strictSame(policiesOf(b), before);
  t.strictSame(b.oids(), ['PORT_PROPERTY_ADD', 'PORT_PROPERTY_DELETE']);
  t.equal(await ending(async () => b.fabric.features.get(SETTING_ID)), 'NOT_FOUND');
});

t.test(
  'the class is registered while the VM is on its way: read when it has arrived',
  async (t) => {
    const { a, b } = await openPair();
    await b.fabric.features.delete(SETTING_ID);
    await runningVm(a);
    let registered: Promise<unknown> | undefined;
    b.keeper.decide = (oid) => {
      if (oid === 'NIC_CREATE') registered ??= b.fabric.features.register(FABRIKAM_MOF);
      return undefined;
    };
    t.match(await moved(a, 'b'), { state: 'succeeded' });
    await registered;
    for (let turn = 0; turn < 20 && ofClass(b)?.opaque === true; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.match(ofClass(b), { settings: { SettingIntB: 9_999n }, delivered: true });
  },
);

t.test('an extension that is installed brings the class with it', async (t) => {
  const { b } = await opaquePair({ extensions: [] });
  t.match(ofClass(b), { opaque: true });
  const folder = t.testdir({ 'fabrikam.mof': FABRIKAM_MOF });
  const extension = extensionWith(() => ({}));
  await b.fabric.extensions.install(
    defineExtension({ ...extension, mof: [`${folder}/fabrikam.mof`] }),
  );
  t.match(ofClass(b), { settings: { SettingIntA: 100, SettingIntB: 9_999n }, delivered: false });
  t.equal(ofClass(b)?.opaque, undefined);
});

// --- what went over unread and came back ---------------------------------------------------------------------------------

const MANY_ID = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbf0';
const MANY_MOF = `[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("${MANY_ID}"), ExtensionId("${FABRIKAM}"), DisplayName("Many"), InterfaceVersion("3"), InterfaceRevision("7")]
class Fabrikam_Many : Msvm_EthernetSwitchPortFeatureSettingData {
  [Read, Write, WmiDataId(1)] boolean Flag;
  [Read, Write, WmiDataId(2)] sint8 Small;
  [Read, Write, WmiDataId(3)] uint16 Word;
  [Read, Write, WmiDataId(4)] uint64 Big;
  [Read, Write, WmiDataId(5)] sint64 Signed;
  [Read, Write, WmiDataId(6)] real64 Real;
  [Read, Write, WmiDataId(7), MaxLen(40)] string Fixed;
  [Read, Write, WmiDataId(8)] string Text;
  [Read, Write, WmiDataId(9), Max(4)] uint32 Four[];
  [Read, Write, WmiDataId(10)] sint64 Any[];
};`;

const anyText = (maxLength: number) => fc.string({ maxLength, unit: 'grapheme-ascii' });
const values = fc.record({
  Flag: fc.boolean(),
  Small: fc.integer({ min: -128, max: 127 }),
  Word: fc.integer({ min: 0, max: 0xffff }),
  Big: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  Signed: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  Real: fc.double({ noNaN: true, noDefaultInfinity: true }),
  Fixed: anyText(40),
  Text: anyText(300),
  Four: fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 4 }),
  Any: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 9 }),
});

t.test('whatever its values: what came back is told in the same bytes (G41, G42)', async (t) => {
  const seed = 20_100_426;
  t.comment(`seed ${seed}`);
  const store = new KeptStore();
  const { hosts, a, b: first_ } = await openPair({}, { store });
  let b = first_;
  await a.fabric.features.register(MANY_MOF);
  await runningVm(a);
  const told: string[] = [];
  const bytes = (host: Host, afterSeq: number): string[] =>
    host.fabric.trace
      .entries({ afterSeq })
      .filter(({ oid }) => oid === 'OID_SWITCH_PORT_PROPERTY_ADD')
      // From PropertyType on: what stands before is the port's.
      .map(({ input }) => Buffer.from(input).toString('hex').slice(24));
  await fc.assert(
    fc.asyncProperty(values, fc.boolean(), async (settings, restarted) => {
      const { properties } = first(a.fabric.vms.get('vm'));
      const from = a.fabric.events.lastSeq;
      const { id } = await properties.add('Fabrikam_Many', settings);
      const [sent = ''] = bytes(a, from);
      told.push(sent);
      await moved(a, 'b');
      const kept = first(b.fabric.vms.get('vm')).properties.get(id);
      if (kept.opaque !== true || kept.delivered) throw new Error('it was read there');
      if (restarted) {
        await b.fabric.close();
        b = await openHost(hosts, 'b', { store, extensions: b.extensions });
      }
      const since = a.fabric.events.lastSeq;
      await moved(b, 'a');
      if (!bytes(a, since).includes(sent)) throw new Error('it came back with other bytes');
      await first(a.fabric.vms.get('vm')).properties.delete(id);
    }),
    { seed, numRuns: 40 },
  );
  t.equal(told.length >= 40, true);
});
