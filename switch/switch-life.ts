import type { Guid } from '../src/core/guid.ts';
import type { ExtensionDefinition } from '../src/sdk/extension.ts';
import { type DriverStack, orderStack, type StackFailure } from './driver-stack.ts';
import type { SwitchEnvironment } from './environment.ts';
import type { FilterModule } from './filter-module.ts';
import { describe } from './finding-text.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { nextState, SWITCH_STATES, type SwitchEvent, tryNextState } from './states.ts';
import { drive, type MaybePromise, type Steps } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/** A restart that follows another one in the same millisecond waits this long: one that always asks again stops nobody. */
const RESTART_PAUSE_MS = 1;

export interface StartOptions {
  /** False leaves IsActive FALSE until {@link SwitchLife.activate} (OP-20). Default true. */
  readonly activate?: boolean;
  /** Extensions without which the switch does not run (rule A50). */
  readonly required?: Iterable<Guid>;
}

/** The switch as a whole: start, activation, changes of the stack, down when a required extension does not run. */
export class SwitchLife {
  readonly #state: SwitchState;
  readonly #environment: SwitchEnvironment;
  readonly #edge: ProtocolEdge;
  readonly #stack: DriverStack;
  #restartedAt = Number.NEGATIVE_INFINITY;

  constructor(
    state: SwitchState,
    environment: SwitchEnvironment,
    edge: ProtocolEdge,
    stack: DriverStack,
  ) {
    this.#state = state;
    this.#environment = environment;
    this.#edge = edge;
    this.#stack = stack;
  }

  /** S1 steps 2-9. */
  start(
    extensions: readonly ExtensionDefinition[],
    options: StartOptions,
  ): MaybePromise<readonly StackFailure[]> {
    const self = this;
    return this.#alone(function* () {
      orderStack(extensions);
      self.#move('start');
      const failures = yield* self.#stack.change(extensions, options.required);
      self.#settle(options.activate ?? true);
      return failures;
    });
  }

  /** S13, S14. */
  change(
    wanted: readonly ExtensionDefinition[],
    required: Iterable<Guid> | undefined,
  ): MaybePromise<readonly StackFailure[]> {
    const self = this;
    return this.#alone(function* () {
      const failures = yield* self.#stack.change(wanted, required);
      self.#settle(false);
      return failures;
    });
  }

  /** Pauses the stack and restarts it as it is, when its turn comes (rule A46). */
  restart(): MaybePromise<void> {
    const self = this;
    return this.#alone(function* () {
      if (self.#state.isStopping) return;
      yield* self.#stack.restart();
      self.#settle(false);
    });
  }

  /**
   * Rules A67, A68: IsActive becomes TRUE and NetEventSwitchActivate goes up. At once, also while an extension holds an
   * OID until then (OP-20): the event does not queue behind OIDs.
   */
  activate(): void {
    this.#move('activate');
    this.#state.isActive = true;
    this.#environment.stateChange(this.#state.name, { event: 'switchActivated' });
    this.#stack.activate();
  }

  /** Whether `event` is allowed now; throws `ILLEGAL_TRANSITION` naming the rule. */
  allow(event: SwitchEvent): void {
    const { life } = this.#state;
    if (tryNextState(SWITCH_STATES, life, event) !== undefined) return;
    // What was there is told to a switch that is down as well: its extensions ask when they come up.
    const isRebuilding = this.#environment.isRebuilding?.() === true;
    if (life === 'down' && isRebuilding && event === 'operate') return;
    const missing = this.#stack.missing;
    const why =
      life === 'down' && missing !== undefined
        ? `switch ${this.#state.name}, whose required extension ${missing} does not run,`
        : `switch ${this.#state.name}`;
    nextState(SWITCH_STATES, life, event, why);
  }

  /** Nothing waits for extensions any more. */
  stop(): void {
    this.#state.isStopping = true;
    this.#move('stop');
  }

  /** NdisFRestartFilter: a pause and a restart of the stack when its turn comes (rule A66). */
  requestRestart(module: FilterModule): void {
    if (module.state === 'restarting' || module.state === 'pausing') {
      this.#find(module, 'A51', `asked for a restart while ${module.state}`);
      return;
    }
    if (module.wantsRestart || module.state === 'detached' || module.state === 'attaching') return;
    module.wantsRestart = true;
    const run = (): void => {
      const self = this;
      Promise.resolve(this.#alone(() => self.#restartFor(module))).catch((error) =>
        this.#find(module, 'A66', `its restart of the stack failed: ${describe(error)}`),
      );
    };
    // Never inside the extension's own call: what it asks for comes later.
    if (this.#restartedAt === this.#environment.clock.now()) {
      this.#environment.clock.after(RESTART_PAUSE_MS, run);
    } else {
      queueMicrotask(run);
    }
  }

  *#restartFor(module: FilterModule): Steps<void> {
    const giveUpAt = this.#environment.clock.now() + this.#environment.oidTimeoutMs;
    // Rule A66: the restart does not finish while it has a switch OID pending. Each wait ends by itself.
    while (module.isHolding && this.#environment.clock.now() < giveUpAt) {
      yield new Promise<void>((resolve) => {
        module.onReleased = resolve;
      });
      module.onReleased = undefined;
    }
    module.wantsRestart = false;
    if (this.#state.isStopping || !this.#stack.modules.includes(module)) return;
    this.#restartedAt = this.#environment.clock.now();
    yield* this.#stack.restart();
    this.#settle(false);
  }

  /** The state that the stack as it is now leaves the switch in (rule A50). */
  #settle(activate: boolean): void {
    const { life, name } = this.#state;
    const { missing } = this.#stack;
    if (life === 'stopping') return;
    if (missing !== undefined) {
      if (life === 'down') return;
      this.#move('stackDown');
      this.#state.isActive = false;
      this.#environment.stateChange(name, {
        event: 'stackDown',
        extensionId: missing,
        rule: 'A50',
      });
    } else if (life === 'down') {
      this.#move('stackUp');
      this.#environment.stateChange(name, { event: 'stackUp' });
      this.activate();
    } else if (activate && life === 'starting') {
      this.activate();
    }
  }

  #move(event: SwitchEvent): void {
    this.#state.life = nextState(
      SWITCH_STATES,
      this.#state.life,
      event,
      `switch ${this.#state.name}`,
    );
  }

  /** One change of the stack at a time. */
  #alone<T>(steps: () => Steps<T>): MaybePromise<T> {
    return this.#edge.run(() => drive(steps()), this.#stack);
  }

  #find(module: FilterModule, rule: string, message: string): void {
    this.#environment.finding(this.#state.name, {
      rule,
      severity: 'error',
      message: `${module.name} ${message}`,
      extensionId: module.id,
    });
  }
}
