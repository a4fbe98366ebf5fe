import { oidName } from '../src/abi/index.ts';
import type { Timer } from '../src/core/clock.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import type { Guid } from '../src/core/guid.ts';
import type { ExtensionHandlers, NetPnPEvent } from '../src/sdk/extension.ts';
import type { Finding } from './environment.ts';
import { injectedMark } from './fault-points.ts';
import type { FilterModule } from './filter-module.ts';
import { describe } from './finding-text.ts';
import { CALLED_HANDLERS, LATER_HANDLERS } from './handler-table.ts';
import type { OidRequest } from './oid-request.ts';
import type { ModuleEvent } from './states.ts';
import type { Steps } from './steps.ts';
import { type ContextHost, ModuleContext } from './switch-context.ts';

/** A promise of restart or pause that was not kept in time (rule A62). */
class Late extends Error {}

/** One step in the life of one module (rules A48-A52), with whatever its handlers do contained. */
export class ModuleLife {
  readonly #host: ContextHost;

  constructor(host: ContextHost) {
    this.#host = host;
  }

  /** Detached → Attaching → Paused; the error with which it failed, then it is detached again (rule A49). */
  attach(module: FilterModule): ExtSwitchError | undefined {
    this.#move(module, 'attach');
    try {
      const { definition } = module;
      const context = new ModuleContext(this.#host, module);
      const { attach } = this.#host.environment;
      const handlers: unknown =
        attach === undefined ? definition.attach(context) : attach(definition, context);
      // An async attach is refused below; what it breaks later is nobody's business any more.
      if (handlers instanceof Promise) handlers.catch(() => undefined);
      module.setHandlers(this.#checkHandlers(module, handlers));
      this.#move(module, 'attached');
      return undefined;
    } catch (error) {
      this.#move(module, 'attachFailed');
      this.#host.references.releaseAll(module);
      module.release();
      return failure(module, 'attach', error);
    }
  }

  /** Paused → Restarting → Running, or back to Paused with the error (rule A49). */
  *restart(module: FilterModule): Steps<ExtSwitchError | undefined> {
    this.#move(module, 'restart');
    try {
      yield* this.#within(module.handlers.restart?.());
      this.#move(module, 'restarted');
      return undefined;
    } catch (error) {
      this.#move(module, 'restartFailed');
      return failure(module, 'restart', error);
    }
  }

  /** Running → Pausing → Paused; rule A61: it cannot fail. */
  *pause(module: FilterModule): Steps<void> {
    this.#move(module, 'pause');
    try {
      yield* this.#within(module.handlers.pause?.());
    } catch (error) {
      this.#find(module, {
        rule: error instanceof Late ? 'NdisFilterTimedPauseComplete' : 'A61',
        severity: 'error',
        message:
          error instanceof Late
            ? `did not pause: ${error.message}`
            : `threw in pause: ${describe(error)}`,
      });
    }
    this.#move(module, 'pauseComplete');
  }

  /** Rule A63: before a module is detached, what it issued and modules below hold has to come back. */
  *issuedDone(module: FilterModule): Steps<void> {
    for (const request of this.#host.pipeline.issuedBy(module)) {
      if (!request.done) yield completion(request);
    }
  }

  /**
   * Paused → Detached. Rule A63: nothing it issued or holds may be outstanding. What it holds it may still complete in
   * `detach`; the rest is ended for it and reported.
   */
  detach(module: FilterModule): void {
    module.leaving = true;
    this.#contain(module, 'A61', 'detach', () => module.handlers.detach?.());
    this.#abortHeld(module);
    for (const request of this.#host.pipeline.issuedBy(module)) {
      this.#find(module, {
        rule: 'A63',
        severity: 'error',
        message: `detached while ${oidName(request.oid)} it had issued was outstanding`,
        oid: oidName(request.oid),
        request: request.id,
      });
    }
    this.#host.references.releaseAll(module);
    module.release();
    this.#move(module, 'detach');
  }

  /** FilterNetPnPEvent: rules A71, A72: the event goes on and cannot be refused. */
  event(module: FilterModule, event: NetPnPEvent['event'], stack: readonly Guid[]): void {
    const { handlers } = module;
    this.#contain(module, 'A72', 'netPnPEvent', () => handlers.netPnPEvent?.({ event, stack }));
    if (event === 'switchActivate') {
      this.#contain(module, 'A72', 'activate', () => handlers.activate?.());
    }
  }

  #abortHeld(module: FilterModule): void {
    for (const request of this.#host.pipeline.abortHeldBy(module)) {
      this.#find(module, {
        rule: 'A63',
        severity: 'error',
        message: `detached while it held ${oidName(request.oid)}; the switch ended it`,
        oid: oidName(request.oid),
        request: request.id,
        ...injectedMark(request, module),
      });
    }
  }

  #move(module: FilterModule, event: ModuleEvent): void {
    const from = module.state;
    module.move(event);
    const { environment, state } = this.#host;
    environment.observer?.moved(state.name, module, from, module.state);
    environment.stateChange(state.name, {
      event: 'moduleState',
      extension: module.name,
      extensionId: module.id,
      from,
      to: module.state,
    });
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

  /** Calls a handler that cannot refuse; also what it promises and breaks is only reported. */
  #contain(module: FilterModule, rule: string, name: string, call: () => unknown): void {
    const report = (error: unknown): void =>
      this.#find(module, {
        rule,
        severity: 'error',
        message: `threw in ${name}: ${describe(error)}`,
      });
    try {
      const result = call();
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
      const giveUp = (): void =>
        reject(new Late(`its promise was not kept within ${oidTimeoutMs} ms (rule A62)`));
      timer = clock.after(oidTimeoutMs, giveUp, true);
    });
    try {
      yield Promise.race([promised, late]);
    } finally {
      timer?.cancel();
    }
  }

  #find(module: FilterModule, finding: Omit<Finding, 'extensionId'>): void {
    this.#host.environment.finding(this.#host.state.name, {
      ...finding,
      message: `${module.name} ${finding.message}`,
      extensionId: module.id,
    });
  }
}

/** Kept when `request`, which is in flight, completes. */
function completion(request: OidRequest): Promise<void> {
  return new Promise((resolve) => {
    const told = request.onComplete;
    request.onComplete = (done) => {
      told?.(done);
      resolve();
    };
  });
}

function failure(module: FilterModule, where: string, error: unknown): ExtSwitchError {
  return new ExtSwitchError(
    'EXTENSION_FAILED',
    `${module.name} refused in ${where}: ${describe(error)}`,
    { extensionId: module.id },
    { cause: error },
  );
}
