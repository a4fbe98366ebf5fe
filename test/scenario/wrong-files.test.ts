import t from 'tap';
import { fileOf, ONE_HOST, play, scenario } from './scenario-text.ts';

/** What is wrong with a text, without the folder. */
async function problemsOf(text: string, name = 'wrong.yaml'): Promise<readonly string[]> {
  const [outcome] = await play(text, {}, name);
  t.equal(outcome?.ok, false, 'the file is refused');
  t.equal(outcome?.failure?.in, 'file');
  t.same(outcome?.steps, [], 'nothing of it ran');
  const path = fileOf(text, name);
  return (outcome?.failure?.message ?? '')
    .split('\n')
    .map((line) => line.slice(line.indexOf(path.slice(path.lastIndexOf('/') + 1))));
}

// Line of the first step: the head has ten lines, then `steps:`.
const FIRST = ONE_HOST.split('\n').length + 1;

/** What is wrong, the step, the text that the place points at, the message. */
const CASES: readonly (readonly [what: string, step: string, at: string, message: string])[] = [
  [
    'a verb',
    '- strtVm: web',
    'strtVm',
    'unknown verb "strtVm": expected a verb; did you mean startVm?',
  ],
  [
    'a field',
    '- addProperty: { vm: web, featur: X }',
    'featur',
    'unknown field "featur" in addProperty: expected vm, adapter, switch, port, host, feature, settings, id, as; did you mean feature?',
  ],
  [
    'a VM',
    '- startVm: webb',
    'webb',
    'startVm.vm: no VM is called "webb" (known: web); did you mean web?',
  ],
  ['an anchor', '- startVm: *web', '*web', 'no value before this one has the anchor &web'],
  [
    'a host',
    '- expectState: { vm: web, host: hots }',
    'hots',
    'expectState.host: no host is called "hots" (known: host)',
  ],
  [
    'a feature',
    '- addProperty: { vm: web, feature: Fabrikam_PortCustomSettingDta }',
    'Fabrikam',
    'addProperty.feature: no feature is called "Fabrikam_PortCustomSettingDta"; did you mean Fabrikam_PortCustomSettingData?',
  ],
  [
    'a member',
    '- addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntX: 1 } }',
    'SettingIntX',
    'Fabrikam_PortCustomSettingData has no member "SettingIntX"; did you mean SettingIntA?',
  ],
  [
    'an alias of an extension',
    '- installExtension: fabricam',
    'fabricam',
    'installExtension.extension: no extension is called "fabricam" (known: fabrikam, counter); did you mean fabrikam?',
  ],
  [
    'an alias of a property',
    '- removeProperty: p1',
    'p1',
    'removeProperty.property: no property is called "p1" (there is none)',
  ],
  [
    'an OID',
    '- expectTrace: { absent: [OID_SWITCH_PORT_CREAT] }',
    'OID_',
    'expectTrace.absent[0].oid: no OID is called "OID_SWITCH_PORT_CREAT"; did you mean OID_SWITCH_PORT_CREATE?',
  ],
  ['a parameter', `- startVm: '${'$'}{i}'`, "'$", `unknown parameter ${'$'}{i}`],
  [
    'a second verb',
    '- { startVm: web, stopVm: web }',
    'stopVm',
    '"stopVm" is a second verb of the step: expected one verb and perhaps title',
  ],
  [
    'a type',
    '- wait: soon',
    'soon',
    'wait.ms: expected a whole number 0 to 31536000000, found the text "soon"',
  ],
  [
    'a missing field',
    '- updateProperty: { settings: {} }',
    '{ settings',
    'updateProperty: the field property (name of a property) is missing',
  ],
  [
    'a target',
    '- addProperty: { vm: web, switch: S, feature: Fabrikam_PortCustomSettingData }',
    '{ vm',
    'expected either vm or switch',
  ],
  [
    'a fault without its extension',
    '- inject: { fault: veto, oid: OID_SWITCH_PORT_CREATE }',
    '{ fault',
    'the fault veto needs the field extension',
  ],
  [
    'a field of another fault',
    '- inject: { fault: storeFailure, extension: fabrikam }',
    'fabrikam',
    'extension is not for the fault storeFailure',
  ],
  [
    'a loop of nothing',
    '- repeat: { steps: [] }',
    '{ steps',
    'repeat: expected either times or forEach',
  ],
  [
    'a look at nothing',
    '- expectProperties: { vm: web }',
    '{ vm',
    'expected one of equal, contains, absent, count',
  ],
  [
    'a choice',
    '- expectState: { vm: web, state: runing }',
    'runing',
    'expectState.state: expected one of off, running, paused, saved, found the text "runing"; did you mean running?',
  ],
];

