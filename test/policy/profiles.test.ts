import t from 'tap';
import type { ProfileName, TraceEntry } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { parseProfile, profileFacts, VERSION_FACTS } from '../../src/policy/profile.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { now, portOptions, startSwitch, switchWorld } from '../support/switch-world.ts';
import { KeptStore, one } from './host-world.ts';

const SECURITY = 'Msvm_EthernetSwitchPortSecuritySettingData';
const ISOLATION = 'Msvm_EthernetSwitchPortIsolationSettingData';
const ROUTING = 'Msvm_EthernetSwitchPortRoutingDomainSettingData';
const CLASS = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb';

/** Literal facts of ndis-switch-abi.json and rules.md; `[revision, Header.Size, bytes]`. */
interface Expected {
  readonly ndis: string;
  readonly nic: readonly [number, number, number];
  readonly initializing: number;
  readonly security: readonly [number, number, number];
  /** Isolation and RoutingDomain can be set. */
  readonly isolation: boolean;
  readonly save: readonly [number, number];
  /** Revision and Header.Size of the NDIS_OID_REQUEST inside NIC_REQUEST. */
  readonly request: readonly [number, number];
  readonly suspend: boolean;
  readonly migration: boolean;
  readonly restoring: number;
  /** Flags 3 asked for at PORT_CREATE: what is left. */
  readonly flags: number;
}

const NIC_2 = [2, 2224, 2224] as const;
const SECURITY_2 = [2, 24, 24] as const;
const NEWEST = {
  nic: NIC_2,
  initializing: 1,
  security: SECURITY_2,
  isolation: true,
  save: [2, 572],
  request: [2, 248],
  suspend: true,
  migration: true,
  restoring: 2,
  flags: 3,
} as const;
const EXPECTED: Readonly<Record<ProfileName, Expected>> = {
  ws2012: {
    ndis: '6.30',
    nic: [1, 2207, 2208],
    initializing: 0,
    security: [1, 17, 20],
    isolation: false,
    save: [1, 568],
    request: [1, 236],
    suspend: false,
    migration: false,
    restoring: 0,
    flags: 0,
  },
  ws2012r2: {
    ndis: '6.40',
    nic: NIC_2,
    initializing: 1,
    security: SECURITY_2,
    isolation: true,
    save: [1, 568],
    request: [1, 236],
    suspend: false,
    migration: false,
    restoring: 0,
    flags: 0,
  },
  ws2016: { ...NEWEST, ndis: '6.60', migration: false },
  ws2019: { ...NEWEST, ndis: '6.82' },
  ws2022: { ...NEWEST, ndis: '6.85' },
  ws2025: { ...NEWEST, ndis: '6.85' },
};
const PROFILES = Object.keys(EXPECTED) as ProfileName[];

const u16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) + u16(bytes, at + 2) * 65_536;
/** NDIS_OBJECT_HEADER: Revision at 1, Size at 2. */
const head = (bytes: Uint8Array, at = 0): [number, number] => [
  bytes[at + 1] ?? 0,
  u16(bytes, at + 2),
];

/** Saves one byte for every NIC. */
function keeper() {
  return extensionWith((sw) => {
    let isDone = false;
    return {
      activate: () => {
        versions.add(sw.ndisVersion);
      },
      saveNic: (state) => {
        if (isDone) return 'forward';
        isDone = true;
        return state.save(Uint8Array.of(7), CLASS);
      },
      saveNicComplete: () => {
        isDone = false;
        return 'forward';
      },
      restoreNic: (state) => (state.isMine ? 0 : 'forward'),
    };
  });
}
const versions = new Set<string>();

/** The same life of a VM in every profile: start, policies, pause, save, restore. */
async function scenario(profile: ProfileName): Promise<{
  entries: (oid: string) => TraceEntry[];
  all: string[];
  refused: string[];
}> {
  versions.clear();
  const fabric = await Fabric.open({
    clock: 'manual',
    seed: 'profiles',
    profile,
    behaviour: { suspendOids: true },
  });
  const sw = await fabric.switches.create({
    name: 'S',
    extensions: [keeper()],
    uplink: { adapters: [{ ...one.adapters[0], virtualFunctions: 2 }] },
    managementOs: true,
  });
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  await vm.start();
  const [adapter] = vm.adapters;
  if (adapter === undefined) throw new Error('the VM has an adapter');
  await adapter.properties.add(SECURITY, { DynamicIPAddressLimit: 5 });
  const refused: string[] = [];
  for (const [feature, settings] of [
    [ISOLATION, { IsolationMode: 3 }],
    [ROUTING, { RoutingDomainGuid: CLASS, RoutingDomainName: 'R' }],
  ] as const) {
    await adapter.properties.add(feature, settings).catch((error: Error) => {
      refused.push(error.message);
    });
  }
  await adapter.assignVf();
  await adapter.removeVf();
  await vm.pause();
  await vm.resume();
  await vm.save();
  await vm.restore();
  const trace = sw.trace.entries();
  await fabric.close();
  return {
    entries: (oid) => trace.filter((entry) => entry.oid === `OID_SWITCH_${oid}`),
    all: trace.map((entry) => entry.oid.replace('OID_SWITCH_', '')),
    refused,
  };
}

