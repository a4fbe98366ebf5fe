import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { EndWithParent } from '../src/testing/end-with-parent.ts';
import {
  type NatsServers,
  natsServerMissing,
  natsServerPath,
  startNatsServers,
} from '../src/testing/nats-servers.ts';
import { scriptOptions } from './script-options.ts';

/*
 * A whole cluster on this machine, without Docker: three NATS servers and hosts that are `extswitch serve` processes.
 */

const HELP = `usage: npm run cluster -- [options] [-- flags of serve, for every host]
  --hosts a,b    names of the hosts, default a,b
  --port N       of the first host, the others after it; 0: free ones; default 4631
  --folder PATH  where data is kept; otherwise it goes with Ctrl-C
  --json         what is started as one JSON object
`;

const { values: options, positionals: ofServe } = scriptOptions(
  HELP,
  {
    hosts: { type: 'string', default: 'a,b' },
    port: { type: 'string', default: '4631' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  { allowPositionals: true },
);
const names = options.hosts.split(',');
const firstPort = Number(options.port);
const ROOT = resolve(import.meta.dirname, '..');

interface Host {
  readonly name: string;
  readonly url: string;
  readonly words: readonly string[];
  readonly child: ChildProcess;
}

/** Starts a host and waits until it serves; fails with what it said when it does not. */
async function startHost(
  name: string,
  at: number,
  store: string,
  watchdog: EndWithParent,
): Promise<Host> {
  const port = firstPort === 0 ? 0 : firstPort + at;
  const words = ['--store', store, '--name', name, '--port', String(port), ...ofServe];
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'src/cli.ts'), 'serve', ...words, '--print', 'json'],
    // A group of its own: Ctrl-C reaches this process, which ends them in order.
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  const { pid } = child;
  if (pid !== undefined) watchdog.add(pid);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (pid !== undefined) watchdog.drop(pid);
    throw new Error(`host ${name} ended with ${code ?? signal} before it served`);
  });
  const [line] = await Promise.race([once(lines, 'line'), ended]);
  ended.catch(() => {});
  const { url } = JSON.parse(String(line)) as { url: string };
  child.once('exit', (code, signal) => {
    if (!isEnding) console.log(`host ${name} ended (${code ?? signal})`);
  });
  return { name, url, words, child };
}

let isEnding = false;

async function end(hosts: readonly Host[], nats: NatsServers, watchdog: EndWithParent) {
  isEnding = true;
  await Promise.all(
    hosts.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }),
  );
  await watchdog.end();
  await nats.stop();
}

function shown(nats: NatsServers, store: string, hosts: readonly Host[]): string {
  const [a, b] = hosts;
  if (a === undefined) return '';
  const extswitch = 'node --import tsx src/cli.ts';
  const quoted = (words: readonly string[]): string =>
    words.map((word) => (/^[\w./:=,-]+$/.test(word) ? word : `'${word}'`)).join(' ');
  const kill = nats.servers.map(({ name, pid }) => `${name} ${pid}`).join(', ');
  const lines = [
    ...hosts.map(({ name, url, child }) => `host ${name}  ${url}  pid ${child.pid}`),
    `NATS    ${store}  pids ${kill}`,
    `data    ${options.folder === undefined ? 'goes with Ctrl-C (--folder PATH keeps it)' : nats.folder}`,
    '',
    'Try:',
    `  curl -s ${a.url}/v1/hosts`,
    `  curl -s ${a.url}/v1/switches -H 'content-type: application/json' -d '{"name":"TestSwitch"}'`,
  ];
  if (b !== undefined) {
    lines.push(
      `  curl -s ${b.url}/v1/switches -H 'content-type: application/json' -d '{"name":"TestSwitch"}'`,
      `  export EXTSWITCH_URL=${a.url}`,
      `  ${extswitch} vm create TestVm --switch TestSwitch`,
      `  ${extswitch} vm start TestVm`,
      `  ${extswitch} migration start TestVm --to ${b.name} --wait`,
      `  kill -9 ${a.child.pid}    and host ${a.name} again, with all it had:`,
      `  ${extswitch} serve ${quoted(a.words)}`,
    );
  }
  return `${lines.join('\n')}\n\nCtrl-C ends all.`;
}

async function main(): Promise<void> {
  if (natsServerPath() === undefined) {
    throw new Error(
      `${natsServerMissing()}; elsewhere NATS_SERVER names it. With Docker: docker compose up -d --wait a b`,
    );
  }
  const isName = (name: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(name);
  if (!names.every(isName) || new Set(names).size !== names.length) {
    throw new Error(`--hosts must be names such as a,b, each once, found ${options.hosts}`);
  }
  if (!Number.isInteger(firstPort) || firstPort < 0 || firstPort + names.length > 65_536) {
    throw new Error(`--port must be a port from 0 to 65535, found ${options.port}`);
  }
  const { folder } = options;
  const nats = await startNatsServers(folder === undefined ? {} : { folder });
  const watchdog = new EndWithParent();
  const hosts: Host[] = [];
  const signal = new Promise((done) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, done);
  });
  try {
    const store = `${nats.url}/lab`;
    const started = names.map((name, at) => startHost(name, at, store, watchdog));
    for (const each of await Promise.allSettled(started)) {
      if (each.status === 'fulfilled') hosts.push(each.value);
    }
    // The first that failed says why.
    await Promise.all(started);
    const servers = nats.servers.map(({ name, port, pid }) => ({ name, port, pid }));
    const members = hosts.map(({ name, url, child }) => ({ name, url, pid: child.pid }));
    if (options.json) console.log(JSON.stringify({ store, hosts: members, servers }));
    else console.log(shown(nats, store, hosts));
    await signal;
  } finally {
    await end(hosts, nats, watchdog);
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
