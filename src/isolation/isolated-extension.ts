import { pathToFileURL } from 'node:url';
import { ExtSwitchError } from '../core/errors.ts';
import { NdisStatus } from '../core/status.ts';
import { originOf } from '../sdk/define.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  Pended,
  SwitchContext,
} from '../sdk/extension.ts';
import { Answer } from './channel.ts';
import type { ArgumentFacts, HandlersFacts } from './facts.ts';
import { handlersLike, UNANSWERED } from './isolated-handlers.ts';
import { type EndReason, IsolatedWorker, type WorkerLimits } from './isolated-worker.ts';
import { ServerObjects } from './server-objects.ts';

export interface ExtensionEvents {
  /** Its worker ended, not because it was closed. */
  ended(reason: EndReason, message: string): void;
  /** It threw where nobody catches it. */
  stray(message: string): void;
}

/** One worker and what it knows of the server. */
interface Generation {
  readonly worker: IsolatedWorker;
  readonly objects: ServerObjects;
  /** Requests it has pended by hand: rejected, as a handler that throws, when the worker ends. */
  readonly held: Map<string, (error: Error) => void>;
}

/** All instances of one extension in a world: one worker at a time, a new one when that has ended. */
export class IsolatedExtension {
  readonly #definition: ExtensionDefinition;
  readonly #module: string;
  readonly #limits: WorkerLimits;
  readonly #events: ExtensionEvents;
  #generation: Generation | undefined;
  #lastInstance = 0;
  /** The token of the switch for a pended request, once it has been seen. */
  #token: Pended | undefined;
  /** Requests that the handler that runs now has pended. */
  readonly #pendedNow = new Set<string>();

  /** Throws `INVALID_ARGUMENT` when it came from no module. */
  constructor(definition: ExtensionDefinition, limits: WorkerLimits, events: ExtensionEvents) {
    this.#definition = definition;
    this.#module = moduleOf(definition);
    this.#limits = limits;
    this.#events = events;
  }

  /** Starts its worker and waits, without sleeping, until the module is loaded. Throws why it is not. */
  async prepare(): Promise<void> {
    await this.#alive().worker.ready;
  }

  /** The same, asleep. */
  waitReady(): void {
    this.#alive().worker.waitReady();
  }

  #alive(): Generation {
    if (this.#generation?.worker.isAlive === true) return this.#generation;
    const held: Generation['held'] = new Map();
    const { id, name } = this.#definition;
    const worker: IsolatedWorker = new IsolatedWorker(this.#module, id, name, this.#limits, {
      serve: (target, call, args) => objects.serve(target, call, args),
      released: (targets) => objects.release(targets),
      pended: () => this.#token,
      stray: (message) => this.#events.stray(`${name} ${message}`),
      ended: (reason, message) => {
        const error = new ExtSwitchError('EXTENSION_FAILED', `${name} ${message}`);
        for (const reject of held.values()) reject(error);
        held.clear();
        this.#events.ended(reason, message);
      },
    });
    const objects: ServerObjects = new ServerObjects({
      bytes: worker.bytes,
      fire: (instance, timer) =>
        worker.isAlive ? worker.call(instance, 'fire', [timer], 'a timer') : undefined,
      pended: (key, token) => {
        this.#token = token;
        this.#pendedNow.add(key);
      },
      ended: (key) => held.delete(key),
    });
    this.#generation = { worker, objects, held };
    return this.#generation;
  }

  /** `attach` of the definition, in the worker. */
  attach(sw: SwitchContext): ExtensionHandlers {
    const generation = this.#alive();
    const { worker, objects } = generation;
    worker.waitReady();
    this.#lastInstance += 1;
    const instance = this.#lastInstance;
    const { id, name, ndisVersion } = sw;
    const facts = { target: objects.context(instance, sw), id, name, ndisVersion };
    const handlers = worker.call(instance, 'attach', [facts], 'attach');
    if (!isHandlersFacts(handlers)) return handlers as ExtensionHandlers;
    return handlersLike(handlers, objects, instance, (called, args) =>
      this.#call(generation, instance, called, args),
    );
  }

  #call(
    { worker, held }: Generation,
    instance: number,
    name: string,
    args: readonly ArgumentFacts[],
  ): unknown {
    if (!worker.isAlive) {
      if (UNANSWERED.has(name)) return undefined;
      throw new ExtSwitchError(
        'EXTENSION_FAILED',
        `${this.#definition.name} does not run: its worker has ended`,
        { extensionId: this.#definition.id },
      );
    }
    const before = [...this.#pendedNow];
    this.#pendedNow.clear();
    try {
      const verdict = worker.call(instance, name, args, name);
      return this.#isPended(verdict) ? this.#holding(held, verdict) : verdict;
    } finally {
      this.#pendedNow.clear();
      for (const key of before) this.#pendedNow.add(key);
    }
  }

  #isPended(verdict: unknown): boolean {
    const isPending = verdict === this.#token || verdict === NdisStatus.PENDING;
    return isPending && this.#pendedNow.size > 0;
  }

  /** A promise of nothing means the same as the token, and can be broken when the worker ends. */
  #holding(held: Generation['held'], token: unknown): unknown {
    const keys = [...this.#pendedNow];
    if (keys.length !== 1) return token;
    return new Promise((_resolve, reject) => {
      held.set(keys[0] as string, reject);
    });
  }

  /** Ends its worker; nobody is told. */
  async close(): Promise<void> {
    const generation = this.#generation;
    this.#generation = undefined;
    await generation?.worker.close();
  }
}

function isHandlersFacts(value: unknown): value is HandlersFacts {
  return (
    typeof value === 'object' && value !== null && 'members' in value && !(value instanceof Answer)
  );
}

/** URL of the file it was defined in. Throws `INVALID_ARGUMENT`: an object cannot go to another thread. */
export function moduleOf(definition: ExtensionDefinition): string {
  const origin = originOf(definition);
  // The program itself would run a second time in the worker, and isolate again.
  const program = pathToFileURL(process.argv[1] ?? '').href;
  const isModule = origin?.startsWith('file:') === true && /\.[cm]?[jt]s$/.test(origin);
  if (isModule && origin !== program) return origin;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `extension ${definition.name} cannot be isolated: it is an object of this program, and only what a module ` +
      'of its own exports can be loaded by a worker',
    { member: 'isolate', extensionId: definition.id, expected: 'an extension from a module' },
  );
}
