import type { Timer } from '../src/core/clock.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import type { Guid } from '../src/core/guid.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
} from '../src/sdk/extension.ts';
import type { Finding } from './environment.ts';
import { FilterModule } from './filter-module.ts';
import { CALLED_HANDLERS, LATER_HANDLERS } from './handler-table.ts';
import { describe } from './pipeline.ts';
import type { Steps } from './steps.ts';
import { type ContextHost, ModuleContext } from './switch-context.ts';

/** Rule A2: the fixed places, top to bottom. */
const PLACE: Readonly<Record<ExtensionType, number>> = { capture: 0, filter: 1, forward: 2 };

/** An extension that was wanted but does not run. */
export interface StackFailure {
  readonly definition: ExtensionDefinition;
  readonly error: ExtSwitchError;
}

/** Sorts extensions into capture, filter, forward; the order inside a class stays. Rule A41: one forwarding extension; `asked` is the one to name. */
export function orderStack(
  wanted: readonly ExtensionDefinition[],
  asked?: Guid,
): ExtensionDefinition[] {
  const ordered = [...wanted].sort((a, b) => PLACE[a.type] - PLACE[b.type]);
  const forwarding = ordered.filter((definition) => definition.type === 'forward');
  if (forwarding.length > 1) {
    const names = forwarding.map((definition) => definition.name).join(' and ');
    throw new ExtSwitchError(
      'SECOND_FORWARDING_EXTENSION',
      `${names} are both forwarding extensions; a switch runs at most one (rule A41)`,
      { rule: 'A41', extensionId: asked ?? (forwarding[1] as ExtensionDefinition).id },
    );
  }
  return ordered;
}

/** The driver stack between the two edges: attach, restart, pause, detach in the order of rules A46-A52. */
export class DriverStack {
  readonly #host: ContextHost;
  /** Top to bottom; replaced as a whole, so that a request keeps the stack it was issued on. */
  #modules: readonly FilterModule[] = [];

  constructor(host: ContextHost) {
    this.#host = host;
  }

  get modules(): readonly FilterModule[] {
    return this.#modules;
  }

