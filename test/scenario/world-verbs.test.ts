import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { failureOf, ONE_HOST, play, scenario, TWO_HOSTS } from './scenario-text.ts';

t.setTimeout(120_000);

const FEATURE = 'Fabrikam_PortCustomSettingData';
const add = (value: number, as: string): string =>
  `addProperty: { vm: web, feature: ${FEATURE}, settings: { SettingIntA: ${value} }, as: ${as} }`;
const VETO = 'inject: { fault: veto, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD }';
const NEXT = resolve('policies/scenarios/extensions/fabrikam-next.mof');

async function plays(t: Test, steps: string, head = ONE_HOST): Promise<void> {
  t.equal(await failureOf(scenario(steps, head)), undefined);
}

t.test('atomic: all its steps are done, seen together by what follows', async (t) => {
  const whole = `- startVm: web
- atomic: [{ ${add(1, 'p')} }, { ${add(2, 'q')} }, { repeat: { times: 2, steps: [{ ${add(3, 'r')} }] } }]`;
  await plays(
    t,
    `${whole}
- expectTrace: { exact: [OID_SWITCH_PORT_PROPERTY_ADD, OID_SWITCH_PORT_PROPERTY_ADD, OID_SWITCH_PORT_PROPERTY_ADD, OID_SWITCH_PORT_PROPERTY_ADD] }
- expectProperties: { vm: web, count: 4 }
- updateProperty: { property: q, settings: { SettingIntA: 9 } }`,
  );
});

t.test(
  'atomic: a step that is refused undoes those before it by inverse OIDs, and no policy is missed',
  async (t) => {
    const refused = `- startVm: web
- ${add(1, 'p')}
- inject: { fault: veto, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD, nth: 2 }
- expectRefused: { atomic: { steps: [{ ${add(2, 'q')} }, { removeProperty: p }, { ${add(3, 'r')} }] }, code: VETOED, extension: fabrikam }
- expectTrace: { inOrder: [OID_SWITCH_PORT_PROPERTY_ADD, OID_SWITCH_PORT_PROPERTY_DELETE, { oid: OID_SWITCH_PORT_PROPERTY_ADD, status: DATA_NOT_ACCEPTED }, OID_SWITCH_PORT_PROPERTY_ADD, OID_SWITCH_PORT_PROPERTY_DELETE] }
- expectProperties: { vm: web, equal: [{ feature: ${FEATURE}, settings: { SettingIntA: 1 } }] }
- restartHost: host
- expectProperties: { vm: web, count: 1 }
- removeProperty: p`;
    await plays(t, refused);
    t.match(
      await failureOf(scenario(`${refused}\n- removeProperty: q`)),
      /^removeProperty: no step has added the property q so far/,
      'nor is what was undone known by its name',
    );
  },
);

t.test('atomic: it is of one host, and expectations in it see its own changes', async (t) => {
  const other = `- atomic: { host: b, steps: [{ expectState: { vm: web, host: a } }] }`;
  t.match(
    await failureOf(scenario(other, TWO_HOSTS)),
    /^atomic: host a has no part in this atomic change/,
  );
  await plays(
    t,
    `- atomic: { host: a, steps: [{ startVm: web }, { expectState: { vm: web, state: running } }, { expectTrace: { absent: [OID_SWITCH_PORT_DELETE] } }] }`,
    TWO_HOSTS,
  );
  t.match(await failureOf(scenario('- atomic: [{ startVm: web }]', TWO_HOSTS)), /which host\?/);
});

