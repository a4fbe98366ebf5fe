import { VirtualClock } from '../core/clock.ts';
import type { FabricInterface } from '../policy/api.ts';
import { type Ground, LocalGround } from './ground.ts';
import { Host } from './host.ts';
import { Moments } from './moments.ts';
import type { CheckOutcome, ScenarioOutcome, StepOutcome } from './outcome.ts';
import type { Cell } from './plan.ts';
import { copyOf, diffText, Ledger, type PolicySet, policiesOf, policyDiff } from './policies.ts';
import { Recorder } from './recorder.ts';
import { type RunState, Runtime } from './runtime.ts';
import type { Scenario } from './scenario.ts';
import { untilDone } from './time.ts';

export interface PlayOptions {
  /** Called with the title of each step as it begins. */
  readonly onStep?: (title: string) => void;
  /** What the hosts stand on, closed with the run; left out: this process alone. */
  readonly ground?: Ground;
}

/** Plays one scenario on hosts of its own, and says what came of it. Does not throw: what fails is in the outcome. */
export async function playScenario(
  scenario: Scenario,
  cell: Cell,
  options: PlayOptions = {},
): Promise<ScenarioOutcome> {
  const run = new ScenarioRun(scenario, cell, options);
  const outcome = await run.play();
  try {
    await run.close();
  } catch (error) {
    const failure = { in: 'tearDown', message: messageOf(error), line: 0 };
    return outcome.ok ? { ...outcome, ok: false, failure } : outcome;
  }
  return outcome;
}

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #cell: Cell;
  readonly #clock = new VirtualClock(0);
  readonly #recorder: Recorder;
  readonly #ground: Ground;
  readonly #hosts = new Map<string, Host>();
  readonly #state: RunState;
  readonly #begun = performance.now();
  #failure: NonNullable<ScenarioOutcome['failure']> | undefined;

  constructor(scenario: Scenario, cell: Cell, options: PlayOptions) {
    this.#scenario = scenario;
    this.#cell = cell;
    const aliases = [...scenario.extensions].map(([alias, { id }]) => [id, alias] as const);
    this.#recorder = new Recorder(new Map(aliases.reverse()));
    this.#ground = options.ground ?? new LocalGround();
    for (const spec of scenario.hosts) {
      const announce = (host: Host, seq: number): void => this.#recorder.announce(host, seq);
      this.#hosts.set(spec.name, new Host(spec, scenario, this.#clock, this.#ground, announce));
    }
    this.#state = {
      hosts: this.#hosts,
      clock: this.#clock,
      recorder: this.#recorder,
      extensionIds: new Map([...scenario.extensions].map(([alias, { id }]) => [alias, id])),
      properties: new Map(),
      documents: new Map(),
      moments: new Moments(),
      expectedFindings: new Set(),
      lastRestore: undefined,
      lastReport: undefined,
      lastMigration: undefined,
      onStep: options.onStep,
    };
  }

  async play(): Promise<ScenarioOutcome> {
    let before: PolicySet = new Map();
    let after: PolicySet = new Map();
    let wanted: PolicySet = new Map();
    let steps: readonly StepOutcome[] = [];
    const checks: CheckOutcome[] = [];
    try {
      await this.#timed(this.#setUp());
      before = policiesOf(this.#fabrics());
      const ledger = new Ledger(copyOf(before));
      wanted = ledger.wanted;
      steps = await this.#playSteps(new Runtime(this.#state, ledger));
      after = policiesOf(this.#fabrics());
      checks.push(...this.#checks(wanted, after));
    } catch (error) {
      this.#fail('setUp', messageOf(error), 0);
    }
    const { name, description, file, seed, expectFailure } = this.#scenario;
    const { profile, label } = this.#cell;
    const asExpected = this.#judge();
    const failure = this.#failure;
    return {
      name,
      ...(description === undefined ? {} : { description }),
      file,
      cell: label,
      ...(profile === undefined ? {} : { profile }),
      seed,
      ok: failure === undefined,
      ...(asExpected
        ? { failedAsExpected: expectFailure?.because ?? expectFailure?.in ?? '' }
        : {}),
      ...(failure === undefined ? {} : { failure }),
      steps,
      checks,
      policies: { before, after, diff: policyDiff(wanted, after) },
      timeline: this.#recorder.timeline,
      traceEntries: this.#recorder.entries,
      traceSha256: this.#recorder.digest(),
      durationMs: performance.now() - this.#begun,
      virtualMs: this.#clock.now(),
    };
  }

  #fabrics(): Map<string, FabricInterface> {
    return new Map([...this.#hosts].map(([name, { fabric }]) => [name, fabric]));
  }

  #timed<T>(work: Promise<T>): Promise<T> {
    const isBusy = (): boolean =>
      this.#ground.isBusy ||
      this.#state.moments.isBusy ||
      [...this.#hosts.values()].some(({ isWriting }) => isWriting);
    const activity = (): number =>
      [...this.#hosts.values()].reduce((sum, host) => sum + host.activity, 0);
    return untilDone(work, this.#clock, isBusy, activity, () => this.#state.moments.waitsUntilMs);
  }

  /** Hosts with their switches, then the VMs, which are off. */
  async #setUp(): Promise<void> {
    const line = this.#recorder.step('set up', 0, 0);
    line.state = 'failed';
    for (const host of this.#hosts.values()) {
      await host.open();
      await host.setUp();
    }
    for (const { name, host, adapters } of this.#scenario.vms) {
      await this.#hosts.get(host)?.fabric.vms.create({ name, adapters });
    }
    this.#recorder.collect(this.#hosts.values());
    line.state = 'passed';
  }

  async #playSteps(runtime: Runtime): Promise<readonly StepOutcome[]> {
    const outcomes: StepOutcome[] = [];
    const { timeline } = this.#recorder;
    for (const step of this.#scenario.steps) {
      const { verb, title, place } = step;
      const shown = { verb, title, line: place.line, column: place.column };
      if (this.#failure !== undefined) {
        outcomes.push({ ...shown, state: 'notRun' });
        continue;
      }
      const at = timeline.length;
      try {
        await this.#timed(runtime.play(step));
        const line = timeline.slice(at).find((each) => each.kind === 'step');
        const note = line?.kind === 'step' ? line.message : undefined;
        outcomes.push({
          ...shown,
          state: 'passed',
          ...(note === undefined ? {} : { message: note }),
        });
      } catch (error) {
        const message = messageOf(error);
        outcomes.push({ ...shown, state: 'failed', message });
        this.#fail(verb, message, place.line);
      }
    }
    return outcomes;
  }

  #checks(wanted: PolicySet, after: PolicySet): CheckOutcome[] {
    const { noPolicyLost, noFindings } = this.#scenario.invariants;
    const checks: CheckOutcome[] = [];
    if (noPolicyLost) {
      const diff = policyDiff(wanted, after);
      const message = `policies differ from what the steps wanted:\n${diffText(diff)}`;
      checks.push(this.#check('noPolicyLost', diff.length === 0, message));
    }
    if (noFindings) {
      const found = this.#recorder.findings.filter(
        (line) =>
          line.data['severity'] === 'error' &&
          line.data['injected'] !== true &&
          !this.#state.expectedFindings.has(line),
      );
      const texts = found.map(({ host, data }) => `${host}: ${data['rule']} ${data['message']}`);
      checks.push(this.#check('noFindings', found.length === 0, `findings:\n${texts.join('\n')}`));
    }
    return checks;
  }

  #check(name: CheckOutcome['name'], ok: boolean, message: string): CheckOutcome {
    if (!ok) this.#fail(name, message, 0);
    return { name, ok, ...(ok ? {} : { message }) };
  }

  /** The first failure is the one that counts. */
  #fail(where: string, message: string, line: number): void {
    this.#failure ??= { in: where, message, line };
  }

  /** Turns a failure that was expected into a pass, and a pass where one was expected into a failure. */
  #judge(): boolean {
    const expected = this.#scenario.expectFailure;
    if (expected === undefined) return false;
    const found = this.#failure;
    const { line } = expected.place;
    if (found === undefined) {
      this.#fail('expectFailure', `it was expected to fail in ${expected.in}, and passed`, line);
      return false;
    }
    if (found.in !== expected.in || !found.message.includes(expected.message ?? '')) {
      const wanted = `${expected.in}${expected.message === undefined ? '' : ` with ${JSON.stringify(expected.message)}`}`;
      const message = `it was expected to fail in ${wanted}, and failed in ${found.in}: ${found.message}`;
      this.#failure = { in: 'expectFailure', message, line };
      return false;
    }
    this.#failure = undefined;
    return true;
  }

  async close(): Promise<void> {
    for (const host of this.#hosts.values()) await host.close();
    await this.#ground.close();
    await this.#state.moments.close();
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