  /** Makes `wanted` (top to bottom) the stack: pause, detach, attach, restart (rule A46, S13, S14). */
  *change(wanted: readonly ExtensionDefinition[]): Steps<readonly StackFailure[]> {
    const ordered = orderStack(wanted);
    const failures: StackFailure[] = [];
    for (const module of this.#modules) yield* this.#pause(module);
    const kept = new Map<string, FilterModule>();
    for (const module of this.#modules) {
      if (ordered.some((definition) => definition === module.definition))
        kept.set(module.id, module);
      else this.#detach(module);
    }
    const modules = ordered.map(
      (definition) => kept.get(definition.id) ?? new FilterModule(definition),
    );
    this.#modules = modules;
    // Rule A47: attach and restart bottom-up.
    for (const module of [...modules].reverse()) {
      if (module.state === 'detached') this.#attach(module, failures);
    }
    this.#modules = modules.filter((module) => module.state !== 'detached');
    for (const module of [...this.#modules].reverse()) yield* this.#restart(module, failures);
    this.#modules = this.#modules.filter((module) => module.state !== 'detached');
    return failures;
  }

  /** Rule A68: NetEventSwitchActivate once, from the bottom up. */
  activate(): void {
    for (const module of [...this.#modules].reverse()) {
      // Rules A71, A72: the event goes on and cannot be refused.
      if (module.state === 'running') this.#contain(module, 'activate', 'A72');
    }
  }

  #attach(module: FilterModule, failures: StackFailure[]): void {
    module.move('attach');
    try {
      const handlers: unknown = module.definition.attach(new ModuleContext(this.#host, module));
      // An async attach is refused below; what it breaks later is nobody's business any more.
      if (handlers instanceof Promise) handlers.catch(() => undefined);
      module.setHandlers(this.#checkHandlers(module, handlers));
      module.move('attached');
    } catch (error) {
      // Rule A49: back to detached.
      module.move('attachFailed');
      this.#host.references.releaseAll(module);
      module.release();
      failures.push(this.#failure(module, 'attach', error));
    }
  }

  #checkHandlers(module: FilterModule, handlers: unknown): ExtensionHandlers {
    if (typeof handlers !== 'object' || handlers === null || handlers instanceof Promise) {
      throw new ExtSwitchError(
        'EXTENSION_INVALID',
        `attach returned ${describe(handlers)}; expected an object of handlers`,
        { extensionId: module.id },
      );
    }
    const given = handlers as Readonly<Record<string, unknown>>;
    for (const name of CALLED_HANDLERS) {
      const handler = given[name];
      if (handler !== undefined && typeof handler !== 'function') {
        throw new ExtSwitchError(
          'EXTENSION_INVALID',
          `handler ${name} is ${describe(handler)}, not a function`,
          { extensionId: module.id, member: name },
        );
      }
    }
    for (const name of LATER_HANDLERS) {
      if (typeof given[name] !== 'function') continue;
      this.#find(module, {
        rule: 'D13',
        severity: 'info',
        message: `has the handler ${name}, which this version never calls`,
      });
    }
    // A class has methods of its own; in a plain object an unknown function is a slip of the pen.
    if (Object.getPrototypeOf(handlers) !== Object.prototype) return handlers;
    for (const [name, value] of Object.entries(given)) {
      if (typeof value !== 'function' || CALLED_HANDLERS.has(name) || LATER_HANDLERS.has(name))
        continue;
      throw new ExtSwitchError(
        'EXTENSION_INVALID',
        `attach returned an unknown handler ${name}; known: ${[...CALLED_HANDLERS].join(', ')}`,
        { extensionId: module.id, member: name },
      );
    }
    return handlers;
  }

  *#restart(module: FilterModule, failures: StackFailure[]): Steps<void> {
    module.move('restart');
    try {
      yield* this.#within(module.handlers.restart?.());
      module.move('restarted');
    } catch (error) {
      // Rules A49, A50, OP-31: back to paused, then out of the stack; the rest runs on.
      module.move('restartFailed');
      failures.push(this.#failure(module, 'restart', error));
      this.#detach(module);
    }
  }

  /** Rule A61: pause and detach cannot fail. */
  *#pause(module: FilterModule): Steps<void> {
    if (module.state !== 'running') return;
    module.move('pause');
    try {
      yield* this.#within(module.handlers.pause?.());
    } catch (error) {
      this.#find(module, {
        rule: 'A61',
        severity: 'error',
        message: `threw in pause: ${describe(error)}`,
      });
    }
    module.move('pauseComplete');
  }

  #detach(module: FilterModule): void {
    // Rule A63: nothing it holds may stay behind.
    this.#host.pipeline.abortHeldBy(module);
    this.#contain(module, 'detach', 'A61');
    this.#host.references.releaseAll(module);
    module.release();
    module.move('detach');
  }

  /** Calls a handler that cannot refuse; also what it promises and breaks is only reported. */
  #contain(module: FilterModule, name: 'activate' | 'detach', rule: string): void {
    const report = (error: unknown): void =>
      this.#find(module, {
        rule,
        severity: 'error',
        message: `threw in ${name}: ${describe(error)}`,
      });
    try {
      const result: unknown = module.handlers[name]?.();
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  }

  /** Waits for what restart or pause promised (rule A62), at most as long as an OID may be held. */
  *#within(promised: unknown): Steps<void> {
    if (!(promised instanceof Promise)) return;
    const { clock, oidTimeoutMs } = this.#host.environment;
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = clock.after(oidTimeoutMs, () =>
        reject(new Error(`its promise was not kept within ${oidTimeoutMs} ms (rule A62)`)),
      );
    });
    try {
      yield Promise.race([promised, late]);
    } finally {
      timer?.cancel();
    }
  }

  #failure(module: FilterModule, where: string, error: unknown): StackFailure {
    const cause = `${module.name} refused in ${where}: ${describe(error)}`;
    return {
      definition: module.definition,
      error: new ExtSwitchError(
        'EXTENSION_FAILED',
        cause,
        { extensionId: module.id },
        { cause: error },
      ),
    };
  }

  #find(module: FilterModule, finding: Omit<Finding, 'extensionId'>): void {
    this.#host.environment.finding(this.#host.state.name, {
      ...finding,
      message: `${module.name} ${finding.message}`,
      extensionId: module.id,
    });
  }
}
