import { FROM_SOURCES } from '../support/from-sources.ts';
import '../support/uncovered-children.ts';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { FromHost, Look, Order, ToHost } from './crash-migration-host.ts';

type Name = 'a' | 'b';
const other = (name: Name): Name => (name === 'a' ? 'b' : 'a');

const folder = mkdtempSync(join(tmpdir(), 'extswitch-crash-migration-'));

/** One host's process, started again when it was killed. */
class HostProcess {
  readonly name: Name;
  readonly #line: (from: Name, to: Name, message: ToHost) => boolean;
  readonly #answers = new Map<number, (message: Extract<FromHost, { is: 'answer' }>) => void>();
  #next = 1_000_000;
  #child: ChildProcess | undefined;
  /** Settles when it is killed. */
  died: Promise<unknown> = Promise.resolve();

  constructor(name: Name, line: (from: Name, to: Name, message: ToHost) => boolean) {
    this.name = name;
    this.#line = line;
  }

  async start(): Promise<void> {
    const child = fork(
      'test/policy/crash-migration-host.ts',
      [this.name, join(folder, this.name)],
      {
        execArgv: [...FROM_SOURCES],
        serialization: 'advanced',
      },
    );
    this.#child = child;
    this.died = once(child, 'exit').then(() => {
      this.#child = undefined;
      // Nobody answers any more what it was asked.
      for (const answer of this.#answers.values()) {
        answer({ is: 'answer', id: 0, error: { code: undefined, message: `${this.name} died` } });
      }
      this.#answers.clear();
    });
    await new Promise<void>((resolve) => {
      child.on('message', (message: FromHost) => {
        if (message.is === 'open') resolve();
        else if (message.is === 'call') this.#pass(message);
        else this.#answers.get(message.id)?.(message);
      });
    });
  }

  /** A message to another host; one that is dead does not answer. */
  #pass({ id, to, call }: Extract<FromHost, { is: 'call' }>): void {
    if (this.#line(this.name, to as Name, { is: 'call', id, call })) return;
    this.send({ is: 'answer', id, error: { code: undefined, message: `${to} is dead` } });
  }

  /** False when nobody is there. */
  send(message: ToHost): boolean {
    return this.#child?.send(message) ?? false;
  }

  /** Asks, with what is to be done with the answer. */
  ask(message: (id: number) => ToHost, answered: (message: ToHost) => void): boolean {
    this.#next += 1;
    const id = this.#next;
    this.#answers.set(id, (answer) => {
      this.#answers.delete(id);
      answered(answer);
    });
    if (this.send(message(id))) return true;
    this.#answers.delete(id);
    return false;
  }

  do<T>(what: Order): Promise<T> {
    return new Promise((resolve, reject) => {
      const isAsked = this.ask(
        (id) => ({ is: 'do', id, what }),
        (answer) => {
          if (answer.is !== 'answer') return;
          if (answer.error === undefined) resolve(answer.value as T);
          else reject(new Error(answer.error.message));
        },
      );
      if (!isAsked) reject(new Error(`${this.name} is dead`));
    });
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.died;
  }
}

const processes: Record<Name, HostProcess> = {
  a: new HostProcess('a', route),
  b: new HostProcess('b', route),
};

function route(from: Name, to: Name, message: ToHost): boolean {
  if (message.is !== 'call') return false;
  const { id, call } = message;
  return processes[to].ask(
    (there) => ({ is: 'call', id: there, call }),
    (answer) => {
      if (answer.is === 'answer') processes[from].send({ ...answer, id });
    },
  );
}

/** What both have, once nothing is decided any more. */
async function settled(): Promise<Record<Name, Look>> {
  for (;;) {
    const [a, b] = await Promise.all(
      (['a', 'b'] as const).map((name) => processes[name].do<Look>({ order: 'look' })),
    );
    if (a === undefined || b === undefined) throw new Error('nobody is there');
    const isOver = [...a.migrations, ...b.migrations].every((one) =>
      /failed|succeeded|abandoned|destination taken/.test(one),
    );
    if (isOver && (a.having === undefined) !== (b.having === undefined)) return { a, b };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const withoutData = (all = ''): string => all.replace(/"data":\[(\[[\d,]*\],?)*\]/g, '"data":[]');

t.setTimeout(400_000);
t.teardown(async () => {
  await Promise.all([processes.a.kill(), processes.b.kill()]);
  rmSync(folder, { recursive: true, force: true });
});

t.test(
  'kill -9 of either host of a migration at each write of its LMDB: one owner, policies and run-time data (G38, design.md 5, 7)',
  async (t) => {
    const { a, b } = processes;
    await Promise.all([a.start(), b.start()]);
    await a.do({ order: 'create' });
    let owner: Name = 'a';
    const ends = new Set<string>();
    const kept = { whole: 0, taken: 0 };
    for (const side of ['source', 'destination'] as const) {
      for (const isAfter of [false, true]) {
        for (let write = 1; ; write += 1) {
          const what = `${side}, write ${write}, ${isAfter ? 'after' : 'before'} it`;
          const from: Name = owner;
          const before = await processes[from].do<string>({ order: 'fill' });
          const victim: HostProcess = processes[side === 'source' ? from : other(from)];
          await victim.do({ order: 'killAt', write, isAfter });
          const migrated = processes[from].do<string>({ order: 'migrate', to: other(from) });
          const isKilled = await Promise.race([
            victim.died.then(() => true),
            migrated.then(
              () => false,
              () => true,
            ),
          ]);
          if (isKilled) {
            await victim.died;
            await victim.start();
            processes[other(victim.name)].send({ is: 'there', host: victim.name });
          } else await victim.do({ order: 'killAt', write: Number.POSITIVE_INFINITY, isAfter });
          const looks = await settled();
          owner = looks.a.having === undefined ? 'b' : 'a';
          const { having = '' } = looks[owner];
          ends.add(`${side} ${owner === from ? 'stays' : 'moves'}`);
          t.equal(withoutData(having), withoutData(before), `${what}: with its policies`);
          t.strictSame(looks[other(owner)].left, [], `${what}: nothing on the other`);
          // What was in the memory of a process goes with it; between save and restore it is on the disk of the source.
          const wasOnDisk = looks[victim.name].stored.includes('source handing');
          if (owner !== victim.name || !isKilled) {
            kept.whole += 1;
            t.equal(having, before, `${what}: with its run-time data`);
          } else if (wasOnDisk) {
            kept.taken += 1;
            t.equal(having, before, `${what}: with its run-time data from the disk`);
          }
          if (isKilled) continue;
          t.ok(write > 2, `${side}: ${write - 1} writes`);
          break;
        }
      }
    }
    t.same([...ends].sort(), [
      'destination moves',
      'destination stays',
      'source moves',
      'source stays',
    ]);
    t.ok(kept.whole > 4, `${kept.whole} times the data came from a process`);
  },
);
