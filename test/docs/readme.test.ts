import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import '../support/uncovered-children.ts';

/* Runs every command of the README's tour as written, only the address replaced, and compares what it shows. */

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const CLI = join(ROOT, 'dist/src/cli.js');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const ADDRESS = 'http://127.0.0.1:4630';

interface Step {
  readonly command: string;
  /** Lines shown; `…` stands for anything. */
  readonly shown: readonly string[];
}

/** Blocks in order; a block marked `skip=reason` has no steps. */
function blocks(): { readonly skip: string | undefined; readonly steps: readonly Step[] }[] {
  return [...README.matchAll(/```console(?: skip=([^\n]+))?\n([\s\S]*?)```/g)].map((match) => {
    const steps: { command: string; shown: string[] }[] = [];
    for (const line of (match[2] ?? '').split('\n')) {
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
      else if (line !== '') steps.at(-1)?.shown.push(line);
    }
    return { skip: match[1], steps };
  });
}

/** `…` matches any text, also line ends. */
function matches(shown: string, output: string): boolean {
  const pattern = shown
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*');
  return new RegExp(pattern).test(output);
}

async function serve(store: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    [CLI, 'serve', '--port', '0', '--print', 'json', '--store', store],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const line = await new Promise<string>((done, failed) => {
    child.stdout?.once('data', (data: Buffer) => done(String(data)));
    child.once('exit', (code) => failed(new Error(`serve ended with ${code}`)));
  });
  return { url: (JSON.parse(line) as { url: string }).url.replace(/\/$/, ''), child };
}

function stop(child: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  child.kill('SIGINT');
  return ended;
}

t.test('every command of the README tour does what it shows', async (t) => {
  if (!existsSync(CLI)) {
    t.fail('dist is missing: `npm test` builds it first');
    return;
  }
  const store = join(mkdtempSync(join(tmpdir(), 'extswitch-tour-')), 'store');
  let server = await serve(store);
  t.teardown(() => {
    server.child.kill('SIGKILL');
  });
  let ran = 0;
  for (const { skip, steps } of blocks()) {
    if (skip !== undefined) continue;
    // The last block comes after the restart the text asks for.
    if (steps.some(({ command }) => command.includes('property list'))) {
      t.equal(await stop(server.child), 0, 'Ctrl-C drains and ends with 0');
      server = await serve(store);
    }
    for (const { command, shown } of steps) {
      const result = spawnSync('bash', ['-c', command.replaceAll(ADDRESS, server.url)], {
        cwd: ROOT,
        encoding: 'utf8',
        // The tree of the README is drawn with box characters.
        env: { ...process.env, EXTSWITCH_URL: server.url, NO_COLOR: '1', LC_ALL: 'C.UTF-8' },
      });
      t.equal(result.status, 0, command);
      for (const line of shown)
        t.ok(matches(line, result.stdout), `shows ${line}`, { found: result.stdout });
      ran += 1;
    }
  }
  t.ok(ran >= 10, `${ran} commands`);
  await stop(server.child);
});

t.test('every link of the README leads to a file', async (t) => {
  for (const [, target] of README.matchAll(/\]\((?!http)([^)#]+)\)/g)) {
    t.ok(existsSync(join(ROOT, target ?? '')), `${target}`);
  }
});
