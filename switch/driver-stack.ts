import { ExtSwitchError } from '../src/core/errors.ts';
import type { Guid } from '../src/core/guid.ts';
import type { ExtensionDefinition, ExtensionType, NetPnPEvent } from '../src/sdk/extension.ts';
import { FilterModule } from './filter-module.ts';
import { ModuleLife } from './module-life.ts';
import { drive, type Steps } from './steps.ts';
import type { ContextHost } from './switch-context.ts';

/** Rules A2, A4: the fixed places, top to bottom; below the forwarding one comes the miniport edge. */
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

/**
 * The driver stack between the two edges: attach, restart, pause, detach in the order of rules A46-A52. One change at a
 * time; with seeded scheduling OIDs come between its steps, but none is in flight from the protocol edge when a module
 * comes or goes: each module sees an OID as a whole or not at all.
 */
export class DriverStack {
  readonly #host: ContextHost;
  readonly #life: ModuleLife;
  readonly #turn: () => Steps<void>;
  /** Top to bottom; replaced as a whole, so that a request keeps the stack it was issued on. */
  #modules: readonly FilterModule[] = [];
  #wanted: readonly ExtensionDefinition[] = [];
  #required: ReadonlySet<Guid> = new Set();
  #isBuilt = false;
  /** Why an extension that is wanted does not run. */
  readonly problems = new Map<Guid, string>();

  /** `turn` lets other operations come before the next step. */
  constructor(host: ContextHost, turn: () => Steps<void>) {
    this.#host = host;
    this.#life = new ModuleLife(host);
    this.#turn = turn;
  }

  get modules(): readonly FilterModule[] {
    return this.#modules;
  }

  /** Extensions without which the switch does not run (rule A50, OP-31). */
  get required(): ReadonlySet<Guid> {
    return this.#required;
  }

  /** Rule A50: the required extension that does not run; then no module is left in the stack. */
  get missing(): Guid | undefined {
    for (const id of this.#required) {
      if (!this.#modules.some((module) => module.id === id && module.state === 'running')) {
        return id;
      }
    }
    return undefined;
  }

  /** Makes `wanted` (top to bottom) the stack: pause, detach, attach, notify, restart (rule A46, S13, S14). */
  *change(
    wanted: readonly ExtensionDefinition[],
    required: Iterable<Guid> = this.#required,
  ): Steps<readonly StackFailure[]> {
    this.#wanted = orderStack(wanted);
    this.#required = new Set(required);
    this.problems.clear();
    // Rule A50: nothing is built that cannot run.
    const isComplete = [...this.#required].every((id) => this.#wanted.some((e) => e.id === id));
    const ordered = isComplete ? this.#wanted : [];
    const failures: StackFailure[] = [];
    const before = this.#ids();
    const leaving = this.#modules.filter(({ definition }) => !ordered.includes(definition));
    yield* this.#pauseAll(leaving);
    for (const module of leaving) yield* this.#detach(module);
    yield* this.#turn();
    this.#arrange(ordered, this.#modules);
    // Rule A47: attach and restart bottom-up.
    for (const definition of [...ordered].reverse()) {
      if (this.#modules.some((module) => module.definition === definition)) continue;
      yield* this.#turn();
      this.#attach(definition, ordered, failures);
    }
    if (this.#isBuilt && this.#ids().join() !== before.join()) this.#notify();
    this.#isBuilt = true;
    yield* this.#restartAll(failures);
    return failures;
  }

  /** Pauses the stack and restarts it as it is (rules A46, A66). */
  *restart(): Steps<readonly StackFailure[]> {
    const failures: StackFailure[] = [];
    yield* this.#pauseAll([]);
    yield* this.#restartAll(failures);
    return failures;
  }

  /** Rule A68: NetEventSwitchActivate, from the bottom up through every module, whatever it is doing. */
  activate(): void {
    for (const module of [...this.#modules].reverse()) this.#event(module, 'switchActivate');
  }

  /** Rule A47: top-down; rule A75: who will be detached is told before. */
  *#pauseAll(leaving: readonly FilterModule[]): Steps<void> {
    for (const module of leaving) this.#event(module, 'filterPreDetach');
    for (const module of this.#modules) {
      yield* this.#turn();
      if (module.state === 'running') yield* this.#life.pause(module);
    }
  }

  #attach(
    definition: ExtensionDefinition,
    ordered: readonly ExtensionDefinition[],
    failures: StackFailure[],
  ): void {
    const module = new FilterModule(definition);
    const error = this.#life.attach(module);
    if (error === undefined) this.#arrange(ordered, [...this.#modules, module]);
    else this.#fail(failures, definition, error);
  }

  /** Rule A47: bottom-up. Rules A49, A50, OP-31: who fails is detached, and with a required one the whole stack. */
  *#restartAll(failures: StackFailure[]): Steps<void> {
    for (const module of [...this.#modules].reverse()) {
      if (failures.some(({ definition }) => this.#required.has(definition.id))) break;
      yield* this.#turnToRestart();
      const error = yield* this.#life.restart(module);
      if (error === undefined) continue;
      this.#fail(failures, module.definition, error);
      yield* this.#detach(module);
    }
    const { missing } = this;
    if (missing !== undefined) yield* this.#takeDown(missing);
  }

  /** A turn; or at once when a module that has not run yet holds an OID, as it may until it has (rule A74). */
  *#turnToRestart(): Steps<void> {
    const turn = drive(this.#turn());
    if (!(turn instanceof Promise)) return;
    const fresh = this.#modules.filter(({ hasRun }) => !hasRun);
    if (fresh.some(({ isHolding }) => isHolding)) return;
    const held = new Promise<void>((resolve) => {
      for (const module of fresh) module.onHeld = resolve;
    });
    yield Promise.race([turn, held]);
    for (const module of fresh) module.onHeld = undefined;
  }

  /** Rule A50: no module stays. */
  *#takeDown(missing: Guid): Steps<void> {
    const modules = this.#modules;
    yield* this.#pauseAll(modules);
    for (const module of modules) yield* this.#detach(module);
    this.#isBuilt = false;
    for (const { id } of this.#wanted) {
      if (this.problems.has(id)) continue;
      this.problems.set(id, `the stack is down: required extension ${missing} does not run (A50)`);
    }
  }

  *#detach(module: FilterModule): Steps<void> {
    yield* this.#life.issuedDone(module);
    yield* this.#turn();
    this.#life.detach(module);
    this.#modules = this.#modules.filter((other) => other !== module);
  }

  #fail(failures: StackFailure[], definition: ExtensionDefinition, error: ExtSwitchError): void {
    failures.push({ definition, error });
    this.problems.set(definition.id, error.message);
  }

  /** Puts modules into the order of their definitions. */
  #arrange(ordered: readonly ExtensionDefinition[], modules: readonly FilterModule[]): void {
    this.#modules = ordered.flatMap((definition) =>
      modules.filter((module) => module.definition === definition),
    );
  }

  /** S13 step 4, S14 step 4: the protocol edge and every module learn that modules came or went. */
  #notify(): void {
    this.#host.environment.stateChange(this.#host.state.name, {
      event: 'netPnPEvent',
      netPnPEvent: 'stackChange',
      stack: this.#ids(),
    });
    for (const module of this.#modules) this.#event(module, 'stackChange');
  }

  #event(module: FilterModule, event: NetPnPEvent['event']): void {
    this.#life.event(module, event, this.#ids());
  }

  #ids(): readonly Guid[] {
    return this.#modules.map(({ id }) => id);
  }
}
