import { readFile } from 'node:fs/promises';
import t from 'tap';
import { ERROR_CODES } from '../../src/core/errors.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { checkPortableDocument } from '../../src/policy/portable-check.ts';
import { everything, plain } from '../policy/portable-world.ts';

const PAGE = await readFile('docs/reference/portable-document.md', 'utf8');
const HOWTO = await readFile('docs/howto/bring-a-hyper-v-host.md', 'utf8');

function block(language: string): string {
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(PAGE)?.[1] ?? '';
}

t.test('the tables of the page name every member of a document, and no other', async (t) => {
  const there = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) there.add(name);
      if (name !== 'settings') collect(inner);
    }
  };
  collect(plain(await everything()));
  // Of NICs made by hand that say whose they are: stores of earlier versions may have some.
  there.add('vmName').add('vmFriendlyName');
  const [, members = ''] = /## Members\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
  const first = [...members.matchAll(/^\| ([^|]*) \|/gm)].map(([, cell = '']) => cell);
  const named = new Set(
    first.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)),
  );
  // Small objects are described in the row of their owner.
  for (const name of ['enabled', 'required', 'virtualFunctions', 'queues']) {
    t.match(members, `\`${name}\``);
    named.add(name);
  }
  t.same([...named].sort(), [...there].sort());
});

t.test('the example is a document, and its sum is that of the recipe on the page', async (t) => {
  const example = JSON.parse(block('json'));
  t.equal(checkPortableDocument(example).vms[0]?.name, 'web1');
  const recipe = new Function('require', 'document', block('js'));
  const { createRequire } = await import('node:module');
  const require = createRequire(import.meta.url);
  t.equal(recipe(require, example), true);
  t.equal(recipe(require, { ...example, profile: 'ws2012' }), false);
  t.equal(
    recipe(require, plain(await everything())),
    true,
    'also for a document with everything in it',
  );
  const fabric = await Fabric.open({ clock: 'manual' });
  await fabric.switches.create({ name: 'Outside' });
  t.match(await fabric.vms.import(example), {
    vms: [{ name: 'web1', state: 'saved', savedRecords: 1 }],
  });
});

t.test('codes and files the pages name exist', async (t) => {
  for (const [, code = ''] of PAGE.matchAll(/409 `([A-Z_]+)`|422 `([A-Z_]+)`/g)) {
    if (code !== '') t.ok(code in ERROR_CODES, code);
  }
  const script = await readFile('policies/hyperv/Export-ExtSwitchDocument.ps1', 'utf8');
  for (const [, cmdlet = ''] of HOWTO.matchAll(/`(Get-\w+)/g)) t.match(script, cmdlet);
  for (const [, flag = ''] of HOWTO.matchAll(/\.ps1 [^\n]*?-(SwitchName|VMName|Path)/g)) {
    t.match(script, `$${flag}`);
  }
});
