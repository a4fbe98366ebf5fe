import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FEATURE } from './client-samples.ts';
import { fakeServer } from './fake-server.ts';
import { runCli } from './run-in-process.ts';

t.test('feature register sends file by file; MOF errors get line, column and caret', async (t) => {
  const bad = 'class X {\n\tuint32 A\n};';
  const problem = {
    title: 'The MOF text has errors',
    status: 422,
    detail: 'bad.mof:2:10: E-SYNTAX: expected ;',
    file: 'bad.mof',
    line: 2,
    column: 10,
    problems: [
      {
        code: 'E-SYNTAX',
        message: 'expected ;',
        file: 'bad.mof',
        line: 2,
        column: 10,
        hint: 'add ;',
      },
    ],
  };
  const { url, seen } = await fakeServer(t, {
    'POST /v1/features': [
      [201, { features: [FEATURE], warnings: [] }],
      [422, problem],
      [200, { features: [FEATURE], warnings: [] }],
    ],
  });
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('class É {};', 'utf16le')]);
  const dir = t.testdir({});
  writeFileSync(join(dir, 'good.mof'), utf16);
  writeFileSync(join(dir, 'bad.mof'), bad);
  const words = ['feature', 'register', 'good.mof', 'bad.mof', '--url', url];
  const ran = await runCli(words, { cwd: dir });
  t.equal(ran.code, 1);
  t.strictSame(seen[0]?.body, { mof: 'class É {};', source: 'good.mof' }, 'UTF-16 by its BOM');
  t.match(ran.err, 'bad.mof:2:10: error: expected ;\n  \tuint32 A\n  \t        ^\n  hint: add ;');
  const more = ['feature', 'add', '-', '--uint16', 'doc32', '--url', url];
  const input = await runCli(more, { input: 'x' });
  t.equal(input.code, 0);
  t.strictSame(seen.at(-1)?.body, { mof: 'x', source: 'standard input', uint16: 'doc32' });
  t.match(input.out, `registered ${FEATURE.name} (${FEATURE.id}, 16 bytes)`);
});

t.test('feature register prints warnings with their place', async (t) => {
  const warning = { code: 'W-QUIRK', message: 'a quirk', line: 4, column: 2 };
  const { url } = await fakeServer(t, {
    'POST /v1/features': [201, { features: [FEATURE], warnings: [warning] }],
  });
  const dir = t.testdir({ 'good.mof': 'x' });
  const words = ['feature', 'register', 'good.mof', '--url', url];
  t.match((await runCli(words, { cwd: dir })).err, 'good.mof:4:2: warning: a quirk');
  const json = JSON.parse((await runCli([...words, '--json'], { cwd: dir })).out);
  t.strictSame(json, { features: [FEATURE], warnings: [{ ...warning, file: 'good.mof' }] });
});

t.test('batch sends a file or a bare list, exits 1 when something failed', async (t) => {
  const operations = [
    { method: 'POST', path: '/v1/switches', body: { name: 'A' } },
    { method: 'DELETE', path: '/v1/switches/Z' },
  ];
  const created = { status: 201, headers: {} };
  const refused = { status: 404, headers: {}, body: { title: 'Not found', detail: 'no Z' } };
  const { url, seen } = await fakeServer(t, {
    'POST /v1/batch': [
      [200, { results: [created, { status: 204, headers: {} }] }],
      [200, { results: [created, refused] }],
    ],
  });
  const dir = t.testdir({ 'changes.json': JSON.stringify({ operations }) });
  const good = await runCli(['batch', 'changes.json', '--atomic', '--url', url], { cwd: dir });
  t.strictSame(good, { code: 0, out: '2 done, 0 failed\n', err: '' });
  t.strictSame(seen[0]?.body, { atomic: true, operations });
  const input = JSON.stringify(operations);
  const bad = await runCli(['batch', '-', '--url', url], { input });
  t.equal(bad.code, 1);
  t.strictSame(seen[1]?.body, { operations });
  t.match(bad.out, /404 +DELETE +\/v1\/switches\/Z +no Z\n1 done, 1 failed\n/);
  const json = await runCli(['batch', '-', '--json', '--url', url], { input });
  t.equal(json.code, 1);
  t.strictSame(JSON.parse(json.out), { results: [created, refused] });
  t.equal((await runCli(['batch', '-', '--url', url], { input: '{}' })).code, 2);
});

t.test('openapi -o writes the file, and says why it cannot', async (t) => {
  const { url } = await fakeServer(t, { 'GET /openapi.json': [200, { openapi: '3.1.0' }] });
  const dir = t.testdir({});
  await runCli(['openapi', '-o', 'x.json', '--url', url], { cwd: dir });
  t.strictSame(JSON.parse(readFileSync(join(dir, 'x.json'), 'utf8')), { openapi: '3.1.0' });
  mkdirSync(join(dir, 'folder'));
  const ran = await runCli(['openapi', '-o', 'folder', '--url', url], { cwd: dir });
  t.equal(ran.code, 1);
  t.match(ran.err, 'cannot write folder');
});

const skip = process.getuid?.() === 0 ? 'root may read everything' : false;
t.test('a file that may not be read is named', { skip }, async (t) => {
  const dir = t.testdir({});
  writeFileSync(join(dir, 'x.mof'), '', { mode: 0o000 });
  const { err } = await runCli(['feature', 'register', 'x.mof'], { cwd: dir });
  t.match(err, 'cannot read x.mof: not allowed');
});
