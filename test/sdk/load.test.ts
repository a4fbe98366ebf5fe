import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { isExtensionDefinition, mofFilesOf } from '../../src/sdk/define.ts';
import { loadExtension } from '../../src/sdk/load.ts';
import '../support/uncovered-children.ts';

const ID = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
const definition = (version: string) => `defineExtension({
  id: '${ID}', name: 'Fabrikam', vendor: 'Fabrikam', version: ${version}, type: 'filter',
  mof: ['./fabrikam.mof'],
  attach: () => ({ addPortProperty: () => NdisStatus.DATA_NOT_ACCEPTED }),
})`;
const IMPORT = `import { defineExtension, NdisStatus } from 'extswitch/extension';`;

/** A folder far from this project, with no package.json and no node_modules. */
function outside(t: Tap, files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'extswitch-load-')));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ 'fabrikam.mof': 'class X {};', ...files })) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
type Tap = { teardown(done: () => void): void };

t.test('.mjs, .js and .ts modules load from a folder outside the project', async (t) => {
  const folder = outside(t, {
    'a.mjs': `${IMPORT}\nimport { v } from './v.mjs';\nexport default ${definition('v')}`,
    'v.mjs': `export const v = '1.1';`,
    'b.js': `${IMPORT}\nimport { v } from './w.js';\nexport default ${definition('v')}`,
    'w.js': `export const v = '1.2';`,
    'c.ts': `${IMPORT}\nimport { v } from './x.ts';\nimport type { Verdict } from 'extswitch/extension';
      const verdict: Verdict = 'forward'; void verdict;\nexport default ${definition('v as string')}`,
    'x.ts': `export const v: string = '1.3';`,
    'deep/d.mts': `${IMPORT}\nexport default ${definition(`'1.4'`).replace('./fab', '../fab')}`,
  });
  const wanted = { 'a.mjs': '1.1', 'b.js': '1.2', './c.ts': '1.3', 'deep/d.mts': '1.4' };
  for (const [path, version] of Object.entries(wanted)) {
    const loaded = await loadExtension(path, folder);
    t.equal(loaded.id, ID);
    t.equal(loaded.version, version);
    t.ok(isExtensionDefinition(loaded), 'made by the running copy');
    t.equal(mofFilesOf(loaded)[0]?.path, join(folder, 'fabrikam.mof'), 'MOF beside the module');
  }
  const byUrl = await loadExtension(pathToFileURL(join(folder, 'a.mjs')).href, '/');
  t.equal(byUrl, await loadExtension(join(folder, 'a.mjs'), '/'), 'absolute path, file: URL');
});

t.test('a module without imports of a package that is not there is named', async (t) => {
  const folder = outside(t, { 'a.mjs': `import 'no-such-package';` });
  await t.rejects(loadExtension('a.mjs', folder), {
    code: 'EXTENSION_INVALID',
    message: /^extension a\.mjs: Cannot find package 'no-such-package'$/,
  });
});

t.test('what is wrong with a module is said with its path', async (t) => {
  const folder = outside(t, {
    'syntax.mjs': `${IMPORT}\n\nconst a = = 5;\n`,
    'syntax.ts': `${IMPORT}\n\nconst a: = 5;\n`,
    'imports-broken.mjs': `import './syntax.mjs';`,
    'none.mjs': `export const a = 1;`,
    'plain.mjs': `export default { id: '${ID}' };`,
    'throws.mjs': `throw new RangeError('no luck\\nsecond line');`,
    'throws-text.mjs': `throw 'just text';`,
    'wrong.mjs': `${IMPORT}\nexport default ${definition(`'1'`)}`,
    'missing.mjs': `import './nothing.mjs';`,
    'readme.md': '',
  });
  const at = (name: string) => join(folder, name).replaceAll('.', '\\.');
  const cases: readonly [string, RegExp, object][] = [
    ['syntax.mjs', new RegExp(`syntax error at ${at('syntax.mjs')}:3: `), { line: 3 }],
    ['syntax.ts', new RegExp(`syntax error at ${at('syntax.ts')}:3:\\d+: `), { line: 3 }],
    ['imports-broken.mjs', /syntax error in it or a module it imports: /, {}],
    ['none.mjs', /no default export; write `export default defineExtension/, { member: 'default' }],
    ['plain.mjs', /does not come from defineExtension/, { member: 'default' }],
    ['throws.mjs', /throws while loading: RangeError: no luck$/, {}],
    ['throws-text.mjs', /throws while loading: Error: just text$/, {}],
    ['wrong.mjs', /version must be major\.minor/, { member: 'version' }],
    ['missing.mjs', /Cannot find module '.*nothing\.mjs'$/, {}],
    ['nowhere.mjs', /no such file$/, {}],
    ['.', /it is a folder/, {}],
    ['readme.md', /the name must end in \.ts, \.mts, \.js, \.mjs$/, {}],
  ];
  for (const [path, message, place] of cases) {
    await t.rejects(loadExtension(path, folder), { code: 'EXTENSION_INVALID', message, place });
    const error = await loadExtension(path, folder).catch((caught: Error) => caught);
    t.ok((error as Error).message.startsWith(`extension ${path}: `), (error as Error).message);
  }
});

t.test('every entry of the package means the running copy', async (t) => {
  const folder = outside(t, {
    'all.mjs': `import { defineExtension } from 'extswitch/extension';
      import { OID_LIST } from 'extswitch/abi';
      import { layoutOf } from 'extswitch/mof';
      if (OID_LIST.length < 30 || typeof layoutOf !== 'function') throw new Error('not there');
      const NdisStatus = {};
      export default ${definition(`'1.0'`)}`,
  });
  t.equal((await loadExtension('all.mjs', folder)).id, ID);
});

const skip = existsSync('dist/src/sdk/load.js') ? false : 'nothing is built: npm run build';
t.test('the build loads modules as the sources do', { skip }, async (t) => {
  const folder = outside(t, {
    'a.ts': `${IMPORT}\nconst v: string = '1.0';\nexport default ${definition('v')}`,
    'b.js': `${IMPORT}\nexport default ${definition(`'1.0'`)}`,
  });
  const program = `import { loadExtension } from ${JSON.stringify(pathToFileURL('dist/src/sdk/load.js').href)};
    for (const path of ['b.js', 'a.ts']) console.log((await loadExtension(path, ${JSON.stringify(folder)})).id);`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  t.equal(ran.stdout, `${ID}\n${ID}\n`, ran.stderr);
});