t.test(
  'registerFeatures, deleteFeature: a newer version comes in the middle; what is in use stays, an older one is refused',
  async (t) => {
    await plays(
      t,
      `- ${add(1, 'p')}
- expectRefused: { registerFeatures: ${NEXT}, code: FEATURE_IN_USE }
- removeProperty: p
- expectRefused: { addProperty: { vm: web, feature: ${FEATURE}, settings: { SettingIntC: 5 } }, code: SETTINGS_INVALID }
- registerFeatures: ${NEXT}
- addProperty: { vm: web, feature: ${FEATURE}, settings: { SettingIntC: 5 }, as: p }
- expectProperties: { vm: web, equal: [{ feature: ${FEATURE}, settings: { SettingIntC: 5 } }] }
- expectRefused: { registerFeatures: ${resolve('policies/fabrikam.mof')}, code: ALREADY_EXISTS }
- expectRefused: { deleteFeature: ${FEATURE}, code: FEATURE_IN_USE }
- removeProperty: p
- deleteFeature: { feature: ${FEATURE}, host: host }
- expectRefused: { ${add(1, 'q')}, code: NOT_FOUND }
- registerFeatures: { mof: [${NEXT}], uint16: native }`,
    );
  },
);

t.test('restoreSnapshot: everything is as it was, and wanted as it was', async (t) => {
  const steps = `- startVm: web
- ${add(1, 'p')}
- takeSnapshot: before
- updateProperty: { property: p, settings: { SettingIntA: 2 } }
- ${add(3, 'q')}
- createVm: { name: db, adapters: [{ switch: S }] }
- addProperty: { vm: db, feature: ${FEATURE} }
- restoreSnapshot: before
- expectState: { vm: web, state: running, nic: connected }
- expectProperties: { vm: web, equal: [{ feature: ${FEATURE}, settings: { SettingIntA: 1 } }] }
- expectRefused: { startVm: db, code: NOT_FOUND }
- stopVm: web
- deleteVm: web
- restoreSnapshot: { snapshot: before, host: host }
- expectProperties: { vm: web, count: 1 }
- expectRefused: { takeSnapshot: before, code: ALREADY_EXISTS }
- deleteSnapshot: before
- expectRefused: { restoreSnapshot: before, code: NOT_FOUND }`;
  await plays(t, steps);
  const tool = `- ${add(1, 'p')}
- takeSnapshot: early
- ${add(2, 'q')}
- tool: { steps: [{ restoreSnapshot: early }] }`;
  t.match(
    await failureOf(scenario(tool)),
    /^noPolicyLost: .*\nVM web, Network Adapter\n {2}- .* SettingIntA: 2/,
    'a tool that goes back loses what came since',
  );
});

t.test('resetHost: nothing is left but installed extensions, and nothing is missed', async (t) => {
  await plays(
    t,
    `- ${add(1, 'p')}
- resetHost: host
- expectRefused: { startVm: web, code: NOT_FOUND }
- registerFeatures: ${resolve('policies/fabrikam.mof')}
- createSwitch: { name: S, extensions: [fabrikam] }
- createVm: { name: web, adapters: [{ switch: S }] }
- startVm: web
- ${add(2, 'q')}`,
  );
});

for (const store of ['memory', 'disk']) {
  t.test(`restoreBackup: a host in ${store} goes on from what it had stored then`, async (t) => {
    const head = ONE_HOST.replace('{ switches:', `{ store: ${store}, switches:`);
    await plays(
      t,
      `- startVm: web
- ${add(1, 'p')}
- backupHost: monday
- updateProperty: { property: p, settings: { SettingIntA: 2 } }
- ${add(3, 'q')}
- crashHost: host
- restoreBackup: { backup: monday, host: host }
- expectState: { vm: web, state: running, nic: connected }
- expectProperties: { vm: web, equal: [{ feature: ${FEATURE}, settings: { SettingIntA: 1 } }] }
- restartHost: host
- expectProperties: { vm: web, count: 1 }
- backupHost: { as: monday, host: host }`,
      head,
    );
  });
}

