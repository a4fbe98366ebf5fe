import { copyFileSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { blocks, commands, readersFolder, run } from '../extensions/page-runner.ts';

// The commands of the page are processes, on whatever machine.
t.setTimeout(180_000);

const PAGE = readFileSync('docs/howto/first-extension.md', 'utf8');

t.test('every block of the page is run here or says why not', async (t) => {
  t.strictSame(
    blocks(PAGE).map(({ language, mark }) => `${language} ${mark}`),
    [
      'console skip=installs from the registry',
      'ts file=extension.ts',
      'console exit=1',
      'ts file=mended.ts',
      'console exit=0',
    ],
  );
});

t.test(
  'the first extension breaks the rules the page names and no other, the mended one none',
  async (t) => {
    const folder = realpathSync(t.testdir({}));
    const { env } = readersFolder(PAGE, folder);
    copyFileSync('policies/fabrikam.mof', join(folder, 'fabrikam.mof'));
    const [first] = commands(PAGE, 'exit=1');
    const broken = await run(first?.command ?? '', folder, env);
    t.equal(broken.code, 1, broken.err);
    const rules = Array.from(broken.out.matchAll(/^error (\w+)/gm), ([, rule]) => rule);
    t.strictSame([...new Set(rules)].sort(), ['E27', 'E34', 'F7'], broken.out);
    t.match(broken.out, 'never answered Fabrikam_CustomSwitchData');
    t.notMatch(broken.out, "which is nobody's", 'respond() forwards what is not its own (F7)');
    const [second] = commands(PAGE, 'exit=0');
    const mended = await run(second?.command ?? '', folder, env);
    t.equal(mended.code, 0, mended.out + mended.err);
  },
);
