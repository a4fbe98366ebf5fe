import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commands, readersFolder, run } from '../../extensions/page-runner.ts';

// The commands of the page are processes, on whatever machine.
t.setTimeout(180_000);

const PAGE = readFileSync('docs/howto/sweep-faults.md', 'utf8');

t.test('the extension of the page fails as shown, and passes when it is mended', async (t) => {
  const folder = realpathSync(t.testdir({}));
  const { env } = readersFolder(PAGE, folder);
  const shown = /```text\n([\s\S]*?)```/.exec(PAGE)?.[1]?.trim().split('\n') ?? [];
  t.ok(shown.length > 5);
  for (const { command } of commands(PAGE, 'exit=1')) {
    const { code, out, err } = await run(command, folder, env);
    t.equal(code, 1, `${command}\n${err}`);
    for (const line of shown) t.ok(out.includes(line), line);
  }
  for (const { command } of commands(PAGE, 'fixed')) {
    const { code, out, err } = await run(command, folder, env);
    t.equal(code, 0, `${command}\n${out}${err}`);
    t.match(out, /^passed: 0 faults mishandled/m);
  }
  t.match(readFileSync(join(folder, 'sweep.xml'), 'utf8'), /failures="0"/);
  t.ok(existsSync(join(folder, 'sweep.html')));
});
