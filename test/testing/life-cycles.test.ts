import t from 'tap';
import { bundledExtensions } from '../../extensions/index.ts';
import type { ProfileName, TraceEntry } from '../../src/policy/api.ts';
import { findRule, OPEN_POINTS } from '../../src/rules/rule-book.ts';
import { defineExtension, NdisStatus } from '../../src/sdk/index.ts';
import {
  type LifeCycle,
  type LifeCycleOptions,
  lifeCycles,
  runLifeCycle,
  testSwitch,
} from '../../src/testing/index.ts';
import { checkOidOrder } from '../../src/testing/life-cycles/oid-order.ts';
import { LifeCycleStage } from '../../src/testing/life-cycles/stage.ts';
import { honest, patient, Sample, sampleExtension } from './broken/sample.ts';

t.setTimeout(120_000);

const PROFILES: readonly ProfileName[] = [
  'ws2012',
  'ws2012r2',
  'ws2016',
  'ws2019',
  'ws2022',
  'ws2025',
];
/** An address, since MAC Forward takes none that is empty. */
const SETTINGS = {
  ExtSwitch_MacForwardAddressSettingData: { MacAddress: [0x00, 0x15, 0x5d, 0x00, 0x00, 0x01] },
};

function lifeCycle(name: string): LifeCycle {
  const found = lifeCycles.find((it) => it.name === name);
  if (found === undefined) throw new Error(`no life cycle is named ${name}`);
  return found;
}

const play = (name: string, options: LifeCycleOptions) => runLifeCycle(lifeCycle(name), options);

t.test('each life cycle of issue 3 is there, with its public origin and its rules', async (t) => {
  t.strictSame(lifeCycles.map(({ name }) => name).sort(), [
    'clean-up-once',
    'disable-during-traffic-set-up',
    'enable-during-start',
    'internal-nic-reconnect',
    'service-restart',
    'several-switches',
    'teamed-uplink',
    'toggle-with-ports',
    'uninstall-race',
    'vms-stop-together',
  ]);
  for (const { name, origin, rules, title, story, checks } of lifeCycles) {
    t.ok(origin.length > 0, `${name} says where it comes from`);
    for (const { what, url } of origin) {
      t.match(
        url,
        /^https:\/\/github\.com\/[\w-]+\/[\w-]+\/(?:commit|issues|pull|blob)\/[\w./-]+$/,
      );
      t.not(what, '');
    }
    t.strictSame(
      rules.filter((rule) => findRule(rule) === undefined),
      [],
      `${name} names rules of the book`,
    );
    for (const text of [title, story, checks]) t.match(text, /^[A-Z].{30,}/);
  }
  t.ok(OPEN_POINTS.length > 0);
});

for (const profile of PROFILES) {
  t.test(`every life cycle passes with each bundled extension on ${profile}`, async (t) => {
    // Races: another seed for each profile; the command line plays more.
    const seed = `seed-of-${profile}`;
    const strict = profile === 'ws2022' ? [honest()] : [];
    for (const extension of [...(await bundledExtensions()), ...strict]) {
      for (const each of lifeCycles) {
        const report = await runLifeCycle(each, { extension, profile, seed, settings: SETTINGS });
        const what = `${each.name} with ${extension.name}`;
        t.strictSame(report.failures, [], what);
        t.strictSame(report.notes, [], `${what} uses every policy class`);
        t.match(report, { ok: true, name: each.name, seed, seeds: 1, profile });
        t.equal(report.scheduling, each.isRace ? 'seeded' : 'fifo');
      }
    }
  });
}

t.test(
  'an extension that holds NIC_CREATE until its first restart (rule A74) passes',
  async (t) => {
    for (const name of ['enable-during-start', 'disable-during-traffic-set-up']) {
      const report = await play(name, { extension: patient(), seeds: 12 });
      t.strictSame(report.failures, [], name);
      t.equal(report.seeds, 12);
    }
    const { trace } = await play('enable-during-start', {
      extension: patient(),
      seed: 'life-cycle-3',
    });
    t.match(
      trace,
      /^OID_SWITCH_NIC_CREATE .* Patient pend > Patient forward > .*SUCCESS$/m,
      'it did',
    );
  },
);

t.test('the same seed plays the same, OID by OID; another seed does not', async (t) => {
  const extension = honest();
  const first = await play('vms-stop-together', { extension, seed: 'a' });
  const again = await play('vms-stop-together', { extension, seed: 'a' });
  const other = await play('vms-stop-together', { extension, seed: 'b' });
  t.equal(again.trace, first.trace);
  t.not(other.trace, first.trace);
  // Rule A47: bottom-up, so the witness below asks first.
  const start =
    'switch Crowded\nOID_SWITCH_PARAMETERS query: Witness below > miniport edge => NDIS_STATUS_SUCCESS\n';
  t.equal(first.trace.slice(0, start.length), start);
  t.match(first.trace, 'Witness above forward > Honest forward > Witness below forward');
});

