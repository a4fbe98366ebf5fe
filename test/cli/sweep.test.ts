import '../support/uncovered-children.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { runCli } from './run-in-process.ts';

t.setTimeout(180_000);

const ROOT = resolve('.');

/** A module with a mistake that only a failure shows: rule B39, a reference that stays when the call after it fails. */
function moduleIn(folder: string): string {
  const samples = pathToFileURL(resolve('test/testing/sweep/careless.ts')).href;
  const text = `import { references } from '${samples}';\nexport default references(true);\n`;
  writeFileSync(join(folder, 'leaks.ts'), text);
  return './leaks.ts';
}

for (const jobs of [[], ['--jobs', '2']]) {
  const where = jobs.length === 0 ? 'one thread' : 'two threads';
  t.test(`a sweep in ${where} that is killed has said and kept what it had found`, async (t) => {
    const cwd = t.testdir({});
    const tsx = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href;
    const words = ['sweep', moduleIn(cwd), '--report', 'kept.json', '--report', 'kept.html'];
    // Far more comes after what is found: it is killed in the middle.
    const stages = ['--stage', 'whole-life', '--stage', 'hardware'];
    const only = [...stages, '--effects', 'callFails,veto,delay,crash', '--attempts', '99'];
    const child = spawn(
      process.execPath,
      ['--import', tsx, join(ROOT, 'src/cli.ts'), ...words, ...only, ...jobs],
      { cwd, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const gone = once(child, 'exit');
    let said = '';
    for await (const chunk of child.stderr) {
      said += String(chunk);
      // The files are written before it is said.
      if (!/ {2}again {2}/.test(said)) continue;
      child.kill('SIGKILL');
      break;
    }
    await gone;
    t.match(said, /^error (B39|B42|C60) {2}.*reference/m, 'what, with its rule');
    t.match(said, /^ {2}again {2}extswitch sweep \.\/leaks\.ts .*--seed sweep --only /m, 'and how');
    const kept = JSON.parse(readFileSync(join(cwd, 'kept.json'), 'utf8'));
    t.match(kept, { ok: false, complete: false });
    t.ok(kept.mishandled.length > 0);
    t.match(readFileSync(join(cwd, 'kept.html'), 'utf8'), /<\/html>/);
    const [{ only: fault }] = kept.mishandled;
    const again = await runCli(['sweep', './leaks.ts', '--seed', 'sweep', '--only', fault], {
      cwd,
    });
    t.equal(again.code, 1, 'the command finds it again');
    t.match(again.out, kept.mishandled[0].message);
  });
}

t.test('what is found on the way is said once, and the reports at the end have all', async (t) => {
  const cwd = t.testdir({});
  const words = ['--stage', 'whole-life', '--effects', 'callFails', '--report', 'all.json'];
  const { code, err } = await runCli(['sweep', moduleIn(cwd), ...words], { cwd });
  t.equal(code, 1);
  const all = JSON.parse(readFileSync(join(cwd, 'all.json'), 'utf8'));
  t.equal(all.complete, true);
  t.equal(err.match(/^ {2}again {2}/gm)?.length, all.mishandled.length);
});
