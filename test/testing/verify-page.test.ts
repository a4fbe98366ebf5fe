import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { blocks, commands, readersFolder, run } from '../extensions/page-runner.ts';

// The commands of the page are processes, on whatever machine.
t.setTimeout(180_000);

const PAGE = readFileSync('docs/howto/verify-an-extension.md', 'utf8');

t.test('every block of the page is run here, but for the lines of a CI service', async (t) => {
  t.strictSame(
    blocks(PAGE).map(({ language, mark }) => `${language} ${mark}`),
    [
      'ts file=extension.ts',
      'console exit=1',
      'console fixed',
      'ts file=fixed.ts',
      'console fixed',
      'console fixed',
      'yaml ',
      'ts file=verify.test.ts',
      'console fixed',
    ],
  );
});

t.test('the extension of the page fails as shown, and passes when it is mended', async (t) => {
  const folder = realpathSync(t.testdir({}));
  const { env } = readersFolder(PAGE, folder);
  for (const { command, shown } of commands(PAGE, 'exit=1')) {
    const { code, out, err } = await run(command, folder, env);
    t.equal(code, 1, `${command}\n${err}`);
    t.ok(out.startsWith(shown.trimEnd()), out);
    // Both rules of which the text below it tells.
    t.match(out, /\nerror B39 .*\n(?: .*\n)+\nerror B42 .*\n(?: .*\n)+\nfailed: 2 errors/);
  }
  for (const { command } of commands(PAGE, 'fixed')) {
    const { code, out, err } = await run(command, folder, env);
    t.equal(code, 0, `${command}\n${out}${err}`);
  }
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  t.match(read('verify.html'), '✓ passed: 0 errors, 0 warnings');
  t.strictSame(JSON.parse(read('verify.sarif')).runs[0].results, []);
  t.match(read('verify.xml'), '<testsuites name="extswitch" tests="250" failures="0" errors="0">');
  t.match(read('tests.tap'), '# pass 1\n');
});