for (const [what, step, at, message] of CASES) {
  t.test(
    `${what} that is wrong is refused at its line and column, with what was expected`,
    async (t) => {
      // Steps stand two columns in.
      const column = step.indexOf(at) + 3;
      t.same(await problemsOf(scenario(step)), [`wrong.yaml:${FIRST}:${column}: ${message}`]);
    },
  );
}

t.test('every problem of a file is told at once, a loop tells each once', async (t) => {
  const text = scenario(`- strtVm: web
- repeat:
    times: 3
    steps:
      - stopVm: webb
`);
  const problems = await problemsOf(text);
  t.equal(problems.length, 2);
  t.match(
    problems[1],
    new RegExp(`^wrong.yaml:${FIRST + 4}:19: stopVm.vm: no VM is called "webb"`),
  );
});

t.test('what is no YAML is refused where it ends to be', async (t) => {
  const [problem] = await problemsOf('name: test\nhosts: { a: [ }\n');
  t.match(problem, /^wrong\.yaml:2:15: /);
  t.match((await problemsOf('name: a\nname: b\n'))[0], /^wrong\.yaml:2:1: Map keys must be unique/);
  t.match((await problemsOf(''))[0], /^wrong\.yaml:1:1: the file is empty/);
  t.match((await problemsOf('- a\n'))[0], /expected a map of fields, found a list/);
  const deep = `name: &a [*a]\n`;
  t.match((await problemsOf(deep)).join(), /levels deep/, 'an alias inside itself ends');
});

t.test('files that a scenario names are looked for at once; so are names twice', async (t) => {
  const text = scenario('- startVm: web').replace('features: [', 'features: [./none.mof, ');
  t.match(
    (await problemsOf(text))[0],
    /^wrong\.yaml:2:12: cannot read the MOF file \.\/none\.mof$/,
  );
  const gone = scenario('- startVm: web').replace('counter.ts', 'gone.ts');
  t.match((await problemsOf(gone))[0], /^wrong\.yaml:5:12: extension counter: .*no such file/);
  const twice = `${scenario('- startVm: web')}`.replace('vms: [', 'vms: [{ name: web }, ');
  t.match((await problemsOf(twice))[0], /a second VM is called web/);
  t.match((await problemsOf('name: x\nhosts: {}\nsteps: []\n'))[0], /hosts: expected at least one/);
  t.same(await problemsOf('name: x\n'), [
    'wrong.yaml:1:1: the field hosts (map of map of `switches`, `extensions`, `features`, `profile`, `store`) is missing',
    'wrong.yaml:1:1: the field steps (list of steps) is missing',
  ]);
  t.match(
    (await problemsOf(`stps: []\n${scenario('')}`))[0],
    /unknown field "stps".*did you mean steps\?/,
  );
});

t.test('a JSON file has lines and columns as well, a program has paths', async (t) => {
  const json = JSON.stringify(
    { name: 'x', hosts: { h: {} }, steps: [{ startVm: 'gone' }] },
    null,
    2,
  );
  t.match(
    (await problemsOf(json, 'wrong.json'))[0],
    /^wrong\.json:8:18: startVm\.vm: no VM is called/,
  );
  const program = `export default ${json};`;
  t.match(
    (await problemsOf(program, 'wrong.mjs'))[0],
    /^wrong\.mjs \(steps\[0\]\.startVm\): startVm\.vm: no VM is called "gone"/,
  );
  t.match(
    (await problemsOf('export default 1', 'number.mjs'))[0],
    /expected a map of fields, found 1/,
  );
});

t.test(
  'a module that cannot be loaded is called a scenario, by the name it was given',
  async (t) => {
    for (const [name, text, reason] of [
      ['throws.scenario.mjs', "throw new Error('boom')", 'it throws while loading: Error: boom'],
      ['broken.scenario.mjs', 'export default {', 'syntax error at broken.scenario.mjs:'],
    ] as const) {
      const [outcome] = await play(text, {}, name);
      const message = (outcome?.failure?.message ?? '').replaceAll(/[^ ]*\/(?=throws|broken)/g, '');
      t.ok(message.startsWith(`scenario ${name}: ${reason}`), message);
    }
  },
);
