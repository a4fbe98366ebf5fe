import { pathToFileURL } from 'node:url';
import t from 'tap';
import { sweepReport, sweepScenario } from '../../../src/testing/index.ts';
import { type Mistake, QUOTA_MOF } from './quota.ts';

/*
 * A vendor sweeps an extension with its usual scenario (docs/howto/sweep-faults.md). Each mistake has to be found: which rule or
 * invariant, in which place, and a command that plays it again.
 */

t.setTimeout(120_000);

const SCENARIO = `name: a port has a quota
parameters: { extension: right.ts }
features: [quota.mof]
extensions: { quota: '\${extension}', below: below.ts }
hosts: { host: { switches: [{ name: TestSwitch, extensions: [quota, below] }] } }
vms: [{ name: TestVm, adapters: [{ switch: TestSwitch }] }]
steps:
  - startVm: TestVm
  - addProperty: { vm: TestVm, feature: Contoso_QuotaSettingData, settings: { Quota: 10 }, as: quota }
  - updateProperty: { property: quota, settings: { Quota: 12 } }
`;

const sdk = pathToFileURL(new URL('../../../src/sdk/index.ts', import.meta.url).pathname).href;
const samples = pathToFileURL(new URL('./quota.ts', import.meta.url).pathname).href;
const BELOW = `import { defineExtension } from '${sdk}';
export default defineExtension({ id: 'c31d5e20-7f42-4b90-8d18-62f3a4b50002', name: 'Below', vendor: 'Contoso',
  version: '1.0', type: 'filter', attach: () => ({}) });
`;
const moduleOf = (...mistakes: readonly Mistake[]): string =>
  `import { quota } from '${samples}';\nexport default quota(${mistakes.map((one) => `'${one}'`)});\n`;

const FOLDER = {
  'quota.mof': QUOTA_MOF,
  'below.ts': BELOW,
  'scenario.yaml': SCENARIO,
  'right.ts': moduleOf(),
  'held.ts': moduleOf('held'),
  'undo.ts': moduleOf('undo'),
  'stale.ts': moduleOf('stale'),
};

const FAILING = ['callFails', 'veto', 'resources'] as const;

const sweep = (cwd: string, extension: string, only?: string) =>
  sweepScenario('scenario.yaml', {
    cwd,
    parameters: { extension },
    ...(extension === 'right.ts' ? {} : { effects: FAILING }),
    ...(only === undefined ? {} : { only }),
  });

t.test(
  'without a mistake it is swept for everything, to the end, and comes out clean',
  async (t) => {
    const report = await sweep(t.testdir(FOLDER), 'right.ts');
    t.same(report.mishandled, [], sweepReport(report, 'text'));
    t.match(report, { ok: true, complete: true });
    t.same(report.subjects[0]?.without, []);
  },
);

const FOUND: readonly {
  readonly what: string;
  readonly file: string;
  readonly shows: Readonly<Record<string, unknown>>;
}[] = [
  {
    what: 'a request is held for ever when what is asked meanwhile fails below (rule D6)',
    file: 'held.ts',
    shows: { rule: 'NdisTimedOidComplete', effect: /callFails|resources/, site: /NIC_ARRAY/ },
  },
  {
    what: 'an add that fails below stays counted: the next one does not fit (rule E37)',
    file: 'undo.ts',
    shows: { invariant: /again|refused/, site: /PORT_PROPERTY_ADD/ },
  },
  {
    what: 'an update that fails below stays: the status is one that management never set (rule E37)',
    file: 'stale.ts',
    shows: { invariant: 'refused', site: /PORT_PROPERTY_UPDATE/, message: /"Quota":12/ },
  },
];

for (const { what, file, shows } of FOUND) {
  t.test(what, async (t) => {
    const cwd = t.testdir(FOLDER);
    const report = await sweep(cwd, file);
    t.equal(report.ok, false);
    const [found] = report.mishandled.filter((one) =>
      Object.entries(shows).every(([name, wanted]) => {
        const value = String(one[name as keyof typeof one]);
        return wanted instanceof RegExp ? wanted.test(value) : value === wanted;
      }),
    );
    t.ok(found, sweepReport(report, 'text'));
    if (found === undefined) return;
    const command = 'extswitch sweep scenario.yaml';
    const text = sweepReport(report, 'text', { command });
    t.ok(text.includes(`  again  ${command} --seed`), 'the command is told');
    t.ok(text.includes(found.only));
    const again = await sweep(cwd, file, found.only);
    t.equal(again.runs, 1);
    t.match(again.mishandled, [{ only: found.only }]);
    t.ok(again.mishandled.some(({ message }) => message === found.message));
    t.same((await sweep(cwd, 'right.ts', found.only)).mishandled, [], 'mended, it is stood');
  });
}