t.test('crashHost: what was acknowledged is there after the restart, nobody else is', async (t) => {
  const steps = `- startVm: web
- ${add(1, 'p')}
- crashHost: a
- expectRefused: { startVm: web, code: NOT_FOUND }
- restartHost: a
- expectState: { vm: web, host: a, state: running }
- migrate: { vm: web, to: b }`;
  await plays(t, steps, TWO_HOSTS);
  t.match(
    await failureOf(scenario('- crashHost: host\n- crashHost: host')),
    /^crashHost: host host is not running/,
  );
});

/** The destination prepares and then neither answers nor is asked again for a while. */
const CUT_OFF = `- startVm: web
- ${add(1, 'p')}
- inject: { fault: lostMessage, host: a, message: take, times: 1000 }
- inject: { fault: lostMessage, host: a, message: outcome, times: 1000 }
- inject: { fault: lostMessage, host: a, message: supersede, times: 1000 }
- inject: { fault: lostMessage, host: a, message: abandon, times: 1000 }
- migrate: { vm: web, to: b, begin: true }
- wait: 5000
`;

t.test(
  'settleMigration for the source: it has the VM again, what is prepared there goes (G38)',
  async (t) => {
    await plays(
      t,
      `${CUT_OFF}- expectRefused: { stopVm: web, rule: G38 }
- resumeMigration: web
- settleMigration: { vm: web, owner: source }
- expectState: { vm: web, host: a, state: running, nic: connected }
- expectRefused: { settleMigration: { vm: web, owner: source }, code: ILLEGAL_TRANSITION }
- abandonArrival: web
- clearFaults: {}
- settleMigrations: {}
- migrate: { vm: web, to: b }
- expectProperties: { vm: web, host: b, count: 1 }`,
      TWO_HOSTS,
    );
    const none =
      '- expectRefused: { settleMigration: { vm: web, owner: source }, code: NOT_FOUND }';
    await plays(t, none, TWO_HOSTS);
    const answers = CUT_OFF.replaceAll(', times: 1000', '');
    t.match(
      await failureOf(
        scenario(`${answers}- settleMigration: { vm: web, owner: source }`, TWO_HOSTS),
      ),
      /^settleMigration: /,
      'nobody may decide what the hosts have decided',
    );
  },
);

t.test(
  'settleMigration for a destination that never has it: what it was is kept, and imported',
  async (t) => {
    await plays(
      t,
      `${CUT_OFF}- expectRefused: { exportKept: { vm: web, as: doc }, code: NOT_FOUND }
- settleMigration: { vm: web, owner: destination }
- expectRefused: { startVm: web, code: NOT_FOUND }
- abandonArrival: { vm: web, host: b }
- clearFaults: {}
- settleMigrations: {}
- exportKept: { vm: web, host: a, as: doc }
- importVm: { document: doc, host: a, ids: keep }
- expectProperties: { vm: web, host: a, count: 1 }
- discardKept: { vm: web, host: a }
- expectRefused: { discardKept: web, code: NOT_FOUND }`,
      TWO_HOSTS,
    );
  },
);

t.test('wait: what a timer begins is done at its time, and a year may pass', async (t) => {
  const steps = `- startVm: web
- ${VETO.replace('veto', 'delay, delayMs: 400, times: 3')}
- parallel: [{ ${add(1, 'p')} }, { ${add(2, 'q')} }, { wait: 500 }]
- wait: 31536000000`;
  const [outcome] = await play(scenario(steps));
  t.equal(outcome?.failure, undefined);
  // The second add begins when the first has ended, at 400.
  t.equal(outcome?.virtualMs, 800 + 31_536_000_000);
  const begun = outcome?.timeline.flatMap((line) =>
    line.kind === 'oid' && line.oid === 'OID_SWITCH_PORT_PROPERTY_ADD' ? [line.time] : [],
  );
  t.same(begun, [0, 400]);
});

