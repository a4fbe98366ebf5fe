import t from 'tap';
import { VERBS } from '../../src/scenario/verb-table.ts';
import { failureOf, ONE_HOST, scenario, TWO_HOSTS } from './scenario-text.ts';

const ADD =
  'addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 1 }, as: p }';
const VETO = 'inject: { fault: veto, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD }';

/** Expectations: the steps before, one that holds, one that does not, and what it says then. */
const LOOKS: Readonly<Record<string, readonly [string, string, string, RegExp]>> = {
  'expectProperties equal': [
    `- ${ADD}`,
    '{ vm: web, equal: [{ feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 1 } }] }',
    '{ vm: web, equal: [{ feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 2 } }] }',
    /expected: Fabrikam_PortCustomSettingData \{ SettingIntA: 2 \}\n {2}found: {4}Fabrikam_PortCustomSettingData \{ SettingIntA: 1, SettingIntB: 0 \}/,
  ],
  'expectProperties contains': [
    `- ${ADD}`,
    '{ vm: web, contains: [{ feature: eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb }] }',
    '{ vm: web, contains: [{ feature: Fabrikam_SwitchCustomSettingData }] }',
    /policies are missing/,
  ],
  'expectProperties absent': [
    `- ${ADD}`,
    '{ switch: S, absent: [Fabrikam_PortCustomSettingData] }',
    '{ vm: web, absent: [Fabrikam_PortCustomSettingData] }',
    /expected no Fabrikam_PortCustomSettingData/,
  ],
  'expectProperties count': [
    `- ${ADD}`,
    '{ vm: web, count: 1 }',
    '{ vm: web, count: 2 }',
    /expected: 2\n {2}found: {4}1/,
  ],
  expectStatus: [
    '- startVm: web',
    '{ vm: web, feature: Fabrikam_CustomPortData, equal: { CurrentStatus: 123 } }',
    '{ vm: web, feature: Fabrikam_CustomPortData, equal: { CurrentStatus: 124 } }',
    /expected: \{ CurrentStatus: 124 \}\n {2}found: {4}\{ CurrentStatus: 123 \}/,
  ],
  expectState: [
    '- startVm: web',
    '{ vm: web, state: running, connected: true, port: created, nic: connected, switch: S }',
    '{ vm: web, nic: disconnected }',
    /VM web: NIC\n {2}expected: disconnected\n {2}found: {4}connected/,
  ],
  expectBlobs: [
    `- startVm: web\n- ${ADD}\n- saveVm: web`,
    '{ vm: web, count: 1, equal: [{ extension: fabrikam, bytes: 4 }] }',
    '{ vm: web, equal: [{ extension: fabrikam, bytes: 5 }] }',
    /saved records differ/,
  ],
  expectRestore: [
    `- startVm: web\n- ${ADD}\n- saveVm: web\n- restoreVm: web`,
    '{ restored: 1, unowned: 0 }',
    '{ restored: 2 }',
    /restored\n {2}expected: 2\n {2}found: {4}1/,
  ],
  'expectTrace exact': [
    `- startVm: web\n- ${ADD}`,
    '{ exact: [{ oid: OID_SWITCH_PORT_PROPERTY_ADD, status: SUCCESS }] }',
    '{ exact: [{ oid: OID_SWITCH_PORT_PROPERTY_ADD, status: FAILURE }] }',
    /the OIDs differ\n.*ADD FAILURE\n.*ADD SUCCESS/,
  ],
  'expectTrace inOrder': [
    '- startVm: web',
    '{ inOrder: [OID_SWITCH_PORT_CREATE, OID_SWITCH_NIC_CONNECT] }',
    '{ inOrder: [OID_SWITCH_NIC_CONNECT, OID_SWITCH_PORT_CREATE] }',
    /OID_SWITCH_PORT_CREATE is missing/,
  ],
  'expectTrace absent': [
    '- startVm: web\n- pauseVm: web',
    '{ absent: [OID_SWITCH_PORT_CREATE] }',
    '{ since: begin, absent: [OID_SWITCH_PORT_CREATE] }',
    /expected no OID_SWITCH_PORT_CREATE/,
  ],
  expectEvents: [
    '- startVm: web',
    '{ contains: [{ event: vmStateChanged, before: off, state: running }] }',
    '{ contains: [{ event: vmStateChanged, state: paused }] }',
    /events are missing/,
  ],
  expectFindings: ['- startVm: web', '{ count: 0 }', '{ rule: A17 }', /at least one/],
};

for (const [name, [before, holds, fails, message]] of Object.entries(LOOKS)) {
  const [verb = ''] = name.split(' ');
  t.test(`${name}: passes when it holds, else fails and says what was there`, async (t) => {
    t.equal(await failureOf(scenario(`${before}\n- ${verb}: ${holds}`)), undefined);
    const failure = await failureOf(scenario(`${before}\n- ${verb}: ${fails}`));
    t.match(failure, new RegExp(`^${verb}: `));
    t.match(failure, message);
  });
}

