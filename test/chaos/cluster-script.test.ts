import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import t from 'tap';
import { commands } from '../extensions/page-runner.ts';
import { extswitchCommand } from '../support/extswitch-command.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { skipChaos } from './play-all.ts';

/* `npm run cluster`, and every command of docs/howto/run-a-cluster.md against what it starts. */

const PAGE = readFileSync('docs/howto/run-a-cluster.md', 'utf8');

interface Started {
  readonly hosts: readonly { readonly name: string; readonly url: string; readonly pid: number }[];
  readonly servers: readonly { readonly port: number }[];
}

function startScript(words: readonly string[], env: object = {}): ChildProcess {
  return spawn(process.execPath, [...FROM_SOURCES, 'scripts/cluster.ts', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
}

/** What the page shows, `…` standing for anything. */
function patternOf(shown: string): RegExp {
  const parts = shown.trimEnd().split('…');
  const quoted = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(quoted.join('[\\s\\S]*'));
}

t.test('npm run cluster: what the page shows is what it does', { skip: skipChaos }, async (t) => {
  const child = startScript(['--port', '0', '--json']);
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const [line] = await Promise.race([once(lines, 'line'), ended]);
  const { hosts, servers } = JSON.parse(String(line)) as Started;
  t.strictSame(
    hosts.map(({ name }) => name),
    ['a', 'b'],
  );
  t.equal(servers.length, 3);

  const steps = commands(PAGE, 'cluster');
  t.ok(steps.length > 8);
  let script = `extswitch() { "$NODE" ${extswitchCommand().join(' ')} "$@"; }\n`;
  for (const { command } of steps) {
    const here = hosts.reduce(
      (text, { url }, at) => text.replaceAll(`http://127.0.0.1:${4631 + at}`, url),
      command,
    );
    script += `${here}\nprintf '\\0'\n`;
  }
  const run = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath },
  });
  t.equal(run.stderr, '');
  const outputs = run.stdout.split('\0');
  for (const [at, { command, shown }] of steps.entries()) {
    t.match(outputs[at], patternOf(shown), command);
  }

  child.kill('SIGINT');
  t.strictSame(await ended, [0, null], 'Ctrl-C ends it in order');
  for (const { pid } of hosts) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

t.test('npm run cluster says what is wrong and leaves nothing', async (t) => {
  const said = async (words: readonly string[], env?: object): Promise<string> => {
    const child = startScript(words, env);
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const [code] = await once(child, 'close');
    t.equal(code, 1);
    return text;
  };
  const without = await said([], { NATS_SERVER: '/none/nats-server' });
  t.match(without, /apt-get install nats-server/, 'no nats-server: how to get one');
  t.match(without, /docker compose/);
  if (skipChaos !== false) return;
  t.match(await said(['--hosts', 'a,a']), /--hosts .* found a,a/);
  t.match(await said(['--port', 'x']), /--port .* found x/);
});
