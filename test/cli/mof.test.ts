import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FABRIKAM_MOF, SAMPLE_MEMBERS, SAMPLE_MOF } from './mof-samples.ts';
import { runCli } from './run-in-process.ts';

const member = ([name, wmiDataId, ctype, offset, size]: (typeof SAMPLE_MEMBERS)[number]) => ({
  name,
  wmiDataId,
  ctype,
  offset,
  size,
});

t.test(
  'mof layout --json of the documented sample is the table of management.md 2.3',
  async (t) => {
    const dir = t.testdir({ 'sample.mof': SAMPLE_MOF });
    const { code, out, err } = await runCli(['mof', 'layout', 'sample.mof', '--json'], {
      cwd: dir,
    });
    t.equal(code, 0, err);
    t.strictSame(JSON.parse(out), [
      {
        class: 'Vendor_SampleFeatureSettingData',
        id: 'cfc8d0a7-6ab9-4de4-8dd5-10a2b9b5e33d',
        extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
        scope: 'port',
        kind: 'setting',
        version: 256,
        size: 584,
        alignment: 8,
        members: SAMPLE_MEMBERS.map(member),
      },
    ]);
    const line = SAMPLE_MOF.split('\n').findIndex((each) => each.startsWith('class ')) + 1;
    t.match(
      err,
      `sample.mof:${line}:41: warning W-SUPER`,
      'the misspelled superclass is a warning with its line',
    );
  },
);

t.test(
  'mof layout --uint16 doc32 gives 592 bytes and the offsets of the printed struct',
  async (t) => {
    const words = ['mof', 'layout', '-', '--json', '--uint16', 'doc32'];
    const { out } = await runCli(words, { input: SAMPLE_MOF });
    const [layout] = JSON.parse(out);
    t.equal(layout.size, 592);
    t.strictSame(
      layout.members.map(({ offset }: { offset: number }) => offset),
      [0, 4, 8, 16, 24, 26, 540, 544, 548, 580, 584],
    );
    t.equal(layout.members[1].size, 4);
  },
);

t.test('mof layout prints a table for people, of all files', async (t) => {
  const dir = t.testdir({ 'a.mof': FABRIKAM_MOF, 'b.mof': SAMPLE_MOF });
  const { code, out } = await runCli(['mof', 'layout', 'a.mof', 'b.mof'], { cwd: dir });
  t.equal(code, 0);
  t.match(
    out,
    'Fabrikam_PortCustomSettingData (port setting, version 1.0, id f2f73f23-2b8e-457a-96c4-f541201c9150): 16 bytes, alignment 8\n',
  );
  t.match(out, /OFFSET +SIZE +TYPE +MEMBER +WMIDATAID\n +0 +4 +UINT32 +SettingIntA +1\n +8 +8 /);
  t.match(out, /\n\nVendor_SampleFeatureSettingData .*584 bytes/);
});

t.test(
  'mof check prints every finding with line, column, caret and hint; exit 1 on errors',
  async (t) => {
    const broken = FABRIKAM_MOF.replace('uint32 SettingIntA', 'uint23 SettingIntA').replace(
      'WmiDataId(2)',
      'WmiDataId(0)',
    );
    const dir = t.testdir({ 'good.mof': FABRIKAM_MOF, 'bad.mof': broken });
    const good = await runCli(['mof', 'check', 'good.mof'], { cwd: dir });
    t.strictSame(good, {
      code: 0,
      out: 'good.mof: 1 class, 1 feature, no errors, no warnings\n',
      err: '',
    });
    const bad = await runCli(['mof', 'check', 'good.mof', 'bad.mof'], { cwd: dir });
    t.equal(bad.code, 1);
    const at = broken.split('\n').findIndex((line) => line.includes('uint23')) + 1;
    const column = (broken.split('\n')[at - 1] ?? '').indexOf('uint23') + 1;
    t.match(bad.out, `bad.mof:${at}:${column}: error E-`);
    t.match(bad.out, '^^^^^^');
    t.match(bad.out, 'bad.mof: 1 class, no features, ');
    const json = await runCli(['mof', 'check', 'bad.mof', '--json'], { cwd: dir });
    t.equal(json.code, 1);
    const [first] = JSON.parse(json.out);
    t.match(first, { severity: 'error', file: 'bad.mof', line: at, column });
  },
);

t.test('mof check --strict turns a documented quirk into an error', async (t) => {
  const dir = t.testdir({ 'sample.mof': SAMPLE_MOF });
  const lenient = await runCli(['mof', 'check', 'sample.mof'], { cwd: dir });
  t.equal(lenient.code, 0);
  t.match(lenient.out, /no errors, [1-9]\d* warning/);
  const strict = await runCli(['mof', 'check', '--strict', 'sample.mof'], { cwd: dir });
  t.equal(strict.code, 1);
});

