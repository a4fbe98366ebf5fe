import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { COMMANDS } from '../../src/cli/verbs.ts';
import { cliReference } from './reference.ts';

t.test('docs/reference/cli.md says what the command table says', async (t) => {
  const path = 'docs/reference/cli.md';
  const wanted = cliReference();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, wanted);
  t.equal(readFileSync(path, 'utf8'), wanted, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
});

t.test('every command line of docs/howto/coming-from-powershell.md parses', async (t) => {
  const page = readFileSync('docs/howto/coming-from-powershell.md', 'utf8');
  const lines = [...page.matchAll(/`extswitch ([^`]+)`/g)].map(([, line = '']) => line.split(' '));
  t.ok(lines.length > 30);
  for (const words of lines) {
    const spec = COMMANDS.filter((each) =>
      each.words.every(
        (word, at) =>
          word === words[at] ||
          (at === each.words.length - 1 && each.aliases?.includes(words[at] ?? '') === true),
      ),
    ).toSorted((a, b) => b.words.length - a.words.length)[0];
    if (spec === undefined) t.fail(`no verb ${words.join(' ')}`);
    else {
      const rest = words.slice(spec.words.length);
      t.doesNotThrow(() => parseCommandLine(spec, rest), words.join(' '));
    }
  }
});
