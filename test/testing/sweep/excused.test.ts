import { pathToFileURL } from 'node:url';
import t from 'tap';
import {
  type ExtensionSweepOptions,
  sweepReport,
  sweepScenario,
} from '../../../src/testing/index.ts';
import { OWNED_MOF } from './excused.ts';

/*
 * What the judge of a sweep excuses, from either side: the consequence that a rule allows, and the nearest one that none does.
 */

t.setTimeout(120_000);

const samples = pathToFileURL(new URL('./excused.ts', import.meta.url).pathname).href;
const moduleOf = (make: string): string =>
  `import * as all from '${samples}';\nexport default all.${make};\n`;

const FOLDER = {
  'owned.mof': OWNED_MOF,
  'owner.ts': moduleOf('owner(false)'),
  'owner-twice.ts': moduleOf('owner(true)'),
  'owner.yaml': `name: a forwarding extension has a policy of its own
parameters: { extension: owner.ts }
features: [owned.mof]
extensions: { owner: '\${extension}' }
hosts: { host: { switches: [{ name: TestSwitch, extensions: [owner] }] } }
vms: [{ name: TestVm, adapters: [{ switch: TestSwitch }] }]
steps:
  - startVm: TestVm
  - addProperty: { vm: TestVm, feature: Careless_OwnedSettingData, settings: { Limit: 3 }, as: limit }
  - updateProperty: { property: limit, settings: { Limit: 4 } }
  - saveVm: TestVm
`,
};

const sweep = (cwd: string, file: string, extension: string, options: ExtensionSweepOptions = {}) =>
  sweepScenario(file, { cwd, parameters: { extension }, ...options });

t.test('who completes its own policy is judged like any other (E29)', async (t) => {
  const cwd = t.testdir(FOLDER);
  const effects = ['veto', 'resources', 'storeFails', 'crash', 'toggleExtension'] as const;
  const right = await sweep(cwd, 'owner.yaml', 'owner.ts', { effects });
  t.same(right.mishandled, [], sweepReport(right, 'text'));
  t.match(right, { complete: true, subjects: [{ without: [], notes: [] }] });
  t.ok((right.effects.storeFails ?? 0) > 0);
  const wrong = await sweep(cwd, 'owner.yaml', 'owner-twice.ts', {
    effects: ['resources'],
    site: 'NIC_SAVE/',
  });
  t.match(wrong.mishandled, [{ invariant: 'sameEnd', message: /savedRecords/ }]);
});
