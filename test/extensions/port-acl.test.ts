import fc from 'fast-check';
import t from 'tap';
import portAcl from '../../extensions/port-acl/extension.ts';
import type { PortHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { defineExtension, NdisStatus, type PortProperty } from '../../src/sdk/index.ts';
import type { StoreValue } from '../../src/store/store.ts';
import { expectNoFindings, expectVeto, testSwitch } from '../../src/testing/index.ts';
import { FailingStore } from '../support/failing-store.ts';

const RULE = 'ExtSwitch_PortAclRuleSettingData';
const STATUS = 'ExtSwitch_PortAclStatus';
const ALLOW = 1;
const DENY = 2;

/** A filter installed after it stands above it; this one stands below: it refuses RULE changes while `refuse` says so. */
function below() {
  const state = { refuse: false };
  const verdict = ({ propertyType }: PortProperty) =>
    state.refuse && propertyType === 'custom' ? NdisStatus.RESOURCES : 'forward';
  const definition = defineExtension({
    id: '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0011',
    name: 'Below',
    vendor: 'Test',
    version: '1.0',
    type: 'forward',
    attach: () => ({
      addPortProperty: verdict,
      updatePortProperty: verdict,
      deletePortProperty: verdict,
    }),
  });
  return { definition, state };
}

const statusOf = async (port: PortHandle) => (await port.status(STATUS)).data;

t.test('a rule is accepted, updated and removed; the status of the port counts it', async (t) => {
  const sw = await testSwitch({ extensions: [portAcl] });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  t.match(
    await statusOf(port),
    { RulesHeld: 0, Adds: 0n, Vetoed: 0n },
    'a port it knows nothing of',
  );

  const web = await port.properties.add(RULE, {
    Action: ALLOW,
    Direction: 2,
    Protocol: 6,
    RemoteAddress: '10.0.0.0/8',
    RemotePortFirst: 443,
    RemotePortLast: 443,
  });
  t.equal(web.delivered, true);
  await port.properties.add(RULE, { Action: DENY, Direction: 2 });
  t.match(await statusOf(port), {
    RulesHeld: 2,
    AllowRules: 1,
    DenyRules: 1,
    Adds: 2n,
    Accepted: 2n,
  });
  await port.properties.update(web.id, { ...web.settings, Action: DENY });
  t.match(await statusOf(port), {
    RulesHeld: 2,
    AllowRules: 0,
    DenyRules: 2,
    Updates: 1n,
    Accepted: 3n,
  });
  await port.properties.delete(web.id);
  t.strictSame(await statusOf(port), {
    RulesHeld: 1,
    AllowRules: 0,
    DenyRules: 1,
    Adds: 2n,
    Updates: 1n,
    Deletes: 1n,
    Accepted: 4n,
    Vetoed: 0n,
    RolledBack: 0n,
    CaughtUp: 0n,
  });
  t.match(await statusOf(await sw.port('B')), { RulesHeld: 0, Adds: 0n }, 'ports are apart');
  expectNoFindings(sw);
  // Rule E28: a filter extension that accepted forwards.
  const changes = sw.oids({ origin: 'protocolEdge' }).filter(({ oid }) => /_PROPERTY_/.test(oid));
  t.equal(changes.length, 4);
  t.ok(changes.every(({ route }) => route.at(-1)?.module === 'miniportEdge'));
});

t.test('what other extensions own passes (rules E23, E24, F7)', async (t) => {
  const sw = await testSwitch({ extensions: [portAcl] });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  const vlan = await port.properties.add('Msvm_EthernetSwitchPortVlanSettingData', {
    OperationMode: 1,
    AccessVlanId: 7,
  });
  await port.properties.update(vlan.id, { OperationMode: 1, AccessVlanId: 8 });
  await port.properties.delete(vlan.id);
  await t.rejects(port.status('ffffffff-0000-0000-0000-000000000001'), {
    code: 'NO_FEATURE_STATUS',
  });
  t.match(await statusOf(port), { Adds: 0n, Updates: 0n, Deletes: 0n, Vetoed: 0n });
  expectNoFindings(sw);
});

t.test(
  'malformed rules are vetoed with DATA_NOT_ACCEPTED on ADD and on UPDATE (rules E36, B48)',
  async (t) => {
    const sw = await testSwitch({ extensions: [portAcl] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    const good = await port.properties.add(RULE, { Action: ALLOW });
    const malformed: readonly Readonly<Record<string, unknown>>[] = [
      { Action: 0 },
      { Action: 3 },
      { Direction: 0 },
      { Direction: 3 },
      { LocalAddress: 'localhost' },
      { LocalAddress: '10.0.0.256' },
      { RemoteAddress: '10.0.0.0/33' },
      { RemoteAddress: '::1/129' },
      { LocalAddress: '10.0.0.1', RemoteAddress: '::1' },
      { Protocol: 6, LocalPortFirst: 2, LocalPortLast: 1 },
      { Protocol: 17, RemotePortFirst: 65535, RemotePortLast: 0 },
      { Protocol: 0, LocalPortFirst: 80, LocalPortLast: 80 },
      { Protocol: 1, RemotePortFirst: 1 },
    ];
    for (const settings of malformed) {
      const what = JSON.stringify(settings);
      t.match(
        await expectVeto(port.properties.add(RULE, settings)),
        { oid: 'OID_SWITCH_PORT_PROPERTY_ADD', extensionId: portAcl.id },
        what,
      );
      await expectVeto(port.properties.update(good.id, settings));
    }
    t.strictSame(port.properties.get(good.id), good, 'nothing changed');
    t.match(await statusOf(port), {
      RulesHeld: 1,
      AllowRules: 1,
      Adds: BigInt(malformed.length + 1),
      Updates: BigInt(malformed.length),
      Accepted: 1n,
      Vetoed: BigInt(2 * malformed.length),
    });
    expectNoFindings(sw);
  },
);

t.test(
  'contradictory rules, same match and weight with opposite actions, are vetoed per port',
  async (t) => {
    const sw = await testSwitch({ extensions: [portAcl] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    const match = {
      Direction: 1,
      Protocol: 6,
      RemoteAddress: '10.1.2.3/8',
      LocalPortFirst: 80,
      LocalPortLast: 90,
    };
    const allow = await port.properties.add(RULE, { ...match, Action: ALLOW });
    await expectVeto(port.properties.add(RULE, { ...match, Action: DENY }));
    await expectVeto(
      port.properties.add(RULE, { ...match, RemoteAddress: '10.0.0.0/8', Action: DENY }),
      'DATA_NOT_ACCEPTED',
    );
    const twin = await port.properties.add(RULE, { ...match, Action: ALLOW });
    await expectVeto(port.properties.update(twin.id, { ...match, Action: DENY }));
    for (const [other, difference] of Object.entries({
      Weight: 101,
      Direction: 2,
      Protocol: 17,
      RemoteAddress: '10.0.0.0/9',
      LocalAddress: '0.0.0.0/0',
      LocalPortLast: 91,
      RemotePortFirst: 1,
      RemotePortLast: 1,
    })) {
      const rule = await port.properties.add(RULE, { ...match, [other]: difference, Action: DENY });
      await expectVeto(port.properties.update(rule.id, { ...match, Action: DENY }));
      await port.properties.delete(rule.id);
    }
    const b = await sw.port('B');
    const elsewhere = await b.properties.add(RULE, { ...match, Action: DENY });
    t.ok(elsewhere.delivered, 'another port has rules of its own');

    await port.properties.delete(twin.id);
    await port.properties.update(allow.id, { ...match, Action: DENY });
    t.match(await statusOf(port), { RulesHeld: 1, DenyRules: 1 }, 'alone it may change its action');
    await port.properties.add(RULE, { ...match, Action: DENY });
    await expectVeto(port.properties.add(RULE, { ...match, Action: ALLOW }));
    expectNoFindings(sw);
  },
);

t.test('E37: what a module below refuses is rolled back: add, update, delete', async (t) => {
  const { definition, state } = below();
  const sw = await testSwitch({ extensions: [portAcl, definition] });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  const rule = await port.properties.add(RULE, { Action: ALLOW });
  const counted = { RulesHeld: 1, AllowRules: 1, DenyRules: 0 };
  state.refuse = true;
  await expectVeto(port.properties.add(RULE, { Action: ALLOW, Weight: 1 }), 'RESOURCES');
  t.match(await statusOf(port), { ...counted, RolledBack: 1n });
  await expectVeto(port.properties.update(rule.id, { Action: DENY }), 'RESOURCES');
  t.match(await statusOf(port), { ...counted, RolledBack: 2n });
  await expectVeto(port.properties.delete(rule.id), 'RESOURCES');
  t.match(await statusOf(port), { ...counted, RolledBack: 3n, Adds: 2n, Updates: 1n, Deletes: 1n });
  state.refuse = false;
  // Had the refused change of action stayed, this would contradict it; were the deleted rule gone, the next would not.
  await port.properties.add(RULE, { Action: ALLOW });
  await expectVeto(port.properties.add(RULE, { Action: DENY }));
  await port.properties.add(RULE, { Action: DENY, Weight: 1 });
  t.match(await statusOf(port), { RulesHeld: 3, Accepted: 3n, RolledBack: 3n, Vetoed: 1n });
  expectNoFindings(sw);
});

t.test(
  'E37: a change that a module below pends and then refuses is rolled back when it ends',
  async (t) => {
    const slow = defineExtension({
      id: '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0012',
      name: 'Slow',
      vendor: 'Test',
      version: '1.0',
      type: 'forward',
      attach: (sw) => ({
        addPortProperty({ settings, request }) {
          sw.after(1000, () => {
            if (settings?.['Weight'] === 1) request.complete(NdisStatus.RESOURCES);
            else request.forward();
          });
          return request.pend();
        },
      }),
    });
    const sw = await testSwitch({ extensions: [portAcl, slow] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    const refused = expectVeto(
      port.properties.add(RULE, { Action: ALLOW, Weight: 1 }),
      'RESOURCES',
    );
    // Waits behind the first; when its turn comes, that rule is gone and it contradicts nothing.
    const next = port.properties.add(RULE, { Action: DENY, Weight: 2 });
    await sw.advance(1000);
    await refused;
    await sw.advance(1000);
    await next;
    t.match(await statusOf(port), { RulesHeld: 1, DenyRules: 1, RolledBack: 1n, Accepted: 1n });
    expectNoFindings(sw);
  },
);

t.test('E38, OP-7: the rules of a port end with it', async (t) => {
  const sw = await testSwitch({ extensions: [portAcl] });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  await port.properties.add(RULE, { Action: ALLOW });
  await port.delete();
  t.equal(sw.oids({ oid: 'PORT_PROPERTY_DELETE' }).length, 0, 'no deletes come before');
  const again = await sw.port('A');
  await again.properties.add(RULE, { Action: DENY });
  t.match(await statusOf(again), { RulesHeld: 1, DenyRules: 1, Adds: 1n });
  expectNoFindings(sw);
});

t.test(
  'enabled on a live switch it asks for what it missed, and again after another stack change (rules J11, E48)',
  async (t) => {
    const sw = await testSwitch({ extensions: [portAcl] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    const rule = await port.properties.add(RULE, { Action: ALLOW });
    await sw.disable(portAcl);
    await t.rejects(port.status(STATUS), { code: 'NO_FEATURE_STATUS' });
    const missed = await port.properties.add(RULE, { Action: DENY, Weight: 7 });
    t.equal(missed.delivered, false, 'nobody consumes it');
    const late = await sw.port('B');
    await late.properties.add(RULE, { Action: DENY });
    await port.properties.delete(rule.id);

    t.match(await sw.enable(portAcl), { running: true });
    t.match(await statusOf(port), { RulesHeld: 1, DenyRules: 1, CaughtUp: 1n, Adds: 0n });
    t.match(await statusOf(late), { RulesHeld: 1, CaughtUp: 1n });
    await expectVeto(port.properties.add(RULE, { Action: ALLOW, Weight: 7 }));
    await port.properties.update(missed.id, { Action: ALLOW, Weight: 7 });
    await late.delete();

    const { definition } = below();
    await sw.enable(definition);
    t.match(
      await statusOf(port),
      { RulesHeld: 1, AllowRules: 1, CaughtUp: 2n, Adds: 1n, Updates: 1n, Vetoed: 1n },
      'paused and restarted: counters stay, rules are asked for again',
    );
    expectNoFindings(sw);
  },
);

t.test(
  'OP-31: it refuses to run on contradictory or malformed rules set while it was disabled',
  async (t) => {
    const sw = await testSwitch({ extensions: [portAcl] });
    t.teardown(() => sw.close());
    await sw.disable(portAcl);
    const port = await sw.port('A');
    await port.properties.add(RULE, { Action: ALLOW });
    const second = await port.properties.add(RULE, { Action: DENY });
    await t.rejects(sw.enable(portAcl), {
      code: 'EXTENSION_FAILED',
      message: new RegExp(
        `cannot enforce what is set: rule ${second.id} of port 1 contradicts another`,
      ),
    });
    t.match(sw.switch.extensions.get(portAcl.id), { enabled: false, running: false });
    await port.properties.update(second.id, { Action: 9 });
    await t.rejects(sw.enable(portAcl), {
      message: /Action must be 1 \(allow\) or 2 \(deny\), found 9/,
    });
    await port.properties.delete(second.id);
    t.match(await sw.enable(portAcl), { running: true });
    t.match(await statusOf(port), { RulesHeld: 1, AllowRules: 1 });
  },
);

t.test('a restart of the fabric on an LMDB folder gives the rules back', async (t) => {
  const store = t.testdir({});
  const before = await testSwitch({ extensions: [portAcl], store });
  const port = await before.port('A');
  const rule = await port.properties.add(RULE, { Action: ALLOW, RemoteAddress: 'fe80::/10' });
  await port.properties.update(rule.id, { Action: DENY, RemoteAddress: 'fe80::/10' });
  await (await before.port('B')).properties.add(RULE, { Action: ALLOW });
  await before.close();

  const after = await testSwitch({ extensions: [portAcl], store });
  t.teardown(() => after.close());
  t.match(await statusOf(await after.port('A')), {
    RulesHeld: 1,
    DenyRules: 1,
    Adds: 1n,
    Updates: 0n,
  });
  t.match(await statusOf(await after.port('B')), { RulesHeld: 1, AllowRules: 1 });
  await expectVeto(
    (await after.port('A')).properties.add(RULE, { Action: ALLOW, RemoteAddress: 'fe80::1/10' }),
  );
  expectNoFindings(after);
});

/** A store in which port A has an allow rule and a contradictory deny rule, set while the extension was disabled; now it is enabled. */
async function contradictoryStore() {
  const store = new FailingStore();
  const fabric = await Fabric.open({ store, extensions: [portAcl], clock: 'manual' });
  const sw = await fabric.switches.create({ name: 'S' });
  const port = await sw.ports.create({ name: 'A' });
  await port.properties.add(RULE, { Action: ALLOW });
  const bad = await port.properties.add(RULE, { Action: DENY });
  const kept = new FailingStore();
  for (const [key, value] of store.range('')) {
    const record = value as Readonly<Record<string, StoreValue>>;
    const enabled = { ...record, extensions: [{ id: portAcl.id, enabled: true }] };
    await kept.write([{ op: 'put', key, value: key.startsWith('switch/') ? enabled : value }]);
  }
  await fabric.close();
  return { store: kept, bad: bad.id };
}

t.test(
  'a rule refused when it was told again stays stored and can be repaired by an update',
  async (t) => {
    const { store, bad } = await contradictoryStore();
    const fabric = await Fabric.open({ store, extensions: [portAcl], clock: 'manual' });
    t.teardown(() => fabric.close());
    const port = fabric.switches.get('S').ports.get('A');
    t.match(port.properties.get(bad), { delivered: false, revision: 1 });
    t.match(await statusOf(port), { RulesHeld: 1, Vetoed: 1n });

    await expectVeto(port.properties.update(bad, { Action: 9 }));
    t.match(port.properties.get(bad), { delivered: false, revision: 1 });
    store.failing = true;
    await t.rejects(port.properties.update(bad, { Action: DENY, Weight: 5 }), {
      code: 'STORE_UNAVAILABLE',
    });
    store.failing = false;
    t.match(port.properties.get(bad), { delivered: false, revision: 1, settings: { Weight: 100 } });
    t.match(await statusOf(port), { RulesHeld: 1, AllowRules: 1 }, 'taken back as a whole');

    await port.properties.update(bad, { Action: DENY, Weight: 5 });
    t.match(port.properties.get(bad), { delivered: true, revision: 2 });
    t.match(await statusOf(port), { RulesHeld: 2, AllowRules: 1, DenyRules: 1 });
    await port.properties.update(bad, { Action: DENY, Weight: 6 });
    t.match(
      await statusOf(port),
      { RulesHeld: 2, Updates: 1n },
      'from then on an update is an update',
    );
  },
);

const NEWER = `
[Dynamic, UUID("2D6E9B54-7C1F-4E0B-8A35-90C4D1F7B102"), ExtensionId("2D6E9B54-7C1F-4E0B-8A35-90C4D1F7B101"),
 Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1.1"), InterfaceRevision("0")]
class ExtSwitch_PortAclRuleSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0")] uint8 Action = 2;
  [WmiDataId(2), InterfaceVersion("1"), InterfaceRevision("0")] uint8 Direction = 1;
  [WmiDataId(3), InterfaceVersion("1"), InterfaceRevision("0")] uint8 Protocol = 0;
  [WmiDataId(4), InterfaceVersion("1"), InterfaceRevision("0")] uint32 Weight = 100;
  [WmiDataId(5), MaxLen(49), InterfaceVersion("1"), InterfaceRevision("0")] string LocalAddress = "any";
  [WmiDataId(6), MaxLen(49), InterfaceVersion("1"), InterfaceRevision("0")] string RemoteAddress = "any";
  [WmiDataId(7), InterfaceVersion("1"), InterfaceRevision("0")] uint16 LocalPortFirst = 0;
  [WmiDataId(8), InterfaceVersion("1"), InterfaceRevision("0")] uint16 LocalPortLast = 65535;
  [WmiDataId(9), InterfaceVersion("1"), InterfaceRevision("0")] uint16 RemotePortFirst = 0;
  [WmiDataId(10), InterfaceVersion("1"), InterfaceRevision("0")] uint16 RemotePortLast = 65535;
  [WmiDataId(11), InterfaceVersion("1.1"), InterfaceRevision("0")] boolean Stateful;
};`;

t.test('E51: properties of a newer class version are read as far as they are known', async (t) => {
  const sw = await testSwitch({ extensions: [portAcl], mof: NEWER });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  const rule = await port.properties.add(RULE, { Action: ALLOW, Stateful: true });
  t.equal(rule.version, 0x0101);
  await expectVeto(port.properties.add(RULE, { Action: DENY, Stateful: false }));
  await sw.disable(portAcl);
  await sw.enable(portAcl);
  t.match(await statusOf(port), { RulesHeld: 1, AllowRules: 1, CaughtUp: 1n });
  expectNoFindings(sw);
});

t.test(
  'law: in any sequence of changes the counters add up and the status holds what management holds',
  async (t) => {
    const change = fc.record({
      kind: fc.constantFrom('add', 'update', 'delete', 'toggle', 'refuse'),
      action: fc.integer({ min: 0, max: 2 }),
      weight: fc.integer({ min: 1, max: 3 }),
      pick: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 25 }), async (changes) => {
        const { definition, state } = below();
        const sw = await testSwitch({ extensions: [portAcl, definition] });
        const port = await sw.port('A');
        const quiet = (promise: Promise<unknown>) => promise.catch(() => undefined);
        for (const { kind, action, weight, pick } of changes) {
          const ids = Array.from(port.properties.list(), ({ id }) => id);
          const id = ids[pick % Math.max(1, ids.length)];
          const settings = { Action: action, Weight: weight };
          if (kind === 'add') await quiet(port.properties.add(RULE, settings));
          if (kind === 'update' && id !== undefined)
            await quiet(port.properties.update(id, settings));
          if (kind === 'delete' && id !== undefined) await quiet(port.properties.delete(id));
          if (kind === 'refuse') state.refuse = !state.refuse;
          if (kind === 'toggle') {
            await sw.disable(definition);
            await sw.enable(definition);
          }
          const s = await statusOf(port);
          const held = Array.from(port.properties.list(), (p) => p.settings['Action']);
          t.equal(s['RulesHeld'], held.length);
          t.equal(s['AllowRules'], held.filter((a) => a === ALLOW).length);
          const big = (name: string) => BigInt(s[name] as bigint);
          t.equal(
            big('Adds') + big('Updates') + big('Deletes'),
            big('Accepted') + big('Vetoed') + big('RolledBack'),
          );
        }
        expectNoFindings(sw);
        await sw.close();
      }),
      { numRuns: 15 },
    );
  },
);
