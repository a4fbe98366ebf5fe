import { fileURLToPath } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { ExtSwitchError } from '../core/errors.ts';
import { isExtensionDefinition, mofFilesOf, originOf } from '../sdk/define.ts';
import type { ExtensionDefinition, Pended } from '../sdk/extension.ts';
import { loadModule } from '../sdk/load.ts';
import { Channel } from './channel.ts';
import { ExposedBytes } from './exposed-bytes.ts';
import type { ArgumentFacts, ContextFacts } from './facts.ts';
import { type DefinitionFacts, type Message, packError, SIGNAL, type WorkerStart } from './wire.ts';
import { WorkerInstance } from './worker-instance.ts';
import type { WorkerSide } from './worker-request.ts';

/*
 * What runs in an extension's worker: loads its module, and does what the server's thread asks for.
 */

const start = workerData as WorkerStart;
const { port, signals } = start;
const instances = new Map<number, WorkerInstance>();
const bytes = new ExposedBytes();
const pended = Object.freeze({}) as Pended;
let definition: ExtensionDefinition | undefined;

const channel = new Channel({
  port,
  signals,
  mine: SIGNAL.worker,
  theirs: SIGNAL.server,
  bytes,
  serve,
  news: (message) => {
    if (message.kind !== 'ping') return;
    channel.post({ kind: 'pong', external: getHeapStatistics().external_memory });
  },
  pended: () => pended,
  arrived,
});

let garbage: number[] = [];
const registry = new FinalizationRegistry((target: number) => {
  garbage.push(target);
  if (garbage.length === 1) setImmediate(release);
});

function release(): void {
  const targets = garbage;
  garbage = [];
  channel.post({ kind: 'released', targets });
}

const side: WorkerSide = {
  channel,
  bytes,
  pended,
  holds: (holder, target) => registry.register(holder, target),
};

let handled = 0;
let isTelling = false;

/** The server waits until what follows from its message, in microtasks, has happened: a turn of the loop comes after them. */
function arrived(): void {
  handled += 1;
  if (isTelling) return;
  isTelling = true;
  setImmediate(() => {
    isTelling = false;
    Atomics.store(signals, SIGNAL.idle, handled);
    Atomics.add(signals, SIGNAL.server, 1);
    Atomics.notify(signals, SIGNAL.server);
  });
}

function serve(target: number, name: string, args: readonly unknown[]): unknown {
  if (name === 'attach') {
    if (definition === undefined) throw new Error('the module is not loaded');
    const instance = new WorkerInstance(side);
    instances.set(target, instance);
    return instance.attach(definition, args[0] as ContextFacts);
  }
  if (name === 'forget') return void instances.delete(target);
  const instance = instances.get(target);
  if (instance === undefined) throw new Error(`no instance ${target}`);
  return name === 'fire'
    ? instance.fire(args[0] as number)
    : instance.call(name, args as readonly ArgumentFacts[]);
}

/** The definition a module exports: its default one, or the one with the id that is looked for. */
function definitionIn(exported: Readonly<Record<string, unknown>>): ExtensionDefinition {
  const { id, module } = start;
  const definitions = [exported['default'], ...Object.values(exported)].filter(
    isExtensionDefinition,
  );
  const found = id === undefined ? definitions[0] : definitions.find((each) => each.id === id);
  if (found !== undefined) return found;
  const what = id === undefined ? 'no extension as its default' : `no extension with the id ${id}`;
  throw new ExtSwitchError(
    'EXTENSION_INVALID',
    `extension ${fileURLToPath(module)}: it exports ${what}, so it cannot be isolated`,
    { file: fileURLToPath(module), member: 'default' },
  );
}

function factsOf(loaded: ExtensionDefinition): DefinitionFacts {
  const { id, name, vendor, version, type } = loaded;
  const mof = mofFilesOf(loaded).map(({ path }) => path);
  return { id, name, vendor, version, type, mof, origin: originOf(loaded) ?? start.module };
}

/** What of a process an extension may not end: the server's. */
function guardProcess(): void {
  const { kill, pid, ppid } = process;
  const own = new Set([pid, -pid, ppid, 0]);
  process.kill = (which, signal) => {
    if (own.has(Number(which)) && signal !== 0) {
      throw new Error(`an isolated extension may not signal process ${which}: it is the server's`);
    }
    return kill.call(process, which, signal);
  };
  process.on('exit', (code) => channel.post({ kind: 'exit', code }));
  process.on('uncaughtException', (error) => {
    channel.post({ kind: 'stray', error: packError(error), how: 'threw' });
  });
  process.on('unhandledRejection', (error) => {
    const how = 'dropped a promise that was rejected';
    channel.post({ kind: 'stray', error: packError(error), how });
  });
}

guardProcess();
port.on('message', (message: Message) => channel.receive(message));
try {
  definition = definitionIn(await loadModule(start.module, process.cwd()));
  channel.post({ kind: 'ready', facts: factsOf(definition) });
} catch (error) {
  channel.post({ kind: 'unready', error: packError(error) });
}
