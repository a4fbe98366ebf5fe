import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { RULES } from '../../src/rules/rule-book.ts';
import { verifierPage } from './verifier-page.ts';

const PATH = 'docs/reference/verifier.md';

t.test('docs/reference/verifier.md says what the checks and the unseen rules say', async (t) => {
  const wanted = verifierPage();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PATH, wanted);
  t.equal(readFileSync(PATH, 'utf8'), wanted, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
});

t.test('every rule that binds extensions is on the page once, and no other', async (t) => {
  const page = readFileSync(PATH, 'utf8');
  const told = [...page.matchAll(/^(?:### |\| )([A-K]\d+)(?:$| \|)/gm)].map(([, rule]) => rule);
  const bound = RULES.filter(({ kind }) => kind === 'ext').map(({ id }) => id);
  t.strictSame([...told].sort(), [...bound].sort());
});
