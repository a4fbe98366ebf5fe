import { Readable } from 'node:stream';
import { run } from '../../src/cli/run.ts';

/** What a run of the command line printed and returned. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Pretend that both outputs are terminals. */
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
  /** Called with each piece of standard output. */
  readonly onOut?: (text: string) => void;
}

/** Runs a command line inside the test's process, with streams of its own. */
export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const isTTY = options.tty === true;
  const code = await run(argv, {
    stdin: Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]),
    stdout: {
      isTTY,
      write: (text) => {
        out += text;
        options.onOut?.(text);
        return true;
      },
    },
    stderr: {
      isTTY,
      write: (text) => {
        err += text;
        return true;
      },
    },
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { code, out, err };
}