for (const profile of PROFILES) {
  const expected = EXPECTED[profile];
  t.test(`${profile}: NDIS ${expected.ndis} on the wire (E1, B8, B9, C17, G44)`, async (t) => {
    const { entries, all, refused } = await scenario(profile);
    t.same([...versions], [expected.ndis]);
    for (const oid of ['NIC_CREATE', 'NIC_CONNECT', 'NIC_DISCONNECT', 'NIC_DELETE']) {
      for (const { input } of entries(oid)) {
        t.same([...head(input), input.length], expected.nic, oid);
      }
    }
    for (const { input } of entries('PORT_CREATE')) {
      t.same([...head(input), input.length], [1, 1056, 1056], 'the same in all');
    }
    // Rule C17: the synthetic NIC's first one, of the external, internal, first and second NIC_CREATE of the VM.
    const flags = entries('NIC_CREATE').map(({ input }) => u32(input, 4));
    t.same(flags, [0, 0, 0, expected.initializing, 0]);
    const [added] = entries('PORT_PROPERTY_ADD').filter(({ input }) => u32(input, 12) === 2);
    const property = added?.input ?? new Uint8Array();
    t.same([...head(property, 64), property.length - 64], expected.security);
    const types = new Set(entries('PORT_PROPERTY_ADD').map(({ input }) => u32(input, 12)));
    t.same([...types], expected.isolation ? [2, 5, 6] : [2]);
    t.equal(refused.length, expected.isolation ? 0 : 2);
    for (const [i, name] of (expected.isolation ? [] : [ISOLATION, ROUTING]).entries()) {
      t.match(refused[i], new RegExp(`^${name} needs NDIS 6\\.40`));
    }
    for (const oid of ['NIC_SAVE', 'NIC_SAVE_COMPLETE', 'NIC_RESTORE', 'NIC_RESTORE_COMPLETE']) {
      const found = entries(oid);
      t.ok(found.length > 0, oid);
      for (const { input } of found) {
        t.equal(input[1], expected.save[0], `${oid}: revision`);
        t.ok(u16(input, 2) >= expected.save[1], `${oid}: size`);
      }
    }
    const requests = entries('NIC_REQUEST');
    t.ok(requests.length > 0);
    for (const { input } of requests) t.same(head(input, 32), expected.request);
    t.equal(all.includes('NIC_SUSPEND'), expected.suspend);
    t.equal(all.includes('NIC_RESUME'), expected.suspend);
    const restored = entries('PORT_CREATE').filter(({ input }) => u32(input, 4) !== 0);
    t.same(
      restored.map(({ input }) => u32(input, 4)),
      expected.restoring === 0 ? [] : [expected.restoring],
    );
  });

  t.test(`${profile}: port flags and the OIDs of a suspended migration`, async (t) => {
    const world = switchWorld(expected.ndis as '6.30', 'profile', { suspendOids: true });
    const machine = startSwitch(world, []);
    const { port } = now(machine.createPort({ ...portOptions(), flags: 3 }));
    t.equal(port.flags, expected.flags);
    const { nic } = now(
      machine.connectNic(port, {
        index: 0,
        type: 'synthetic',
        name: 'n',
        friendlyName: 'n',
        mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
        mtu: 1500,
      }),
    );
    t.equal(now(machine.startMigrationSource(port, nic)), expected.migration);
    const flags = world.trace
      .entries({ oid: 'OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED' })
      .map(({ input }) => u32(input, 4));
    t.same(flags, expected.migration ? [16] : []);
  });
}

t.test(
  'what a profile lacks is named with its version, in a world of an older store too',
  async (t) => {
    const store = new KeptStore();
    const open = (profile: ProfileName): Promise<Fabric> =>
      Fabric.open({ clock: 'manual', profile, store });
    const newer = await open('ws2022');
    const made = await (await newer.switches.create({ name: 'S' })).ports.create({ name: 'P' });
    await made.properties.add(ISOLATION, { IsolationMode: 3 });
    await made.properties.add(SECURITY, {});
    await newer.close();
    const older = await open('ws2012');
    const port = older.switches.get('S').ports.get('P');
    t.same(
      [...port.properties.list()].map(({ feature }) => feature),
      [SECURITY],
    );
    t.match(
      older.events.after(0).filter(({ type }) => type === 'finding'),
      [{ data: { rule: 'E61', message: /needs NDIS 6\.40.*stays stored/ } }],
    );
    await t.rejects(port.properties.add(ISOLATION, {}), {
      code: 'INVALID_ARGUMENT',
      place: { rule: 'E1', expected: 'NDIS 6.40', found: ISOLATION, member: 'feature' },
    });
    await older.close();
    const back = await open('ws2022');
    t.equal([...back.switches.get('S').ports.get('P').properties.list()].length, 2);
    await back.close();
  },
);

t.test(
  'the table of facts: each profile has what the one before had, and a source for each',
  (t) => {
    t.same(
      PROFILES.map((profile) => profileFacts(profile).length),
      [0, 5, 10, 11, 11, 11],
    );
    t.equal(profileFacts('ws2025').length, VERSION_FACTS.length);
    for (const { what, source } of VERSION_FACTS) t.match(source, /\.(h|md)$/, what);
    t.equal(parseProfile('ws2016'), 'ws2016');
    t.throws(() => parseProfile('ws2008'), {
      code: 'INVALID_ARGUMENT',
      place: { found: 'ws2008' },
    });
    t.throws(() => parseProfile('toString'), { code: 'INVALID_ARGUMENT' });
    t.end();
  },
);
