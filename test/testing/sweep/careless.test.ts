import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { ExtensionDefinition } from '../../../src/sdk/index.ts';
import {
  type ExtensionSweepOptions,
  type MishandledFault,
  sweepExtension,
  sweepReport,
  sweepScenario,
} from '../../../src/testing/index.ts';
import { deletes, LIMIT_MOF, limits, questions, references, statuses } from './careless.ts';

/** A mistake that only a failure path shows, and where to look for it. */
interface Pair {
  readonly what: string;
  readonly make: (isCareless: boolean) => ExtensionDefinition;
  readonly options: ExtensionSweepOptions;
  /** How it shows: an invariant, or a rule of the rule book. */
  readonly shows: Pick<MishandledFault, 'invariant'> & { readonly rule?: RegExp };
}

const stages = ['whole-life'];
const PAIRS: readonly Pair[] = [
  {
    what: 'a property that a lower extension vetoed is kept in memory (rule E37)',
    make: limits,
    options: {
      stages,
      mof: LIMIT_MOF,
      effects: ['veto'],

      site: 'PORT_PROPERTY_ADD/set@Witness',
    },
    shows: { invariant: 'again' },
  },
  {
    what: 'a limit is forgotten though its delete was refused below (rule E37)',
    make: deletes,
    options: {
      stages,
      mof: LIMIT_MOF,
      effects: ['veto'],
      site: 'PORT_PROPERTY_DELETE/set@Witness',
    },
    shows: { invariant: 'again' },
  },
  {
    what: 'a port reference leaks when the call after it fails (rule B39)',
    make: references,
    options: { stages, effects: ['callFails'], site: 'request' },
    shows: { invariant: 'findings', rule: /B39|B42|C60/ },
  },
  {
    what: 'a pended request is never completed when its own question fails (rule D6)',
    make: questions,
    options: { stages, effects: ['callFails'], site: 'request' },
    shows: { invariant: 'findings', rule: /NdisTimedOidComplete/ },
  },
  {
    what: 'RESOURCES throws in the completion handler (rule D14)',
    make: statuses,
    options: { stages, effects: ['resources'], site: 'PORT_CREATE', maxRuns: 4 },
    shows: { invariant: 'findings', rule: /D14/ },
  },
];

for (const { what, make, options, shows } of PAIRS) {
  t.test(what, async (t) => {
    const careless = await sweepExtension(make(true), options);
    const found = careless.mishandled.filter(
      ({ invariant, rule }) =>
        invariant === shows.invariant && (shows.rule === undefined || shows.rule.test(rule ?? '')),
    );
    t.equal(careless.ok, false, sweepReport(careless, 'text'));
    t.ok(found.length > 0, 'it shows where it has to');
    const [first] = found;
    const again = await sweepExtension(make(true), { ...options, only: first?.only ?? '' });
    t.equal(again.runs, 1, 'the one fault is played alone');
    t.ok(
      again.mishandled.some(({ message }) => message === first?.message),
      'and shows the same',
    );
    const careful = await sweepExtension(make(false), options);
    t.ok(careful.runs > 0);
    t.same(careful.mishandled, [], 'its twin comes out clean');
  });
}

t.test(
  'what a failed save left over is saved with the next one (rule G22): the end is another',
  async (t) => {
    const module = pathToFileURL(new URL('./careless.ts', import.meta.url).pathname).href;
    const text = (isCareless: boolean): string =>
      `import { saves } from '${module}';\nexport default saves(${isCareless});\n`;
    const folder = t.testdir({
      'careless.ts': text(true),
      'careful.ts': text(false),
      'save.yaml': `name: a save that fails
parameters: { extension: careful.ts }
extensions: { saver: '\${extension}' }
hosts: { host: { switches: [{ name: TestSwitch, extensions: [saver] }] } }
vms: [{ name: TestVm, adapters: [{ switch: TestSwitch }] }]
steps:
  - startVm: TestVm
  - saveVm: TestVm
`,
    });
    const sweep = (extension: string) =>
      sweepScenario('save.yaml', {
        cwd: folder,
        parameters: { extension },
        effects: ['resources'],
        site: 'NIC_SAVE/',
      });
    const careless = await sweep('careless.ts');
    t.match(careless.mishandled, [{ invariant: 'sameEnd', message: /savedRecords/ }]);
    const careful = await sweep('careful.ts');
    t.ok(careful.runs > 0);
    t.same(careful.mishandled, []);
  },
);
