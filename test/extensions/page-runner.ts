import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import '../support/uncovered-children.ts';

const ROOT = process.cwd();

export interface Block {
  readonly language: string;
  /** `file=name`, `skip=reason`, `background`, `server` or nothing. */
  readonly mark: string;
  readonly text: string;
}

/** Fenced blocks of a page. */
export function blocks(page: string): Block[] {
  return Array.from(
    page.matchAll(/^```(\w+)(?: (.+))?\n([\s\S]*?)^```$/gm),
    ([, language = '', mark = '', text = '']) => ({ language, mark, text }),
  );
}

/** Files the page tells the reader to write. */
export function files(page: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    blocks(page)
      .filter(({ mark }) => mark.startsWith('file='))
      .map(({ mark, text }) => [mark.slice('file='.length), text]),
  );
}

/** `$ command` lines of the console blocks with a mark, each with the output shown below it. */
export function commands(
  page: string,
  mark: string,
): { readonly command: string; readonly shown: string }[] {
  return blocks(page)
    .filter((block) => block.language === 'console' && block.mark === mark)
    .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), shown: part.slice(end + 1) };
    });
}

/** The reader's folder: the files of the page, the package from its sources, tsx, and `npx extswitch`. */
export function readersFolder(page: string, folder: string): { readonly env: NodeJS.ProcessEnv } {
  const installed = join(folder, 'node_modules', 'extswitch');
  const bin = join(folder, 'bin');
  mkdirSync(installed, { recursive: true });
  mkdirSync(bin);
  symlinkSync(join(ROOT, 'node_modules', 'tsx'), join(folder, 'node_modules', 'tsx'));
  const entries = { extension: 'src/sdk/index.ts', testing: 'src/testing/index.ts' };
  for (const [name, source] of Object.entries(entries)) {
    const url = pathToFileURL(join(ROOT, source)).href;
    writeFileSync(join(installed, `${name}.ts`), `export * from ${JSON.stringify(url)};\n`);
  }
  const exports = { './extension': './extension.ts', './testing': './testing.ts' };
  writeFileSync(
    join(installed, 'package.json'),
    JSON.stringify({ name: 'extswitch', type: 'module', exports }),
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const tsx = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href;
  const cli = join(ROOT, 'src', 'cli.ts');
  const npx = `#!/bin/sh\nshift\nexec "${process.execPath}" --import "${tsx}" "${cli}" "$@"\n`;
  writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 });
  for (const [name, text] of Object.entries(files(page))) writeFileSync(join(folder, name), text);
  const PATH = `${bin}:${process.env['PATH'] ?? ''}`;
  return { env: { PATH, HOME: folder } };
}

/** Runs a shell command to its end. */
export function run(
  command: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', command], { cwd, env }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

/** Why pages with curl commands cannot be run here, or `false`: the `skip` of a test. */
export const withoutCurl =
  spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed';

/** Runs the `console server` commands against a server at `url`; their answers, JSON each. */
export async function askServer(page: string, url: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const { command } of commands(page, 'server')) {
    const here = command.replaceAll('http://127.0.0.1:4630', url);
    const { code, out, err } = await run(here, ROOT, process.env);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${err}`);
    answers.push(JSON.parse(out));
  }
  return answers;
}
