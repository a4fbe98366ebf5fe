import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
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

t.test(
  'docker-compose.yml: one service, reachable from this machine only, token required',
  async (t) => {
    const compose = parse(readFileSync('docker-compose.yml', 'utf8'));
    t.strictSame(Object.keys(compose).sort(), ['name', 'services', 'volumes']);
    t.strictSame(Object.keys(compose.services), ['extswitch']);
    const service = compose.services.extswitch;
    const known = [
      ...['build', 'cap_drop', 'environment', 'image', 'init', 'ports', 'read_only', 'restart'],
      ...['security_opt', 'stop_grace_period', 'tmpfs', 'volumes'],
    ];
    for (const key of Object.keys(service)) t.ok(known.includes(key), `${key} is a service key`);
    t.equal(service.build, '.');
    t.strictSame(service.ports, [`127.0.0.1:4630:${environment['EXTSWITCH_PORT']}`]);
    t.match(
      service.environment.EXTSWITCH_TOKEN,
      /^\$\{EXTSWITCH_TOKEN:\?.+\}$/,
      'from outside, required',
    );
    t.strictSame(service.volumes, [`data:${environment['EXTSWITCH_STORE']}`]);
    t.ok('data' in compose.volumes);
    t.match(
      service.stop_grace_period,
      /^(?:1[1-9]|[2-9]\d)s$/,
      'longer than a drain may take (10 s)',
    );
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    t.equal(service.image, `extswitch:${version}`);
  },
);

const engine = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
const noCompose =
  engine.status === 0 ? false : 'no `docker compose` here: the file is checked by structure only';
t.test('docker compose config accepts the file', { skip: noCompose }, async (t) => {
  const config = (env: object) =>
    spawnSync('docker', ['compose', 'config', '--quiet'], { env: { ...process.env, ...env } });
  t.equal(config({ EXTSWITCH_TOKEN: 'x' }).status, 0);
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
