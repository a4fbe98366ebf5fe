import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parse } from 'yaml';
import { parseClusterAddress } from '../src/cluster/address.ts';
import { EndWithParent } from '../src/testing/end-with-parent.ts';
import { natsServerMissing, natsServerPath } from '../src/testing/nats-servers.ts';
import { serve } from './cli/serve-process.ts';
import './support/uncovered-children.ts';

/*
 * There may be no Docker engine where this runs. What is executed here: the build's output, laid out by the COPY lines of
 * the Dockerfile in a clean folder with the production packages only, started by its ENTRYPOINT, CMD and ENV, probed by its
 * HEALTHCHECK, ended by its STOPSIGNAL. What is not: the base image, `npm ci` (the packages of this checkout are linked;
 * the lockfile is tested by CI's own `npm ci`), `npm run build` (it ran before the suite), users and mounts.
 */

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Instructions of a Dockerfile: comments dropped, continued lines joined. */
function readDockerfile(): readonly Instruction[] {
  const joined = readFileSync('Dockerfile', 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ');
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { name, text };
    });
}

const instructions = readDockerfile();
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const all = (name: string, of: readonly Instruction[] = finalStage): string[] =>
  of.filter((each) => each.name === name).map(({ text }) => text);
const only = (name: string): string => {
  const found = all(name);
  if (found.length !== 1) throw new Error(`the last stage has ${found.length} ${name}`);
  return found[0] ?? '';
};
const environment = Object.fromEntries(
  only('ENV')
    .split(/\s+/)
    .map((pair) => pair.split('=', 2) as [string, string]),
);

t.test('the Dockerfile builds in two stages and runs as another user than root', async (t) => {
  const known =
    'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR';
  for (const { name } of instructions) t.ok(known.split(' ').includes(name), `${name} is known`);
  t.strictSame(all('FROM', instructions), [
    'node:20-bookworm-slim AS build',
    'node:20-bookworm-slim AS production',
  ]);
  t.equal(only('USER'), 'node');
  t.equal(only('STOPSIGNAL'), 'SIGTERM');
  t.equal(only('EXPOSE'), environment['EXTSWITCH_PORT']);
  t.strictSame(JSON.parse(only('VOLUME')), [environment['EXTSWITCH_STORE']]);
  t.match(only('HEALTHCHECK'), '/readyz');
  t.notMatch(readFileSync('Dockerfile', 'utf8'), /TOKEN=/, 'no secret in the image');
});

t.test(
  'RUN lines name scripts that exist; production installs no development packages',
  async (t) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    t.ok(all('RUN', instructions).includes('npm run build'));
    t.type(scripts.build, 'string');
    t.ok(all('RUN').includes('npm ci --omit=dev'));
    const made = all('RUN').find((text) => text.startsWith('mkdir')) ?? '';
    t.match(made, `chown node:node ${environment['EXTSWITCH_STORE']}`, 'the volume is the user’s');
  },
);

t.test('the image gets no local rubbish', async (t) => {
  const ignored = readFileSync('.dockerignore', 'utf8').trim().split('\n');
  for (const name of ['.git', 'node_modules', 'dist', '.extswitch']) t.ok(ignored.includes(name));
});

/** The parts of a service of docker-compose.yml that are looked at. */
interface Service {
  readonly build?: string;
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
}
const compose: {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly networks: object;
} = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const NATS = ['n1', 'n2', 'n3'];
const HOSTS = ['a', 'b'];
const OURS = ['extswitch', ...HOSTS, 'scenarios'];

