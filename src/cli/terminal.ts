import { once } from 'node:events';
import { createStyle, type Style } from './style.ts';

export { harmless } from '../core/harmless-text.ts';

/** Something to write to: a terminal, a pipe, a file, or a test's collector. */
export interface Output {
  write(text: string): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a run of the command line has of the outside world. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  /** Ends what would run for ever (`serve`, `trace --follow`), beside the signals of the process. */
  readonly signal?: AbortSignal;
}

/** The streams with manners: back-pressure, colour only where a person looks, text from elsewhere made harmless. */
export interface Terminal extends Streams {
  readonly style: Style;
  readonly errorStyle: Style;
  /** True when standard output is a terminal. */
  readonly interactive: boolean;
  /** Writes text and a newline to standard output; waits while the reader is slow. */
  line(text?: string): Promise<void>;
  /** Writes text as it is. */
  print(text: string): Promise<void>;
  /** Writes a line for people to standard error. */
  note(text: string): void;
}

/** Wraps the streams of a run. */
export function createTerminal(streams: Streams): Terminal {
  const { stdout, stderr, env } = streams;
  const print = async (text: string): Promise<void> => {
    if (!stdout.write(text) && 'once' in stdout) {
      await once(stdout as unknown as NodeJS.EventEmitter, 'drain');
    }
  };
  return {
    ...streams,
    style: createStyle(stdout, env),
    errorStyle: createStyle(stderr, env),
    interactive: stdout.isTTY === true,
    print,
    line: (text = '') => print(`${text}\n`),
    note: (text) => {
      stderr.write(`${text}\n`);
    },
  };
}
