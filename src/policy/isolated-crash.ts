import type { CrashAnswer, Isolation, IsolationCrash } from '../isolation/isolation.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { FabricInterface, FabricOptions } from './api.ts';

/** Restarts of one extension in one span of wall milliseconds; one more and it is disabled. */
const RESTARTS = 5;
const SPAN_MS = 60_000;

type Log = NonNullable<FabricOptions['log']>;

/**
 * What follows when an isolated extension has crashed: a finding (rule D6) on every switch it runs on, and it is restarted there
 * by an ordinary change of the stack, so that it catches up (rule J11), or disabled. An extension that crashes again and again is
 * disabled in the end.
 */
export class IsolatedCrashes {
  readonly #fabric: FabricInterface;
  readonly #isolation: Isolation;
  readonly #log: Log;
  readonly #restarts = new Map<string, number[]>();
  /** Being restarted; true: it crashed again meanwhile. */
  readonly #busy = new Map<string, boolean>();

  constructor(fabric: FabricInterface, isolation: Isolation, log: Log) {
    this.#fabric = fabric;
    this.#isolation = isolation;
    this.#log = log;
    isolation.onCrashes((crash) => this.#crashed(crash));
  }

  #crashed({ definition, isEnded, message }: IsolationCrash): void {
    const { id, name } = definition;
    this.#log('error', message, { extension: id });
    const switches = this.#report(definition, message);
    const { onCrash } = this.#isolation;
    if (onCrash === 'report') return;
    if (this.#busy.has(id)) {
      if (isEnded) this.#busy.set(id, true);
      return;
    }
    if (switches.length === 0) return;
    this.#busy.set(id, false);
    this.#answer(definition, switches, onCrash)
      .catch((error: unknown) => this.#log('error', `${name}: ${String(error)}`, { extension: id }))
      .finally(() => this.#again(definition));
  }

  /** It crashed while it was being restarted: on what it runs now, that is still to be answered. */
  #again(definition: ExtensionDefinition): void {
    const isCrashed = this.#busy.get(definition.id) === true;
    this.#busy.delete(definition.id);
    if (!isCrashed) return;
    const message = `${definition.name} ended again while it was restarted`;
    this.#crashed({ definition, isEnded: true, message });
  }

  /** None in a world that is closed or has lost its lease. */
  #report({ id }: ExtensionDefinition, message: string): readonly string[] {
    try {
      return this.#fabric.extensions.failed(id, message);
    } catch {
      return [];
    }
  }

  async #answer(
    definition: ExtensionDefinition,
    switches: readonly string[],
    answer: CrashAnswer,
  ): Promise<void> {
    const { id, name } = definition;
    const isTooOften = answer === 'restart' && this.#countOf(id) > RESTARTS;
    if (isTooOften) {
      const often = `crashed more than ${RESTARTS} times within ${SPAN_MS / 1_000} s`;
      this.#report(definition, `${name} ${often} and is disabled`);
    }
    const left: string[] = [];
    for (const sw of switches) if (await this.#change(definition, sw, false)) left.push(sw);
    if (answer === 'disable' || isTooOften) return;
    await this.#isolation.prepare(definition);
    this.#isolation.restarted(definition);
    for (const sw of left) await this.#change(definition, sw, true);
  }

  /** How often it has been restarted lately, with this time. */
  #countOf(id: string): number {
    const now = performance.now();
    const lately = (this.#restarts.get(id) ?? []).filter((at) => now - at < SPAN_MS);
    lately.push(now);
    this.#restarts.set(id, lately.slice(-RESTARTS - 1));
    return lately.length;
  }

  /** False when it could not be done: the switch may be gone. */
  async #change(definition: ExtensionDefinition, sw: string, enabled: boolean): Promise<boolean> {
    const { id, name } = definition;
    const done = enabled ? 'was attached anew' : 'was detached';
    try {
      await this.#fabric.switches.get(sw).extensions.change(id, { enabled });
      this.#log('warn', `${name} ${done}`, { extension: id, switch: sw });
      return true;
    } catch (error) {
      const message = `${name} could not be ${enabled ? 'attached anew' : 'detached'}: ${String(error)}`;
      this.#log('error', message, { extension: id, switch: sw });
      return false;
    }
  }
}