/** Every other verb at work, with what it did looked at. */
const ACTS: Readonly<Record<string, string>> = {
  'VMs come and go': `- createVm: { name: db, adapters: [{ name: front, switch: S, mac: 00-15-5d-00-00-01 }] }
- startVm: db
- pauseVm: db
- expectState: { vm: db, state: paused }
- resumeVm: db
- addAdapter: { vm: db, name: back, switch: S }
- expectState: { vm: db, adapter: back, connected: true }
- updateAdapter: { vm: db, adapter: back, name: rear, mtu: 9000 }
- disconnectAdapter: { vm: db, adapter: 1 }
- expectState: { vm: db, adapter: rear, connected: false }
- connectAdapter: { vm: db, adapter: rear, switch: S }
- removeAdapter: { vm: db, adapter: rear }
- stopVm: db
- addProperty: { vm: db, feature: Fabrikam_PortCustomSettingData }
- deleteVm: db
- expectRefused: { startVm: db, message: is not on any host }`,
  'switches, ports and extensions': `- createSwitch: { name: T, type: external }
- installExtension: counter
- changeExtension: { extension: counter, switch: T, enabled: true }
- connectUplink: { switch: T, adapters: [{ name: eth0 }] }
- setLink: { switch: T, up: false }
- disconnectUplink: T
- addInternalNic: { switch: T, name: management }
- createPort: { switch: S, name: hand }
- addProperty: { switch: S, port: hand, feature: Fabrikam_PortCustomSettingData, as: q }
- addProperty: { switch: S, feature: Fabrikam_SwitchCustomSettingData, settings: { SwitchSettingIntA: 4 } }
- connectNic: { switch: S, port: hand, mtu: 1400 }
- renamePort: { switch: S, port: hand, name: foot }
- expectProperties: { switch: S, port: foot, count: 1 }
- disconnectNic: { switch: S, port: foot }
- updateProperty: { property: q, settings: { SettingIntA: 2 } }
- deletePort: { switch: S, port: foot }`,
  'a virtual function is given and taken back (S17)': `- createSwitch: { name: T, type: external }
- connectUplink: { switch: T, adapters: [{ name: eth0, virtualFunctions: 2 }] }
- createVm: { name: db, adapters: [{ switch: T }] }
- startVm: db
- assignVf: db
- expectTrace: { inOrder: [OID_SWITCH_NIC_REQUEST] }
- removeVf: db
- stopVm: db`,
  'a restart keeps everything': `- ${ADD}
- startVm: web
- restartHost: host
- expectState: { vm: web, state: running, nic: connected }
- expectProperties: { vm: web, count: 1 }`,
  'faults are met once, and where they were wanted': `- startVm: web
- ${VETO.replace('fault: veto', 'fault: veto, nth: 2, status: RESOURCES')}
- ${ADD}
- expectRefused: { ${ADD.replace(', as: p', '')}, code: VETOED, ndisStatus: RESOURCES, extension: fabrikam }
- ${ADD.replace(', as: p', '')}
- ${VETO}
- clearFaults: {}
- ${ADD.replace(', as: p', '')}
- inject: { fault: storeFailure }
- expectRefused: { removeProperty: p, code: STORE_UNAVAILABLE }
- removeProperty: p`,
  'time passes only for who waits': `- startVm: web
- inject: { fault: delay, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD, delayMs: 250 }
- ${ADD}
- wait: 100
- inject: { fault: hang, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_UPDATE }
- expectRefused: { updateProperty: { property: p, settings: { SettingIntA: 3 } } }
- inject: { fault: throw, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_UPDATE }
- expectRefused: { updateProperty: { property: p, settings: { SettingIntA: 3 } } }`,
};

for (const [what, steps] of Object.entries(ACTS)) {
  t.test(what, async (t) => {
    const head = ONE_HOST.includes('invariants')
      ? ONE_HOST
      : `${ONE_HOST}invariants: { noFindings: ${!steps.includes('hang')} }\n`;
    t.equal(await failureOf(scenario(steps, head)), undefined);
  });
}

t.test('two hosts: move, compare, export, import, lost messages', async (t) => {
  const steps = `- { startVm: web, title: the VM goes on }
- ${ADD}
- compareVm: { vm: web, to: b }
- expectReport: { ok: true, codes: [] }
- inject: { fault: lostMessage, host: a, message: take, delivered: true }
- migrate: { vm: web, to: b }
- settleMigrations: {}
- expectState: { vm: web, host: b, state: running }
- exportVm: { vm: web, as: doc }
- migrate: { vm: web, to: a, dryRun: true }
- expectState: { vm: web, host: b }
- stopVm: web
- deleteVm: web
- importVm: { document: doc, host: a, ids: keep }
- expectProperties: { vm: web, host: a, count: 1 }
- deleteSwitch: { switch: S, host: b }`;
  t.equal(await failureOf(scenario(steps, TWO_HOSTS)), undefined);
  const wrong = scenario(
    '- compareVm: { vm: web, to: b }\n- expectReport: { ok: false }',
    TWO_HOSTS,
  );
  t.match(await failureOf(wrong), /^expectReport: ok\n {2}expected: false/);
  const gone = scenario('- expectState: { vm: web, host: b, state: off }', TWO_HOSTS);
  t.match(await failureOf(gone), /VM web is not on b: it is on a/);
});

