import type { ExtensionDefinition } from '../sdk/extension.ts';
import { Answer } from './channel.ts';
import type { ArgumentFacts, ContextFacts, HandlersFacts, MemberFacts } from './facts.ts';
import { WorkerContext } from './worker-context.ts';
import { argumentOf, type WorkerSide } from './worker-request.ts';

type Handlers = Readonly<Record<string, unknown>>;

/** The extension on one switch, inside its worker. */
export class WorkerInstance {
  readonly #side: WorkerSide;
  readonly #timers = new Map<number, () => unknown>();
  #handlers: Handlers = {};

  constructor(side: WorkerSide) {
    this.#side = side;
  }

  /** Calls `attach`; what it returned is told, and judged, outside. */
  attach(definition: ExtensionDefinition, facts: ContextFacts): unknown {
    const context = new WorkerContext(this.#side, facts, this.#timers);
    const handlers: unknown = definition.attach(context);
    if (handlers instanceof Promise) {
      handlers.catch(() => undefined);
      return handlers;
    }
    if (typeof handlers !== 'object' || handlers === null) return handlers;
    this.#handlers = handlers as Handlers;
    return new Answer(factsOf(this.#handlers));
  }

  call(name: string, args: readonly ArgumentFacts[]): unknown {
    const handler = this.#handlers[name] as (...given: unknown[]) => unknown;
    return handler.apply(
      this.#handlers,
      args.map((facts) => argumentOf(this.#side, facts)),
    );
  }

  fire(timer: number): unknown {
    const fire = this.#timers.get(timer);
    this.#timers.delete(timer);
    const result: unknown = fire?.();
    return result instanceof Promise ? result : undefined;
  }
}

/** Members by name: of a plain object its own, of anything else also those of its classes. */
function factsOf(handlers: Handlers): HandlersFacts {
  const isPlain = Object.getPrototypeOf(handlers) === Object.prototype;
  const names = new Set<string>(isPlain ? Object.keys(handlers) : []);
  if (!isPlain) {
    for (let at: object | null = handlers; at !== null && at !== Object.prototype; ) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
      at = Object.getPrototypeOf(at) as object | null;
    }
    names.delete('constructor');
  }
  return { isPlain, members: [...names].map((name) => [name, memberOf(handlers[name])]) };
}

function memberOf(value: unknown): MemberFacts {
  if (typeof value === 'function') return { is: 'function' };
  if (typeof value === 'symbol') return { is: 'value', value: String(value) };
  return typeof value === 'object' && value !== null ? { is: 'object' } : { is: 'value', value };
}
