import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadExtension } from '../../../src/sdk/load.ts';
import {
  listExtensionFaults,
  listScenarioFaults,
  sweepExtension,
  sweepReport,
  sweepScenario,
  verifyStages,
} from '../../../src/testing/index.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'policies/scenarios');
/** What differs most is played first; `extswitch sweep` without a budget plays the rest. */
const RUNS = 8;
const SMALLER: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'evacuation.yaml': { vms: 2 },
  'ping-pong.yaml': { rounds: 2 },
  'rolling-upgrade.yaml': { vms: 2 },
};

t.setTimeout(240_000);

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))) {
  t.test(`${file}, faults of different kinds: everything that has to hold holds`, async (t) => {
    const parameters = SMALLER[file] ?? {};
    const report = await sweepScenario(file, { cwd: FOLDER, maxRuns: RUNS, parameters });
    t.same(report.mishandled, [], sweepReport(report, 'text'));
    t.equal(report.runs, RUNS);
    t.same(
      report.subjects.flatMap(({ notes, without }) => [...notes, ...without]),
      [],
      'it is clean, and the same, without a fault',
    );
  });
}

for (const name of ['passthrough', 'port-acl', 'mac-forward', 'teaming-provider']) {
  t.test(`extension ${name}: its calls fail, others refuse; it stands it`, async (t) => {
    const extension = await loadExtension(join(ROOT, 'extensions', name, 'extension.ts'), ROOT);
    const report = await sweepExtension(extension, {
      stages: ['whole-life'],
      effects: ['callFails', 'veto', 'resources', 'storeFails'],
      maxRuns: 16,
    });
    t.same(report.mishandled, [], sweepReport(report, 'text'));
  });
}

t.test(
  'every stage of verify can be swept, also one that sends malformed requests (D12)',
  async (t) => {
    const extension = await loadExtension('extensions/passthrough/extension.ts', ROOT);
    const faults = await listExtensionFaults(extension, { effects: ['storeFails'] });
    t.same(
      new Set(faults.map(({ subject }) => subject)),
      new Set(verifyStages().map(({ name }) => name)),
    );
  },
);

t.test('the list of faults is the same each time, and each name is there once', async (t) => {
  const list = () => listScenarioFaults('life-of-a-vm.yaml', { cwd: FOLDER });
  const first = await list();
  t.same(await list(), first);
  t.equal(new Set(first.map(({ only }) => only)).size, first.length);
});

t.test('only what the rules allow is made to happen (rules A17, B24, C40, D22, D23)', async (t) => {
  const faults = await listScenarioFaults('life-of-a-vm.yaml', { cwd: FOLDER });
  const refusals = faults.filter(({ effect }) => effect === 'veto' || effect === 'resources');
  t.ok(refusals.length > 0);
  const wrong = refusals.filter(({ site }) =>
    /@witness|PORT_(UPDATED|TEARDOWN|DELETE)\/|NIC_(CONNECT|UPDATED|DISCONNECT|DELETE)\//.test(
      site,
    ),
  );
  t.same(wrong, []);
  t.notOk(faults.some(({ effect }) => ['throw', 'hang', 'twice'].includes(effect)));
});

t.test('a fault that is none is said to be none', async (t) => {
  const sweep = sweepScenario('life-of-a-vm.yaml', { cwd: FOLDER, only: 'veto:nothing#1' });
  await t.rejects(sweep, /no fault is called "veto:nothing#1"/);
});
