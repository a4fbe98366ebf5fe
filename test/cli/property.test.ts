import t from 'tap';
import { FEATURE, P, PROPERTY } from './client-samples.ts';
import { fakeServer } from './fake-server.ts';
import { type RunOptions, runCli } from './run-in-process.ts';

t.test('property add sends --set values by the types of the class', async (t) => {
  const { url, seen } = await fakeServer(t, {
    [`GET /v1/features/${FEATURE.name}`]: [200, FEATURE],
    [`POST ${P}/properties`]: [201, PROPERTY],
  });
  const base = [
    'property',
    'add',
    '-s',
    'TestSwitch',
    '-p',
    'web',
    '--feature',
    FEATURE.name,
    '--url',
    url,
  ];
  const sets = (...pairs: string[]) => pairs.flatMap((pair) => ['--set', pair]);
  const good = await runCli([
    ...base,
    ...sets('SettingIntA=0x10', 'SettingIntB=18446744073709551615', 'Text=5=five', 'Flag=TRUE'),
    ...sets('Ratio=-1.5', 'List=1,2', 'List=[3]', 'List='),
    '--id',
    PROPERTY.id,
  ]);
  t.equal(good.code, 0, good.err);
  t.strictSame(seen.at(-1)?.body, {
    feature: FEATURE.name,
    settings: {
      SettingIntA: 16,
      SettingIntB: '18446744073709551615',
      Text: '5=five',
      Flag: true,
      Ratio: -1.5,
      List: [1, 2, 3],
    },
    id: PROPERTY.id,
  });
  const bad: readonly [string, number, string][] = [
    ['SettingIntA', 2, '--set must be NAME=VALUE'],
    ['=1', 2, '--set must be NAME=VALUE'],
    ['SettingInt=1', 1, 'has no member "SettingInt"; did you mean SettingIntA?'],
    ['SettingIntA=ten', 1, 'SettingIntA must be a whole number, found "ten"'],
    ['Flag=maybe', 1, 'Flag must be true or false'],
    ['Ratio=NaN', 1, 'Ratio must be a number'],
    ['List=1,x', 1, 'List must be a whole number, found "x"'],
    ['List=[1', 1, '--set List is not JSON'],
  ];
  for (const [pair, code, text] of bad) {
    seen.length = 0;
    const ran = await runCli([...base, '--set', pair]);
    t.equal(ran.code, code, pair);
    t.ok(ran.err.includes(text), ran.err);
    t.notOk(
      seen.some((each) => each.method === 'POST'),
      'nothing was sent',
    );
  }
  const twice = await runCli([...base, ...sets('Text=a', 'Text=b')]);
  t.equal(twice.code, 2);
});

t.test('property add takes all settings from --settings, --file, or standard input', async (t) => {
  const { url, seen } = await fakeServer(t, { [`POST ${P}/properties`]: [201, PROPERTY] });
  const dir = t.testdir({ 'all.json': '{"SettingIntA":7}', 'list.json': '[1]', 'bad.json': '{' });
  const base = ['property', 'add', '-s', 'TestSwitch', '-p', 'web', '--feature', 'F', '--url', url];
  const ways: readonly [readonly string[], RunOptions][] = [
    [['--settings', '{"SettingIntA":7}'], {}],
    [['--file', 'all.json'], { cwd: dir }],
    [['-f', '-'], { input: '\ufeff{"SettingIntA":7}' }],
  ];
  for (const [words, options] of ways) {
    const ran = await runCli([...base, ...words], options);
    t.equal(ran.code, 0, ran.err);
    t.strictSame(seen.at(-1)?.body, { feature: 'F', settings: { SettingIntA: 7 } });
  }
  t.equal((await runCli(base)).code, 0);
  t.strictSame(seen.at(-1)?.body, { feature: 'F', settings: {} }, 'none at all: class defaults');
  const wrong: readonly [readonly string[], number, string][] = [
    [['--settings', '[1]'], 1, '--settings must be a JSON object'],
    [['--file', 'list.json'], 1, 'list.json must be a JSON object'],
    [['--file', 'bad.json'], 1, 'bad.json is not JSON'],
    [['--file', 'none.json'], 1, 'cannot read none.json: no such file'],
    [['--file', '.'], 1, 'cannot read .: it is a folder'],
    [['--set', 'a=1', '--settings', '{}'], 2, '--set and --settings cannot be used together'],
  ];
  for (const [words, code, text] of wrong) {
    const ran = await runCli([...base, ...words], { cwd: dir });
    t.equal(ran.code, code);
    t.ok(ran.err.includes(text), ran.err);
  }
});

t.test(
  'property update --set keeps the other members and guards with the ETag it read',
  async (t) => {
    const one = `${P}/properties/${PROPERTY.id}`;
    const { url, seen } = await fakeServer(t, {
      [`GET ${one}`]: [200, PROPERTY, { etag: '"3"' }],
      [`GET /v1/features/${FEATURE.name}`]: [200, FEATURE],
      [`PUT ${one}`]: [200, { ...PROPERTY, revision: 4 }, { etag: '"4"' }],
    });
    const base = ['property', 'update', PROPERTY.id, '-s', 'TestSwitch', '-p', 'web', '--url', url];
    const ran = await runCli([...base, '--set', 'SettingIntA=101']);
    t.equal(ran.code, 0, ran.err);
    const put = seen.at(-1);
    t.strictSame(put?.body, { settings: { ...PROPERTY.settings, SettingIntA: 101 } });
    t.equal(put?.headers['if-match'], '"3"');
    await runCli([...base, '--settings', '{"SettingIntA":1}']);
    t.strictSame(
      seen.at(-1)?.body,
      { settings: { SettingIntA: 1 } },
      '--settings is the whole value',
    );
    t.equal(seen.at(-1)?.headers['if-match'], undefined);
    await runCli([...base, '--settings', '{}', '--if-revision', '2']);
    t.equal(seen.at(-1)?.headers['if-match'], '"2"');
    const empty = await runCli(base);
    t.equal(empty.code, 2);
    t.match(empty.err, 'needs --set, --settings or --file');
  },
);
