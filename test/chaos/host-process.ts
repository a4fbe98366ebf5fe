import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { EndWithParent } from '../../src/testing/end-with-parent.ts';
import '../support/uncovered-children.ts';

/** How a process ended: by itself, by what it said last, or because the test ended it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly wasAsked: boolean;
}

const LOG_KEPT = 16_384;

/** One `extswitch serve`. */
export class HostProcess {
  readonly name: string;
  /** Where its HTTP plane listens; resolves to undefined when it ended before it served. */
  readonly served: Promise<string | undefined>;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #log = '';
  #wasAsked = false;
  #ending: Ending | undefined;

  /** `words`: the command and its flags, without the name. */
  constructor(name: string, words: readonly string[], watchdog: EndWithParent) {
    this.name = name;
    const child = spawn(process.execPath, [...words, '--name', name, '--print', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, EXTSWITCH_LOG_LEVEL: 'warn' },
    });
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) watchdog.add(pid);
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-LOG_KEPT);
    });
    this.ended = once(child, 'close').then(([code, signal]) => {
      if (pid !== undefined) watchdog.drop(pid);
      this.#ending = { code, signal, wasAsked: this.#wasAsked };
      return this.#ending;
    });
    const line = once(createInterface({ input: child.stdout }), 'line');
    this.served = Promise.race([
      line.then(([text]) => (JSON.parse(String(text)) as { url: string }).url.replace(/\/$/, '')),
      this.ended.then(() => undefined),
    ]);
  }

  /** What it said on standard error, the end of it. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#ending === undefined;
  }

  /** How it ended, when it has. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Signals it; one that ends it is waited for. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ending> {
    this.#wasAsked = true;
    this.#child.kill(signal);
    return this.ended;
  }

  /** It will end by itself, and that is no surprise. */
  expectEnd(): void {
    this.#wasAsked = true;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }
}