t.test('docker-compose.yml has services, volumes and networks that fit together', async (t) => {
  const sections = Object.keys(compose).filter((name) => !name.startsWith('x-'));
  t.strictSame(sections.sort(), ['name', 'networks', 'services', 'volumes']);
  t.strictSame(Object.keys(compose.services).sort(), [...OURS, ...NATS].sort());
  const known = [
    ...['build', 'cap_drop', 'command', 'depends_on', 'entrypoint', 'environment', 'healthcheck'],
    ...['image', 'init', 'networks', 'ports', 'profiles', 'read_only', 'restart', 'security_opt'],
    ...['stop_grace_period', 'tmpfs', 'volumes'],
  ];
  for (const [name, each] of Object.entries(compose.services)) {
    for (const key of Object.keys(each)) t.ok(known.includes(key), `${name}: ${key} is a key`);
    for (const port of each.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${name}: this machine`);
    for (const volume of each.volumes ?? []) {
      const [source = ''] = volume.split(':');
      t.ok(source.startsWith('./') ? existsSync(source) : source in compose.volumes, volume);
    }
    for (const network of each.networks ?? []) {
      t.ok(network === 'default' || network in compose.networks, `${name}: ${network}`);
    }
    // A service named on the command line starts those it depends on only within its own profile.
    for (const needed of Object.keys(each.depends_on ?? {})) {
      const shared = service(needed).profiles?.filter((one) => each.profiles?.includes(one));
      t.ok((shared?.length ?? 0) > 0, `${name} starts ${needed}`);
    }
  }
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const name of OURS) t.equal(service(name).image, `extswitch:${version}`);
});

t.test('docker compose up -d starts one host, for this machine only, with a token', async (t) => {
  const unasked = Object.entries(compose.services).filter(
    ([, each]) => each.profiles === undefined,
  );
  t.strictSame(
    unasked.map(([name]) => name),
    ['extswitch'],
  );
  const one = service('extswitch');
  t.equal(one.build, '.');
  t.strictSame(one.ports, [`127.0.0.1:4630:${environment['EXTSWITCH_PORT']}`]);
  t.strictSame(one.volumes, [`data:${environment['EXTSWITCH_STORE']}`]);
  for (const name of ['extswitch', ...HOSTS]) {
    const { environment: set, stop_grace_period: grace } = service(name);
    t.match(set?.['EXTSWITCH_TOKEN'], /^\$\{EXTSWITCH_TOKEN:\?.+\}$/, 'from outside, required');
    t.match(grace, /^(?:1[1-9]|[2-9]\d)s$/, 'longer than a drain may take (10 s)');
  }
});

t.test('the cluster of docker-compose.yml: three NATS servers, two hosts, scenarios', async (t) => {
  const addresses = HOSTS.map((name) => service(name).environment?.['EXTSWITCH_STORE'] ?? '');
  const run = service('scenarios').entrypoint ?? [];
  addresses.push(run[run.indexOf('--store') + 1] ?? '');
  const clusters = addresses.map((text) => {
    const address = parseClusterAddress(text);
    t.strictSame(
      address.servers,
      NATS.map((name) => `${name}:4222`),
    );
    return address.cluster;
  });
  t.strictSame(clusters.slice(0, 2), ['extswitch', 'extswitch'], 'a and b share one');
  // Without a name `run` makes a cluster for itself (docs/reference/scenario.md).
  t.match(addresses[2], /:4222$/, 'scenarios leave a and b alone');
  for (const [at, name] of HOSTS.entries()) {
    t.strictSame(service(name).command, ['serve', '--name', name]);
    t.strictSame(service(name).ports, [`127.0.0.1:${4631 + at}:${environment['EXTSWITCH_PORT']}`]);
  }
  t.strictSame(run.slice(0, 3), [...(JSON.parse(only('ENTRYPOINT')) as string[]), 'run']);
  for (const file of service('scenarios').command ?? []) t.ok(existsSync(file), file);
  for (const name of [...HOSTS, 'scenarios']) {
    t.strictSame(Object.keys(service(name).depends_on ?? {}), NATS);
  }
  for (const name of NATS) {
    const each = service(name);
    t.match(each.image, /^nats:\d+\.\d+\.\d+-alpine$/, 'one version; a shell for the probe');
    t.equal(each.environment?.['NATS_NAME'], name);
    t.strictSame(each.networks, ['nats'], 'no way in from outside');
    t.equal(each.ports, undefined);
    const [, file, , store] = each.command ?? [];
    t.strictSame(each.command, ['--config', file, '--store_dir', store]);
    t.strictSame(each.volumes, [`./docker/nats.conf:${file}:ro`, `${name}:${store}`]);
  }
  const configuration = readFileSync('docker/nats.conf', 'utf8');
  t.match(configuration, `routes: [${NATS.map((name) => `nats://${name}:6222`).join(', ')}]`);
});

const noNats = natsServerMissing();
t.test(
  'docker/nats.conf runs: three servers, one JetStream, healthy',
  { skip: noNats },
  async (t) => {
    const path = natsServerPath() ?? '';
    const check = (env: object) =>
      spawnSync(path, ['-c', 'docker/nats.conf', '-t'], { env: { ...process.env, ...env } }).status;
    t.equal(check({ NATS_NAME: 'n1' }), 0, 'accepted');
    t.not(check({ NATS_NAME: undefined }), 0, 'refused without a name');
    const folder = t.testdir({});
    const [client = [], route = [], monitor = []] = [0, 1, 2].map((row) =>
      NATS.map((_, at) => 14_000 + (process.pid % 900) + row * 10 + at),
    );
    const watchdog = new EndWithParent();
    t.teardown(() => watchdog.end());
    for (const [at, name] of NATS.entries()) {
      const words = [
        ...['-c', 'docker/nats.conf', '--store_dir', join(folder, name), '-a', '127.0.0.1'],
        ...[
          '-p',
          `${client[at]}`,
          '-m',
          `${monitor[at]}`,
          '--cluster',
          `nats://127.0.0.1:${route[at]}`,
        ],
        ...['--routes', route.map((port) => `nats://127.0.0.1:${port}`).join(',')],
      ];
      const child = spawn(path, words, { env: { NATS_NAME: name }, stdio: 'ignore' });
      child.unref();
      watchdog.add(child.pid ?? 0);
    }
    const probe = service('n1').healthcheck?.test.at(-1) ?? '';
    t.match(probe, /^http:\/\/127\.0\.0\.1:8222\/healthz/);
    const ask = async (port: number, page: string): Promise<string> =>
      fetch(`http://127.0.0.1:${port}${page}`).then(
        (answer) => answer.text(),
        (error) => String(error),
      );
    const { pathname, search } = new URL(probe);
    for (const port of monitor) {
      let answer = '';
      for (const end = Date.now() + 20_000; Date.now() < end && !/"ok"/.test(answer); ) {
        answer = await ask(port, `${pathname}${search}`);
        await sleep(50);
      }
      t.match(answer, /"status": ?"ok"/);
      t.match(await ask(port, '/jsz'), /"cluster_size": 3/);
      t.match(await ask(port, '/varz'), /"store_dir": /);
    }
  },
);