t.test('seeds are played until one fails, and the report names that one', async (t) => {
  const extension = honest();
  t.match(await play('vms-stop-together', { extension }), { seed: 'life-cycle-8', seeds: 8 });
  t.match(await play('clean-up-once', { extension }), { seed: 'life-cycle-1', seeds: 1 });
  const some = { extension, seed: 'mine', seeds: 2, scheduling: 'seeded' } as const;
  t.match(await play('clean-up-once', some), { seed: 'mine-2', seeds: 2, scheduling: 'seeded' });
  let worlds = 0;
  const third = sampleExtension('Fails in its third world', (sw) => {
    worlds += 1;
    if (worlds === 3) throw new Error('the third');
    return new Sample(sw);
  });
  const failed = await play('vms-stop-together', { extension: third, seed: 'mine', seeds: 5 });
  t.match(failed, { ok: false, seed: 'mine-3', seeds: 3 });
});

t.test(
  'a class whose defaults are refused is left out with a note, settings that are given count',
  async (t) => {
    const picky = () =>
      sampleExtension(
        'Picky',
        (sw) =>
          new (class extends Sample {
            override addPortProperty(property: Parameters<Sample['addPortProperty']>[0]) {
              const limit = property.settings?.['Limit'];
              return limit === 10 ? NdisStatus.DATA_NOT_ACCEPTED : super.addPortProperty(property);
            }
          })(sw),
      );
    const left = await play('internal-nic-reconnect', { extension: picky() });
    t.equal(left.ok, true);
    t.equal(left.notes.length, 1);
    t.match(
      left.notes[0],
      'no instance of Sample_LimitSettingData was used: give settings it accepts',
    );
    const given = (limit: number) => ({ Sample_LimitSettingData: { Limit: limit } });
    const used = await play('internal-nic-reconnect', { extension: picky(), settings: given(5) });
    t.strictSame([used.failures, used.notes], [[], []]);
    const refused = await play('internal-nic-reconnect', {
      extension: picky(),
      settings: given(10),
    });
    t.match(refused.failures, [
      { message: /^add policies to the host port: extension Picky refused/ },
    ]);
  },
);

t.test('MOF text stands for an extension without MOF files', async (t) => {
  const id = '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0102';
  const mof = `
[Dynamic, UUID("0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0103"), ExtensionId("${id}"),
 Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0")]
class Test_TextSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0")] uint32 Limit;
};`;
  let adds = 0;
  const extension = defineExtension({
    id,
    name: 'Text',
    vendor: 'Test',
    version: '1.0',
    type: 'filter',
    attach: () => ({
      addPortProperty({ feature }) {
        if (feature === 'Test_TextSettingData') adds += 1;
        return 'forward';
      },
    }),
  });
  const report = await play('internal-nic-reconnect', { extension, mof });
  t.strictSame(report.failures, []);
  t.equal(adds, 1);
});

t.test('what an extension below must see, and what may not stay, is noticed', async (t) => {
  // Rule D13: it ends what is not its own.
  const swallows = sampleExtension('Swallows', () => ({
    addPortProperty: ({ propertyType }) =>
      propertyType === 'custom' ? NdisStatus.SUCCESS : 'forward',
  }));
  const swallowed = await play('clean-up-once', { extension: swallows });
  t.ok(
    swallowed.failures.some(({ message }) =>
      /Witness below knows property \S+ of port \d+ as nothing, the switch as \{"Value":\d+\}/.test(
        message,
      ),
    ),
    'the view of the witness below is not what the switch says',
  );
  // Rule B39: references that are never given back, one an update: two rounds of two updates of two policies.
  const holds = sampleExtension('Holds', (sw) => ({
    updatePortProperty({ portId }) {
      sw.referencePort(portId);
      return 'forward';
    },
  }));
  const held = await play('internal-nic-reconnect', { extension: holds });
  t.strictSame(
    held.failures.map(({ rule }) => rule),
    ['B39'],
  );
  t.match(held.failures[0]?.message, /^Holds detached with 8 reference\(s\) on port 1$/);
});

t.test('a witness that cannot ask at once is blind, which is noted', async (t) => {
  const slow = sampleExtension('Slow', (sw) => ({
    oidRequest(request) {
      if (request.oidName !== 'OID_SWITCH_NIC_ARRAY') return 'forward';
      const pended = request.pend();
      sw.after(1, () => request.forward());
      return pended;
    },
  }));
  const report = await play('internal-nic-reconnect', { extension: slow });
  t.strictSame(report.failures, []);
  t.match(report.notes, [
    /^Witness above saw nothing on Internal: .*OID_SWITCH_NIC_ARRAY was pended/,
  ]);
});