t.test(
  'a switch is exported and imported with its VMs; what does not arrive is a policy lost',
  async (t) => {
    const steps = `- addProperty: { switch: S, host: a, feature: Fabrikam_SwitchCustomSettingData }
- createPort: { switch: S, host: a, name: p }
- connectNic: { switch: S, host: a, port: p }
- updateNic: { switch: S, host: a, port: p, mtu: 9000 }
- expectTrace: { host: a, since: step, exact: [OID_SWITCH_NIC_UPDATED] }
- addProperty: { switch: S, host: a, port: p, feature: Fabrikam_PortCustomSettingData }
- ${ADD}
- exportSwitch: { switch: S, host: a, vms: true, as: whole }
- exportSwitch: { switch: S, host: a, as: alone }
- deleteVm: web
- deleteSwitch: { switch: S, host: a }
- importSwitch: { document: whole, host: a, ids: keep }
- expectProperties: { switch: S, host: a, count: 1 }
- expectProperties: { switch: S, host: a, port: p, count: 1 }
- expectProperties: { vm: web, host: a, count: 1 }
- importSwitch: { document: alone, host: b, name: Copy }
- expectProperties: { switch: Copy, host: b, port: p, count: 1 }
- startVm: web`;
    t.equal(await failureOf(scenario(steps, TWO_HOSTS)), undefined);
    const lost = `${steps}\n- tool: { steps: [{ deletePort: { switch: Copy, host: b, port: p } }] }`;
    t.match(
      await failureOf(scenario(lost, TWO_HOSTS)),
      /^noPolicyLost: .*\nport p of switch Copy on b\n {2}- Fabrikam_PortCustomSettingData /,
    );
  },
);

t.test('a refusal that does not come, or comes otherwise, fails', async (t) => {
  t.match(
    await failureOf(scenario('- expectRefused: { startVm: web }')),
    /expected startVm web to be refused: it was done/,
  );
  const otherwise = scenario(
    `- startVm: web\n- ${VETO}\n- expectRefused: { ${ADD}, code: NOT_FOUND }`,
  );
  t.match(await failureOf(otherwise), /refused otherwise: code expected NOT_FOUND, found VETOED/);
});

t.test(
  'a policy that a tool loses fails the scenario with a diff; what steps remove does not',
  async (t) => {
    const tool = `- ${ADD}\n- tool: { name: careless, steps: [{ removeProperty: p }] }`;
    t.match(
      await failureOf(scenario(tool)),
      /^noPolicyLost: .*\nVM web, Network Adapter\n {2}- Fabrikam_PortCustomSettingData \{ SettingIntA: 1, SettingIntB: 0 \}$/,
    );
    t.equal(await failureOf(scenario(`- ${ADD}\n- removeProperty: p`)), undefined);
    const off = `${ONE_HOST}invariants: { noPolicyLost: false }\n`;
    t.equal(await failureOf(scenario(tool, off)), undefined, 'turned off');
    const added = `- tool: { steps: [{ ${ADD} }] }`;
    t.match(
      await failureOf(scenario(added)),
      /\+ Fabrikam_PortCustomSettingData/,
      'nor may it add any',
    );
    t.match(
      await failureOf(scenario('- tool: { expectFailure: true, steps: [] }')),
      /was expected to fail/,
    );
  },
);

t.test('a failure that is expected passes only when it comes as it should', async (t) => {
  const lost = `- ${ADD}\n- tool: { steps: [{ removeProperty: p }] }`;
  const expecting = (failure: string): string => `${ONE_HOST}expectFailure: ${failure}\n`;
  t.equal(await failureOf(scenario(lost, expecting('{ in: noPolicyLost }'))), undefined);
  t.match(
    await failureOf(scenario(lost, expecting('{ in: startVm }'))),
    /^expectFailure: .*failed in noPolicyLost/,
  );
  t.match(await failureOf(scenario('- startVm: web', expecting('{ in: startVm }'))), /and passed/);
});

t.test('every verb of the table is played by a test', async (t) => {
  const { readFileSync, readdirSync } = await import('node:fs');
  const shipped = readdirSync('policies/scenarios')
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(`policies/scenarios/${name}`, 'utf8'));
  const here = ['verbs', 'world-verbs'].map((name) =>
    readFileSync(`test/scenario/${name}.test.ts`, 'utf8'),
  );
  const played = [...shipped, ...here].join('\n');
  const missing = VERBS.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(played));
  t.same(
    missing.map(({ name }) => name),
    [],
  );
});
