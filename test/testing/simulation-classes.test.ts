import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import { FROM_SOURCES } from '../support/from-sources.ts';
import '../support/uncovered-children.ts';
import { play, playSeed } from '../../src/testing/simulation/play.ts';
import { simulate } from '../../src/testing/simulation/simulate.ts';
import type { Change, Setting, Step } from '../../src/testing/simulation/step.ts';

/* Classes that whoever simulates brings: `--mof` and `simulate({ mofs })`. */

t.setTimeout(300_000);

const ROOT = resolve(import.meta.dirname, '../..');
const head = (uuid: string): string =>
  `[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("${uuid}"), ` +
  'ExtensionId("5cbf81be-5055-47cd-9055-a76b2b4e369e"), DisplayName("Own"), InterfaceVersion("1"), InterfaceRevision("0")]';
const MOF = `
${head('0badcafe-0000-4000-8000-000000000010')}
class Own_PortSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [Read, Write, WmiDataId(1), MinValue(10), MaxValue(20)] uint32 Between = 10;
  [Read, Write, WmiDataId(2)] sint64 Signed = 0;
  [Read, Write, WmiDataId(3), MaxLen(8)] string Short = "";
  [Read, Write, WmiDataId(4)] boolean Flag = FALSE;
};
${head('0badcafe-0000-4000-8000-000000000011')}
class Own_SwitchSettingData : Msvm_EthernetSwitchFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint8 Small = 0;
};`;
const mofs = [{ path: 'own.mof', bytes: Buffer.from(MOF) }];

type ClassChange = Extract<Change, { feature: string }>;

const changesIn = (steps: readonly Step[]): readonly ClassChange[] =>
  steps.flatMap((step): readonly ClassChange[] => {
    if (step.do === 'together' || step.do === 'atomic') return changesIn(step.steps);
    return 'feature' in step ? [step] : [];
  });

t.test(
  'policies of own classes are drawn at their limits and beyond, and every law holds',
  async (t) => {
    const drawn: ClassChange[] = [];
    let digest: string | undefined;
    for (let seed = 1; seed <= 30; seed += 1) {
      const report = await playSeed(String(seed), 25, { mofs });
      t.equal(report.breach, undefined, `seed ${seed}: ${report.breach?.message}`);
      drawn.push(...changesIn(report.history.steps));
      if (digest !== undefined) continue;
      digest = report.digest;
      t.equal((await play(report.history, { mofs })).digest, digest, 'played again, to the byte');
    }
    const of = (name: string): unknown[] => drawn.map(({ settings }) => settings[name]);
    for (const value of [10, 20])
      t.ok(of('Between').includes(value), `MinValue, MaxValue: ${value}`);
    // The most negative and the greatest of 64 bits, as decimal text.
    for (const value of ['-9223372036854775808', '9223372036854775807'])
      t.ok(of('Signed').includes(value), value);
    t.ok(of('Short').includes('x'.repeat(8)), 'MaxLen');
    for (const value of [0, 255]) t.ok(of('Small').includes(value), `uint8: ${value}`);
    const wrong = drawn.filter(({ isValid }) => !isValid).map(({ settings }) => settings);
    t.ok(
      wrong.some(({ Between }) => Between === 9 || Between === 21),
      'one step beyond MinValue, MaxValue',
    );
    t.ok(
      wrong.some(({ Small }) => Small === -1 || Small === 256),
      'one step beyond uint8',
    );
    const kinds = new Set(drawn.map((change) => change.do));
    t.strictSame([...kinds].sort(), [
      'addClassPolicy',
      'addSwitchClassPolicy',
      'updateClassPolicy',
      'updateSwitchClassPolicy',
    ]);
  },
);

const setting: Setting = {
  seed: 'own',
  hosts: ['h1'],
  profile: 'ws2022',
  scheduling: 'fifo',
  behaviour: {},
};

t.test(
  'a value that is none of the class is refused; what says otherwise breaks a law',
  async (t) => {
    const policy = { vm: 'V', adapter: 'n0', feature: 'Own_PortSettingData' } as const;
    const steps: Step[] = [
      { do: 'createVm', host: 'h1', vm: 'V', adapters: ['A'] },
      { do: 'vm', verb: 'start', vm: 'V' },
      { do: 'addClassPolicy', ...policy, policy: 1, settings: { Between: 20 }, isValid: true },
      { do: 'updateClassPolicy', ...policy, policy: 1, settings: { Between: 21 }, isValid: false },
      {
        do: 'addClassPolicy',
        ...policy,
        policy: 2,
        settings: { Short: 'x'.repeat(9) },
        isValid: false,
      },
    ];
    const { breach, results } = await play({ setting, steps }, { mofs });
    t.equal(breach, undefined, `${breach?.message}`);
    t.strictSame(results, ['done', 'done', 'done', 'refused', 'refused']);
    const played = async (settings: Readonly<Record<string, unknown>>, isValid: boolean) => {
      const wrong: Step = { do: 'addClassPolicy', ...policy, policy: 3, settings, isValid };
      return (await play({ setting, steps: [...steps, wrong] }, { mofs })).breach;
    };
    t.match(await played({ Between: 12 }, false), {
      invariant: 'acknowledged',
      message: /accepted/,
    });
    t.match(await played({ Between: 9 }, true), { invariant: 'errors', message: /were refused/ });
  },
);

t.test('a file that is no MOF is refused before anything is played', async (t) => {
  const wrong = [{ path: 'wrong.mof', bytes: Buffer.from('class {') }];
  await t.rejects(simulate({ mofs: wrong, seeds: 1 }), {
    code: 'MOF_INVALID',
    message: /wrong.mof/,
  });
  const { failures, seeds } = await simulate({ mofs, seeds: 2, steps: 10 });
  t.same([failures, seeds], [[], 2]);
});

t.test('scripts/simulate.ts --mof: 0 and the seeds; 2 for what cannot be read or compiled', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'simulate-mof-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const run = (file: string) =>
    spawnSync(
      process.execPath,
      [...FROM_SOURCES, 'scripts/simulate.ts', '--seeds', '2', '--steps', '10', '--mof', file],
      { cwd: ROOT, encoding: 'utf8' },
    );
  const own = join(folder, 'own.mof');
  writeFileSync(own, MOF);
  const fine = run(own);
  t.equal(fine.status, 0, fine.stderr);
  t.match(fine.stdout, /^2 seed\(s\), 20 steps, .* 0 failed$/m);
  const broken = join(folder, 'broken.mof');
  writeFileSync(broken, 'class {');
  for (const file of [broken, join(folder, 'nowhere.mof')]) {
    const { status, stderr } = run(file);
    t.equal(status, 2, stderr);
    t.match(stderr, file);
    t.notMatch(stderr, /^ +at /m, 'no stack');
  }
  t.end();
});
