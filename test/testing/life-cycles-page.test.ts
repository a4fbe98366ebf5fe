import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lifeCycles } from '../../src/testing/index.ts';
import { blocks, commands, files, readersFolder, run } from '../extensions/page-runner.ts';

// The commands of the page are processes, on whatever machine.
t.setTimeout(120_000);

const PATH = 'docs/howto/life-cycles.md';
const MARK = 'then UPDATE_GOLDEN=1. -->\n';

/** The part of the page that tells what there is. */
function catalogue(): string {
  return lifeCycles
    .map(({ name, title, isRace, origin, story, checks, rules }) => {
      const links = origin.map(({ what, url }) => `- [${what}](${url})`).join('\n');
      const race = isRace ? ' *Race.*' : '';
      return `\n### ${name}\n\n${title}.${race}\n\n${story} ${checks} Rules ${rules.join(', ')}.\n\n${links}\n`;
    })
    .join('');
}

t.test('the page tells of every life cycle what the list says', async (t) => {
  const page = readFileSync(PATH, 'utf8');
  const [before = ''] = page.split(MARK);
  const wanted = `${before}${MARK}${catalogue()}`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PATH, wanted);
  t.equal(readFileSync(PATH, 'utf8'), wanted, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
});

t.test('every block of the page is run here', async (t) => {
  const page = readFileSync(PATH, 'utf8');
  const marks = blocks(page).map(({ language, mark }) => `${language} ${mark}`);
  t.strictSame(marks, [
    'ts file=extension.ts',
    'console exit=1',
    'console fixed',
    'ts file=life-cycles.test.ts',
    'console fixed',
  ]);
});

t.test('the extension of the page fails as shown, and passes without its mistake', async (t) => {
  const page = readFileSync(PATH, 'utf8');
  const folder = realpathSync(t.testdir({}));
  const { env } = readersFolder(page, folder);
  for (const { command, shown } of commands(page, 'exit=1')) {
    const { code, out, err } = await run(command, folder, env);
    t.equal(code, 1, `${command}\n${err}`);
    t.equal(out.trimEnd(), shown.trimEnd());
  }
  const broken = files(page)['extension.ts'] ?? '';
  const fixed = broken.replace(/^ {6}disconnectNic[\s\S]*?^ {6}\},\n/m, '');
  t.not(fixed, broken);
  writeFileSync(join(folder, 'extension.ts'), fixed);
  for (const { command } of commands(page, 'fixed')) {
    const { code, err } = await run(command, folder, env);
    t.equal(code, 0, `${command}\n${err}`);
  }
  const total = lifeCycles.length;
  t.match(readFileSync(join(folder, 'report.tap'), 'utf8'), `# pass ${total}, fail 0\n`);
  t.match(readFileSync(join(folder, 'tests.tap'), 'utf8'), `# pass ${total}\n`);
});
