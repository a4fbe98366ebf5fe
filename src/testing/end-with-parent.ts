import { type ChildProcess, spawn } from 'node:child_process';

/*
 * Children that never outlive the process that started them, also when it is killed with SIGKILL and can run nothing any more.
 * A small shell holds the other end of a pipe: the kernel closes the pipe when this process ends, however it ends, and the
 * shell then kills what it was told of.
 */

const WATCHDOG = `
trap '' INT TERM HUP QUIT
pids= folder=
while read -r word value; do
  case $word in
    add) pids="$pids $value" ;;
    drop) left=; for pid in $pids; do [ "$pid" = "$value" ] || left="$left $pid"; done; pids=$left ;;
    folder) folder=$value ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done
[ -z "$folder" ] || { sleep 0.1; rm -rf "$folder"; }
`;

/** Kills processes and removes a folder when this process ends. */
export class EndWithParent {
  readonly #shell: ChildProcess;

  /** `folder`: removed at the end, absolute; left out: none is. */
  constructor(folder?: string) {
    // A session of its own: Ctrl-C in a terminal goes to the whole group, and must not end the watchdog first.
    this.#shell = spawn('/bin/sh', ['-c', WATCHDOG], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#shell.unref();
    this.#shell.on('error', () => {});
    this.#shell.stdin?.on('error', () => {});
    // Must not keep this process running; a socket can be left out of the count, a Writable as such cannot.
    const pipe: unknown = this.#shell.stdin;
    if (pipe instanceof Object && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
    if (folder !== undefined) this.#tell('folder', folder);
  }

  /** Has the process killed when this one ends. */
  add(pid: number): void {
    this.#tell('add', pid);
  }

  /** The process has ended: its number may be another's by now. */
  drop(pid: number): void {
    this.#tell('drop', pid);
  }

  /** Kills what is left and removes the folder now. */
  async end(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#shell.once('exit', resolve));
    this.#shell.ref();
    this.#shell.stdin?.end();
    await ended;
  }

  #tell(word: string, value: string | number): void {
    this.#shell.stdin?.write(`${word} ${value}\n`);
  }
}
