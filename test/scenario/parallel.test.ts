import '../support/uncovered-children.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { runCli } from '../cli/run-in-process.ts';
import { fileOf, ONE_HOST, playFiles, scenario } from './scenario-text.ts';

const STEPS = `- startVm: web
- addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, as: p }
- saveVm: web
- restoreVm: web
- stopVm: web`;

/** A scenario whose extension does this as the VM starts. */
function withExtension(name: string, act: string): string {
  const path = fileOf('', `${name}.yaml`);
  writeFileSync(
    join(dirname(path), `${name}.ts`),
    `import { defineExtension } from 'extswitch/extension';
export default defineExtension({
  id: '7e57e57e-0000-4000-8000-0000000000aa', name: 'Acting', vendor: 'Test', version: '1.0', type: 'filter',
  attach: () => ({ createPort: () => { ${act} return 'forward'; } }),
});`,
  );
  const head = ONE_HOST.replace('extensions:', `extensions:\n  acting: ./${name}.ts`);
  writeFileSync(path, scenario('- startVm: web', head.replace('[fabrikam]', '[fabrikam, acting]')));
  return path;
}

t.test('in threads: the same results in the same order, byte for byte', async (t) => {
  const matrix = `${ONE_HOST}matrix: { profile: [ws2016, ws2022, ws2025] }\n`;
  const files = [
    fileOf(
      scenario('- repeat: { times: 40, steps: [{ startVm: web }, { stopVm: web }] }'),
      'long.yaml',
    ),
    fileOf(scenario(STEPS), 'short.yaml'),
    fileOf('name: wrong\nnot: a scenario', 'wrong.yaml'),
    fileOf(scenario(STEPS, matrix), 'matrix.yaml'),
    fileOf(scenario('- startVm: web\n- expectState: { vm: web, state: "off" }'), 'fails.yaml'),
  ];
  const reports = join(dirname(files[0] ?? ''), 'report');
  const run = async (parallel: string): Promise<string> => {
    const words = [
      '--parallel',
      parallel,
      '--seed',
      '7',
      '--report',
      `${reports}-${parallel}.json`,
    ];
    const { out, code } = await runCli(['run', ...files, ...words]);
    t.equal(code, 1, 'two of them fail');
    return out;
  };
  const serial = await run('1');
  t.match(serial, /^# pass 5, fail 2$/m);
  t.equal(await run('3'), serial);
  const json = (parallel: number): string => readFileSync(`${reports}-${parallel}.json`, 'utf8');
  t.equal(json(3), json(1));
});

t.test('each thread is one of its own; what goes on is told from there', async (t) => {
  const path = fileOf('', 'thread.ts');
  writeFileSync(
    path,
    `import { isMainThread } from 'node:worker_threads';
export default { name: isMainThread ? 'here' : 'there', hosts: { h: { switches: [{ name: S }] } }, steps: [] };
const S = 'S';`.replace('name: S }', "name: 'S' }"),
  );
  const alone = await runCli(['run', path, '--json']);
  t.match(JSON.parse(alone.out).scenarios, [{ name: 'here' }]);
  const told: string[] = [];
  const steps = '- repeat: { times: 200, steps: [{ startVm: web }, { stopVm: web }] }';
  const files = [path, fileOf(scenario(steps), 'other.yaml')];
  const options = { parallel: 2, onProgress: (line: string) => void told.push(line) };
  t.match(await playFiles(files, options), [{ name: 'there', ok: true }, { name: 'test' }]);
  t.match(told[0], /^test: (repeat|startVm|stopVm)/);
});

t.test(
  'a thread that dies is a scenario that failed, with its reason; the others are played',
  async (t) => {
    const ends = withExtension('ends', 'process.exit(7);');
    const throws = withExtension(
      'throws',
      "queueMicrotask(() => { throw new Error('out of nowhere'); });",
    );
    const [good = '', other = ''] = ['good.yaml', 'other.yaml'].map((name) =>
      fileOf(scenario(STEPS), name),
    );
    const { out, code } = await runCli(
      ['run', ends, good, throws, other, '--parallel', '2', '--json'],
      {},
    );
    t.equal(code, 1);
    const { scenarios } = JSON.parse(out);
    t.match(scenarios, [
      { ok: false, failure: { in: 'thread', message: /died: it ended itself with exit code 7$/ } },
      { ok: true },
      { ok: false, failure: { in: 'thread', message: /died: Error: out of nowhere\n/ } },
      { ok: true },
    ]);
    t.equal(scenarios[1].traceSha256, scenarios[3].traceSha256);
  },
);