/** What is refused before anything runs: the step, where, what is said. */
const WRONG: readonly (readonly [step: string, at: string, message: RegExp])[] = [
  ['- atomic: [{ restartHost: host }]', 'restartHost', /^restartHost is not possible inside an/],
  [
    '- atomic: [{ repeat: { times: 1, steps: [{ takeSnapshot: s }] } }]',
    'takeSnap',
    /^takeSnapshot is not/,
  ],
  ['- atomic: [{ atomic: [{ startVm: web }] }]', 'atomic: [{ s', /^atomic is not possible inside/],
  ['- atomic: web', 'web', /^atomic\.steps: expected a list of steps, found the text "web"$/],
  ['- atomic: { host: hots, steps: [] }', 'hots', /^atomic\.host: no host is called "hots"/],
  ['- registerFeatures: ./none.mof', './none', /^cannot read the MOF file \.\/none\.mof$/],
  [
    '- deleteFeature: Fabrikam_PortCustomSettingDat',
    'Fabrikam',
    /^deleteFeature\.feature: no feature.*did you mean/,
  ],
  [
    '- takeSnapshot: a b',
    'a b',
    /^takeSnapshot\.as: expected 1 to 64 letters, digits, .* found the text "a b"$/,
  ],
  [
    '- restoreSnapshot: later',
    'later',
    /^restoreSnapshot\.snapshot: no snapshot is called "later" \(there is none\)$/,
  ],
  [
    '- deleteSnapshot: {}',
    '{}',
    /^deleteSnapshot: the field snapshot \(name of a snapshot\) is missing$/,
  ],
  [
    '- restoreBackup: monday',
    'monday',
    /^restoreBackup\.backup: no backup is called "monday" \(there is none\)$/,
  ],
  ['- backupHost: { host: host }', '{ host', /^backupHost: the field as \(text\) is missing$/],
  ['- resetHost: hots', 'hots', /^resetHost\.host: no host is called "hots"/],
  ['- crashHost: hots', 'hots', /^crashHost\.host: no host is called "hots"/],
  [
    '- settleMigration: { vm: web, owner: nobody }',
    'nobody',
    /^settleMigration\.owner: expected one of source, destination/,
  ],
  ['- resumeMigration: wbe', 'wbe', /^resumeMigration\.vm: no VM is called "wbe"/],
  ['- abandonArrival: wbe', 'wbe', /^abandonArrival\.vm: no VM/],
  ['- exportKept: { vm: web }', '{ vm', /^exportKept: the field as \(text\) is missing$/],
  ['- discardKept: wbe', 'wbe', /^discardKept\.vm: no VM/],
  [
    '- wait: 31536000001',
    '31536',
    /^wait\.ms: expected a whole number 0 to 31536000000, found 31536000001$/,
  ],
];

t.test('what is wrong is refused at its line and column, before anything runs', async (t) => {
  const line = ONE_HOST.split('\n').length + 1;
  for (const [step, at, message] of WRONG) {
    const [outcome] = await play(scenario(step), {}, 'wrong.yaml');
    const [place = '', text = ''] = split(outcome?.failure?.message ?? 'it passed');
    t.equal(place, `${line}:${step.indexOf(at) + 3}`, step);
    t.match(text, message);
  }
});

t.test('a MOF file that is wrong is refused with its own line and column as well', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'scenario-mof-')), 'wrong.mof');
  writeFileSync(path, 'class A\n{ uint32 }\n');
  const step = `- repeat: { times: 3, steps: [{ registerFeatures: ${path} }] }`;
  const [outcome] = await play(scenario(step), {}, 'wrong.yaml');
  const lines = (outcome?.failure?.message ?? '').split('\n');
  t.equal(lines.length, 1, 'once, however often a loop comes by');
  t.match(lines[0], /wrong\.yaml:\d+:\d+: .*wrong\.mof:2:\d+: /);
});

/** `file:12:3: text` as place and text. */
function split(message: string): readonly string[] {
  const [, place = '', text = ''] = /wrong\.yaml:(\d+:\d+): (.*)/.exec(message) ?? [];
  return [place, text];
}