const engine = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
const noCompose =
  engine.status === 0 ? false : 'no `docker compose` here: the file is checked by structure only';
t.test('docker compose config accepts the file', { skip: noCompose }, async (t) => {
  const config = (env: object) =>
    spawnSync('docker', ['compose', 'config', '--quiet'], { env: { ...process.env, ...env } });
  t.equal(config({ EXTSWITCH_TOKEN: 'x' }).status, 0);
  t.equal(config({ EXTSWITCH_TOKEN: 'x', COMPOSE_PROFILES: 'cluster,scenarios' }).status, 0);
  t.not(config({ EXTSWITCH_TOKEN: '' }).status, 0, 'refused without a token');
});

const notBuilt = existsSync('dist/src/cli.js') ? false : 'nothing is built: npm run build';
t.test('the commands of the image run in a clean folder', { skip: notBuilt }, async (t) => {
  const root = t.testdir({});
  const app = join(root, 'app');
  for (const text of all('COPY')) {
    const words = text.split(/\s+/).filter((word) => !word.startsWith('--'));
    const target = words.pop() ?? '';
    for (const word of words) {
      const source = word.replace(/^\/app\//, '');
      if (!t.ok(existsSync(source), `COPY ${word}: it exists`)) continue;
      const to = target.endsWith('/') ? join(app, target, source) : join(app, target);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(source, to, { recursive: true });
    }
  }
  linkProductionPackages(app);
  const store = join(root, 'data');
  const env = { ...environment, EXTSWITCH_STORE: store, EXTSWITCH_PORT: '0' };
  const entry = JSON.parse(only('ENTRYPOINT')) as string[];
  const command = JSON.parse(only('CMD')) as string[];
  t.equal(entry[0], 'node');
  t.strictSame(command, ['serve']);
  const cli = join(app, entry[1] ?? '');
  const bare = await serve(t, [], env, [cli]);
  t.equal(await bare.ended, 1, 'every address without a token: refused');
  t.match(bare.err(), 'token');
  const served = await serve(t, ['--print', 'json'], { ...env, EXTSWITCH_TOKEN: 'secret' }, [cli]);
  const { port } = JSON.parse(served.first || '{}');
  t.ok(port > 0, served.err());
  const probe = JSON.parse(/CMD (\[.*\])$/.exec(only('HEALTHCHECK'))?.[1] ?? '[]') as string[];
  const health = (at: number) =>
    spawnSync(process.execPath, probe.slice(1), { env: { EXTSWITCH_PORT: String(at) } }).status;
  t.equal(health(port), 0, 'healthy');
  served.child.kill(only('STOPSIGNAL') as NodeJS.Signals);
  t.equal(await served.ended, 0);
  t.equal(health(port), 1, 'gone: unhealthy');
  t.ok(readdirSync(store).length > 0, 'the store is in the volume');
  const scenario = spawnSync(
    process.execPath,
    [cli, 'run', ...(service('scenarios').command ?? [])],
    { cwd: app, encoding: 'utf8' },
  );
  t.equal(scenario.status, 0, `the scenario of docker-compose.yml: ${scenario.stderr}`);
});

/** node_modules with what `npm ci --omit=dev` installs, by the lockfile, linked from this checkout. */
function linkProductionPackages(app: string): void {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { readonly dev?: boolean }>;
  };
  for (const [path, { dev }] of Object.entries(packages)) {
    if (dev === true || !/^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)) continue;
    if (!existsSync(path)) continue;
    mkdirSync(dirname(join(app, path)), { recursive: true });
    symlinkSync(join(process.cwd(), path), join(app, path));
  }
}
