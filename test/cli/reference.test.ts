import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { cliReference } from './reference.ts';

t.test('docs/reference/cli.md says what the command table says', async (t) => {
  const path = 'docs/reference/cli.md';
  const wanted = cliReference();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, wanted);
  t.equal(readFileSync(path, 'utf8'), wanted, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
});