t.test(
  'what never ends, and a policy that is lost or changed behind its back, are failures',
  async (t) => {
    const open = () =>
      LifeCycleStage.open({
        extension: honest(),
        seed: 's',
        profile: 'ws2022',
        scheduling: 'fifo',
      });
    const stage = await open();
    await stage.createSwitch('S');
    const [owner] = await stage.createVm('VM1', ['S']);
    await t.rejects(
      stage.act('wait', () => new Promise(() => undefined), 'B42'),
      { name: 'LifeCycleStopped', message: 'wait' },
    );
    const { properties } = stage.fabric.vms.get('VM1').adapter('eth0');
    const [first, second] = [...properties.list()];
    if (owner === undefined || first === undefined || second === undefined) throw new Error('two');
    await properties.update(first.id, { Value: 77 });
    await properties.delete(second.id);
    await stage.check('then');
    await stage.close();
    t.strictSame(stage.failures, [
      { message: 'wait: did not end within 120000 virtual ms', rule: 'B42' },
      {
        message:
          'then: policy ExtSwitch_LifeCyclePortSettingData of VM1 eth0 is {"Value":77}, expected {"Value":1}',
        rule: 'E26',
      },
      { message: 'then: policy Sample_LimitSettingData of VM1 eth0 is gone', rule: 'E38' },
    ]);
  },
);

t.test('an error of the life cycle itself is thrown', async (t) => {
  const wrong = { ...lifeCycle('clean-up-once'), run: () => Promise.reject(new TypeError('oops')) };
  await t.rejects(runLifeCycle(wrong, { extension: honest() }), new TypeError('oops'));
});

t.test('an OID that is no path of the state tables is told with its rule', async (t) => {
  const sw = await testSwitch({ type: 'internal' });
  const port = await sw.switch.host.addInternalNic();
  await port.properties.add('Msvm_EthernetSwitchPortSecuritySettingData', {});
  await port.delete();
  const all = sw.oids().filter(({ oid }) => !/_ARRAY|_PARAMETERS/.test(oid));
  await sw.close();
  const names = all.map(({ oid }) => oid.replace('OID_SWITCH_', ''));
  t.strictSame(names, [
    'PORT_CREATE',
    'NIC_CREATE',
    'NIC_CONNECT',
    'PORT_PROPERTY_ADD',
    'NIC_DISCONNECT',
    'NIC_DELETE',
    'PORT_TEARDOWN',
    'PORT_DELETE',
  ]);
  t.strictSame(checkOidOrder(all), []);
  const without = (name: string): TraceEntry[] =>
    all.filter(({ oid }) => oid !== `OID_SWITCH_${name}`);
  const rules = (entries: readonly TraceEntry[]) =>
    checkOidOrder(entries).map(({ rule, message }) => `${rule} ${message.split(': ')[1]}`);
  // Rule book B.5 and C.5: each pair is not in its table.
  t.strictSame(rules(without('PORT_TEARDOWN')), [
    'B21 OID_SWITCH_PORT_DELETE came while port 1 was created',
  ]);
  t.strictSame(rules(without('NIC_DISCONNECT')), [
    'C31 OID_SWITCH_NIC_DELETE came while NIC 1/0 was connected',
    'B20 OID_SWITCH_PORT_TEARDOWN came while NIC 1/0 was connected',
  ]);
  t.strictSame(rules(without('NIC_CONNECT')), [
    'C30 OID_SWITCH_NIC_DISCONNECT came while NIC 1/0 was created',
  ]);
  t.strictSame(rules([...all, ...all.slice(3, 4)]), [
    'E20 OID_SWITCH_PORT_PROPERTY_ADD came while port 1 was notCreated',
  ]);
  const [create] = all;
  if (create === undefined) throw new Error('the port was created');
  const failed = { ...create, status: 'NDIS_STATUS_DATA_NOT_ACCEPTED' };
  t.strictSame(rules([failed, ...all]), [], 'rule B17: what was refused was not created');
  t.strictSame(rules([create, ...all]), [
    'B1 OID_SWITCH_PORT_CREATE came while port 1 was created',
  ]);
  const empty = { ...create, oid: 'OID_SWITCH_PORT_PROPERTY_ADD', input: new Uint8Array(0) };
  t.match(checkOidOrder([empty, ...all]), [
    { rule: 'D12', message: /PROPERTY_ADD came as .*64 bytes/ },
  ]);
});
