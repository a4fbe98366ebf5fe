import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  ERROR_CODES,
  type ErrorCode,
  ExtSwitchError,
  isExtSwitchError,
} from '../../src/core/errors.ts';
import { errorsPage, WHEN } from './errors-page.ts';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** Text of all TypeScript files below a folder, by path. */
function sources(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path, readFileSync(path, 'utf8'));
  }
  return found;
}

const product = new Map(['src', 'switch', 'extensions'].flatMap((folder) => [...sources(folder)]));
product.delete(join('src', 'core', 'errors.ts'));
const tests = sources('test');
for (const own of ['errors-page.ts', 'errors.test.ts']) tests.delete(join('test', 'docs', own));

t.test('docs/reference/errors.md says what the code table says', async (t) => {
  const path = 'docs/reference/errors.md';
  const wanted = errorsPage();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, wanted);
  const page = readFileSync(path, 'utf8');
  t.equal(page, wanted, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
  const documented = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map((row) => [
    row[1],
    Number(row[2]),
  ]);
  t.same(
    documented,
    CODES.map((code) => [code, ERROR_CODES[code].httpStatus]),
    'every code once, in the order of the table',
  );
  for (const code of CODES)
    t.ok(WHEN[code].length > 20 && WHEN[code].endsWith('.'), `${code} says when`);
});

t.test('every code is produced by the product, and expected by a test', async (t) => {
  for (const code of CODES) {
    const quoted = new RegExp(`'${code}'`);
    t.ok(
      [...product.values()].some((text) => quoted.test(text)),
      `${code} is produced somewhere in src, switch or extensions`,
    );
    // A test of the wire may name the status instead, where only one code has it.
    const { httpStatus } = ERROR_CODES[code];
    const alone =
      CODES.filter((other) => ERROR_CODES[other].httpStatus === httpStatus).length === 1;
    const named = new RegExp(alone ? `\\b(${code}|${httpStatus})\\b` : `\\b${code}\\b`);
    t.ok(
      [...tests.values()].some((text) => named.test(text)),
      `${code} is expected by a test`,
    );
  }
});

t.test('no source line makes an error of a code that is not in the table', async (t) => {
  const made = /new ExtSwitchError\(\s*'([A-Z_]+)'/g;
  let count = 0;
  for (const [path, text] of product) {
    for (const [, code = ''] of text.matchAll(made)) {
      count += 1;
      if (!(code in ERROR_CODES)) t.fail(`${path}: ${code}`);
    }
  }
  t.ok(count > 50, `${count} places looked at`);
});

t.test(
  'an error carries code, place, status, title and cause, and is known across copies of the package',
  async (t) => {
    const cause = new Error('disk');
    const error = new ExtSwitchError('STORE_UNAVAILABLE', 'no space', { file: 'x' }, { cause });
    t.match(error, {
      name: 'ExtSwitchError',
      code: 'STORE_UNAVAILABLE',
      message: 'no space',
      place: { file: 'x' },
      cause,
    });
    t.equal(error.httpStatus, 503);
    t.equal(error.title, 'The store is not available');
    t.same(new ExtSwitchError('INTERNAL', 'x').place, {});
    t.equal(isExtSwitchError(error), true);
    const foreign = Object.assign(new Error('other copy'), {
      name: 'ExtSwitchError',
      code: 'NOT_FOUND',
    });
    t.equal(isExtSwitchError(foreign), true);
    for (const other of [
      new Error('x'),
      { name: 'ExtSwitchError', code: 'NOT_FOUND' },
      undefined,
      'NOT_FOUND',
    ]) {
      t.equal(isExtSwitchError(other), false);
    }
  },
);

t.test('HTTP statuses are those of the interface (interfaces.md 3)', async (t) => {
  const allowed = new Set([400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 500, 503]);
  for (const code of CODES) t.ok(allowed.has(ERROR_CODES[code].httpStatus), code);
  t.equal(ERROR_CODES.VETOED.httpStatus, 409);
  t.equal(ERROR_CODES.STALE_REVISION.httpStatus, 412);
  t.equal(ERROR_CODES.MOF_INVALID.httpStatus, 422);
  t.equal(ERROR_CODES.STORE_UNAVAILABLE.httpStatus, 503);
});
