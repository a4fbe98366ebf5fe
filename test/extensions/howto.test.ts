import { once } from 'node:events';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { serve } from '../cli/serve-process.ts';
import { consumerProject, typeErrors } from './consumer-project.ts';
import {
  askServer,
  blocks,
  commands,
  files,
  readersFolder,
  run,
  withoutCurl,
} from './page-runner.ts';

// The commands of the page are processes, on whatever machine.
t.setTimeout(120_000);

const ROOT = process.cwd();
const PAGE = readFileSync('docs/howto/write-an-extension.md', 'utf8');
const FIRST = readFileSync('docs/howto/first-extension.md', 'utf8');

t.test('every block of the page is run here or says why not', async (t) => {
  const marks = blocks(PAGE).map(({ language, mark }) => `${language} ${mark}`.trim());
  t.strictSame(marks, [
    'console skip=installs from the registry',
    'mof file=contoso.mof',
    'console',
    'ts file=extension.ts',
    'ts file=extension.test.ts',
    'console',
    'console',
    'console background',
    'console server',
  ]);
});

t.test('the commands of the page succeed and print what the page shows', async (t) => {
  const folder = realpathSync(t.testdir({}));
  const { env } = readersFolder(PAGE, folder);
  for (const { command, shown } of commands(PAGE, '')) {
    const { code, out, err } = await run(command, folder, env);
    t.equal(code, 0, `${command}\n${err}`);
    if (shown.trim() !== '') t.equal(out.trimEnd(), shown.trimEnd(), command);
    if (command.includes('--test')) t.match(out, /^# pass 3$/m, 'the tests of the page ran');
  }
});

t.test(
  'the extensions of both pages have no type errors with the types mof types wrote',
  async (t) => {
    const folder = realpathSync(t.testdir({}));
    consumerProject(folder);
    writeFileSync(join(folder, 'contoso.mof'), files(PAGE)['contoso.mof'] ?? '');
    const cli = `"${process.execPath}" --import tsx src/cli.ts`;
    const { code, out, err } = await run(
      `${cli} mof types "${join(folder, 'contoso.mof')}"`,
      ROOT,
      process.env,
    );
    t.equal(code, 0, err);
    const errors = typeErrors(folder, {
      'contoso-types.d.ts': out,
      'extension.ts': files(PAGE)['extension.ts'] ?? '',
      'first.ts': files(FIRST)['extension.ts'] ?? '',
      'mended.ts': files(FIRST)['mended.ts'] ?? '',
    });
    t.strictSame(errors, []);
  },
);

t.test('the server part: enable, set, ask, look', { skip: withoutCurl }, async (t) => {
  const folder = realpathSync(t.testdir({}));
  readersFolder(PAGE, folder);
  const [start] = commands(PAGE, 'background').map(({ command }) => command);
  t.equal(start, 'npx extswitch serve --store memory --extension ./extension.ts');
  const extension = join(folder, 'extension.ts');
  const words = ['--store', 'memory', '--extension', extension, '--port', '0', '--print', 'json'];
  const served = await serve(t, words);
  const { url } = JSON.parse(served.first) as { url: string };
  t.match(await askServer(PAGE, url), [
    { name: 'TestSwitch' },
    { name: 'Contoso Rate Limit', enabled: true, running: true },
    { name: 'A', portId: 1 },
    { feature: 'Contoso_RateLimitSettingData', settings: { PacketsPerSecond: 500, Burst: 100 } },
    { feature: 'Contoso_RateLimitStatus', data: { PacketsPerSecond: 500 } },
    { items: [{ oid: 'OID_SWITCH_PORT_CREATE' }, { oid: 'OID_SWITCH_PORT_PROPERTY_ADD' }, {}] },
  ]);
  served.child.kill('SIGTERM');
  await once(served.child, 'exit');
});