t.test(
  'mof check finds included files beside the file, then with -I; classes carry over',
  async (t) => {
    const [head = '', body = ''] = [
      FABRIKAM_MOF.split('class ')[0],
      FABRIKAM_MOF.split('class ')[1],
    ];
    const derived = `${head.replace('F2F73F23', 'F2F73F24')}class Fabrikam_Derived : Fabrikam_Base {
    [WmiDataId(3), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint8 More; };`;
    const base = `${head.replace('F2F73F23', 'F2F73F25')}class Fabrikam_Base : ${body.slice(body.indexOf('Msvm_'))}`;
    const dir = t.testdir({
      'main.mof': `#pragma include("sub\\\\first.mof")\n${derived}`,
      sub: { 'first.mof': '#pragma include("base.mof")\n' },
      elsewhere: { 'base.mof': base },
      'derived.mof': derived,
      'absent.mof': '#pragma include("nowhere.mof")\n',
    });
    const main = await runCli(['mof', 'check', '-I', 'elsewhere', 'main.mof'], { cwd: dir });
    t.equal(main.code, 0, main.out);
    const without = await runCli(['mof', 'check', 'main.mof'], { cwd: dir });
    t.equal(without.code, 1);
    t.match(without.out, 'first.mof:1:');
    const two = await runCli(['mof', 'check', 'elsewhere/base.mof', 'derived.mof'], { cwd: dir });
    t.equal(two.code, 0, two.out);
    t.equal((await runCli(['mof', 'check', 'derived.mof'], { cwd: dir })).code, 1);
    t.match((await runCli(['mof', 'check', 'absent.mof'], { cwd: dir })).out, 'nowhere.mof');
  },
);

t.test('mof check --preprocess runs the C preprocessor', async (t) => {
  const text = `#define SETTING uint32\n${FABRIKAM_MOF.replace('uint32', 'SETTING')}`;
  t.equal((await runCli(['mof', 'check', '-'], { input: text })).code, 1);
  const { code, out } = await runCli(['mof', 'check', '--preprocess', '-'], { input: text });
  t.equal(code, 0, out);
});

t.test('control characters of a file do not reach the terminal; colour does', async (t) => {
  const text = FABRIKAM_MOF.replace('uint32 SettingIntA', 'uint32\u001b[2J SettingIntA');
  const { code, out } = await runCli(['mof', 'check', '-'], { input: text, tty: true });
  t.equal(code, 1);
  t.notOk(out.includes('\u001b[2J'));
  t.ok(out.includes('\u001b[31merror\u001b[39m'));
});

t.test('a missing file is named; a file without features says so', async (t) => {
  const dir = t.testdir({ 'empty.mof': 'class X { };' });
  const missing = await runCli(['mof', 'layout', 'none.mof'], { cwd: dir });
  t.equal(missing.code, 1);
  t.match(missing.err, 'cannot read none.mof: no such file');
  const empty = await runCli(['mof', 'layout', 'empty.mof'], { cwd: dir });
  t.equal(empty.code, 0);
  t.match(empty.err, 'empty.mof: no feature classes');
  t.equal(empty.out, '');
  t.equal((await runCli(['mof', 'layout', 'empty.mof', '--json'], { cwd: dir })).out, '[]\n');
  const broken = await runCli(['mof', 'layout', '-'], { input: 'class' });
  t.equal(broken.code, 1);
  t.equal(broken.out, '');
  t.match(broken.err, 'standard input:1:');
});

t.test('mof header writes a C header with an assertion for each offset', async (t) => {
  const dir = t.testdir({ 'sample.mof': SAMPLE_MOF, 'fabrikam.mof': FABRIKAM_MOF });
  const words = ['mof', 'header', 'sample.mof', 'fabrikam.mof'];
  const { code, out } = await runCli(words, { cwd: dir });
  t.equal(code, 0);
  for (const [name, , , offset] of SAMPLE_MEMBERS) {
    t.match(out, new RegExp(`Vendor_SampleFeatureSettingData, ${name}\\) == ${offset}\\b`));
  }
  t.match(out, /sizeof\(\w*Vendor_SampleFeatureSettingData\) == 584/);
  t.match(out, /sizeof\(\w*Fabrikam_PortCustomSettingData\) == 16/);
  t.notOk(out.includes(dir), 'no path of this machine');
  const doc32 = await runCli([...words, '--uint16', 'doc32', '-o', 'sample.h', '--json'], {
    cwd: dir,
  });
  t.strictSame(JSON.parse(doc32.out), {
    classes: ['Vendor_SampleFeatureSettingData', 'Fabrikam_PortCustomSettingData'],
    file: 'sample.h',
  });
  t.match(readFileSync(join(dir, 'sample.h'), 'utf8'), '== 592');
});

t.test('mof types writes the settings type of each class', async (t) => {
  const { code, out } = await runCli(['mof', 'types', '-'], { input: FABRIKAM_MOF });
  t.equal(code, 0);
  t.match(out, /interface Fabrikam_PortCustomSettingData \{/);
  t.match(out, /SettingIntA.*: number/);
  t.match(out, /SettingIntB.*: bigint/);
  const json = await runCli(['mof', 'types', '-', '--json'], { input: FABRIKAM_MOF });
  t.strictSame(JSON.parse(json.out), { classes: ['Fabrikam_PortCustomSettingData'], text: out });
  for (const verb of ['types', 'header']) {
    const broken = await runCli(['mof', verb, '-', '-o', 'never'], { input: 'class' });
    t.equal(broken.code, 1);
    t.equal(broken.out, '');
  }
});
