import { isExtSwitchError } from '../../core/errors.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import type { FabricInterface } from '../../policy/api.ts';
import type { Breach } from './breach.ts';
import { type Act, actOf } from './change.ts';
import { allEmptied } from './emptying.ts';
import { HostLives, type SimulationOptions } from './host-lives.ts';
import { owingFarewell } from './migration-leftovers.ts';
import { type MomentStep, Moments, resetOf } from './moments.ts';
import type { Outcome } from './patience.ts';
import type { SimulatedHost } from './simulated-host.ts';
import { vmLine } from './state-lines.ts';
import type { Atomic, Change, Move, Result, Setting, Step } from './step.ts';
import { PORT_CLASS } from './well-behaved.ts';
import type { Verdict } from './world-checks.ts';
import { hasVm, isMoving, lostOf, shaken, shakeOf } from './world-ways.ts';

/** Longer than any rule delays. */
const LONGEST_DELAY_MS = 20_000;
const onPurpose = new Error('on purpose');

/** A world of several hosts that is taken from step to step, and looked at after each. */
export class Simulation {
  readonly #lives: HostLives;
  readonly #moments = new Moments();
  /** VMs that a person has decided about while a host was away. */
  readonly #ruled = new Set<string>();
  /** Changes asked for, of which some were refused and some had nothing to work on. */
  readonly changes = { done: 0, refused: 0, skipped: 0, unknown: 0 };
  /** What each step came to. */
  readonly results: Result[] = [];

  constructor(setting: Setting, options: SimulationOptions = {}) {
    this.#lives = new HostLives(setting, options);
  }

  /** Those that are there. */
  get hosts(): SimulatedHost[] {
    return this.#lives.present;
  }

  /** Names of those that have died and stay away. */
  get away(): string[] {
    return this.#lives.away;
  }

  /** Of whoever simulates: policies of these are drawn too. */
  get classes(): readonly FeatureClass[] {
    return this.#lives.classes;
  }

  /** The first thing that did not hold. */
  get breach(): Breach | undefined {
    return this.#lives.breach;
  }

  /** OID requests that completed. */
  get requests(): number {
    return this.#lives.requests;
  }

  /** Hand-overs of them to a module. */
  get visits(): number {
    return this.#lives.visits;
  }

  /** SHA-256 of the trace so far. */
  digest(): string {
    return this.#lives.digest();
  }

  open(): Promise<void> {
    return this.#lives.open();
  }

  async play(step: Step): Promise<void> {
    const lives = this.#lives;
    lives.step += 1;
    lives.note(`step ${JSON.stringify(step)}`);
    this.#arm(step);
    lives.checks.begin();
    let verdict = shaken(await this.#perform(step), step.rules);
    if (step.rules?.some(({ effect }) => effect === 'delay')) await lives.pass(LONGEST_DELAY_MS);
    this.results.push(verdict.result);
    this.#arm({ do: 'wait', ms: 0 });
    if (lives.breach !== undefined) return;
    if (step.staysAway === true) verdict = await lives.buryDead(verdict);
    await lives.reopenDead();
    lives.gather();
    if (!lives.isChecked || this.breach !== undefined) return;
    lives.checkQuiet();
    lives.checks.afterStep(verdict, lives.step);
    if (lives.checks.isDiskTurn(lives.step)) await lives.checks.disks();
  }

  /** The last look: disks, traces, and that everything can be taken away. */
  async close(): Promise<void> {
    const lives = this.#lives;
    for (const name of lives.away) {
      if (this.breach !== undefined) break;
      const verdict = await this.#comeBack(name);
      lives.gather();
      if (this.breach === undefined && lives.isChecked) lives.checks.afterStep(verdict, lives.step);
    }
    if (this.breach === undefined && lives.isChecked) {
      await lives.passAll();
      lives.gather();
      lives.checks.atEnd();
      await lives.checks.disks();
      if (this.breach === undefined) await this.#empty();
    }
    await lives.close();
  }

  // --- steps ---------------------------------------------------------------------------------------------------------

  #arm(step: Step): void {
    this.#lives.mischief.arm(step.mischief);
    for (const { isOpen, fabric } of this.hosts) if (isOpen) fabric.faults.clear();
    for (const { host: name, ...rule } of step.rules ?? []) {
      const host = this.#lives.find(name);
      if (host === undefined) continue;
      host.fabric.faults.add(rule);
      // What was not written leaves no word of what it was to be.
      if (rule.at === 'store') host.look.touchAll();
    }
  }

  async #perform(step: Step): Promise<Verdict> {
    switch (step.do) {
      case 'wait':
        await this.#lives.pass(step.ms);
        return { result: 'done', acts: [] };
      case 'takeSnapshot':
      case 'forkSnapshot':
      case 'restoreSnapshot':
      case 'resetHost':
        return this.#goBack(step);
      case 'crashHost':
        if (step.staysAway === true && this.hosts.length > 1) {
          this.#lives.find(step.host)?.store.kill();
          return { result: 'done', acts: [] };
        }
        await this.#lives.restart(step.host, true);
        return { result: 'done', acts: [] };
      case 'restartHost':
        await this.#lives.restart(step.host, false, step.withoutGuest);
        return { result: 'done', acts: step.withoutGuest === true ? [shakeOf(step.host)] : [] };
      case 'hostComesBack':
        return this.#comeBack(step.host);
      case 'migrate':
        return this.#migrate(step);
      case 'together':
        return this.#together(step.steps);
      case 'atomic':
        return this.#atomic(step);
      default:
        return this.#alone(step);
    }
  }

  async #alone(change: Change): Promise<Verdict> {
    const act = actOf(change, this.#lives.places());
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const world = this.#lives.named(act.host).fabric;
    const outcome = await this.#lives.settle(this.#lives.planted.asked(act, world));
    const result = this.#resultOf(outcome, [act.host]);
    if (change.do === 'settleMigration') this.#ruled.add(change.vm);
    if ((change.do === 'vm' && change.verb === 'delete') || change.do === 'discardKept') {
      this.#ruled.delete(change.vm);
    }
    return this.#count({ result, acts: [act] });
  }

  /** Snapshots, and the way back to nothing. */
  async #goBack(step: MomentStep | Extract<Step, { do: 'resetHost' }>): Promise<Verdict> {
    const host = this.#lives.find(step.host);
    // What nobody has decided of a VM yet is not to be forgotten.
    const isLate = step.do === 'resetHost' && (this.away.length > 0 || isMoving(this.hosts));
    const act =
      host === undefined || isLate
        ? undefined
        : step.do === 'resetHost'
          ? resetOf(host)
          : this.#moments.actOf(step, host, this.#lives.checks.lossy.has(host.name));
    if (act === undefined || host === undefined) {
      return this.#count({ result: 'skipped', acts: [] });
    }
    this.#lives.checkTrace(host.name);
    const outcome = await this.#lives.settle(act.run(host.fabric));
    const result = this.#resultOf(outcome, [host.name]);
    if (result === 'done' && (step.do === 'restoreSnapshot' || step.do === 'resetHost')) {
      // Its trace begins anew; the world is what its disk says.
      this.#lives.beginTrace(host);
      this.#lives.checks.reopened(host.name);
    }
    return this.#count({ result, acts: [act] });
  }

  async #together(steps: readonly (Change | Move | Atomic)[]): Promise<Verdict> {
    const acts = steps.flatMap((step) => this.#actOf(step) ?? []);
    // Which version of a class a VM meets where it comes to hangs on who is first.
    const rises = steps.some(
      (each) =>
        each.do === 'registerClasses' ||
        (each.do === 'atomic' && each.steps.some((inside) => inside.do === 'registerClasses')),
    );
    const moved = steps.flatMap((step) => (step.do === 'migrate' ? [`policy/${step.vm}/`] : []));
    const upgraded: Act[] =
      rises && acts.length > 0 ? [{ ...shakeOf(''), touches: moved, shakesVms: false }] : [];
    if (acts.length === 0) return this.#count({ result: 'skipped', acts });
    const all = acts.map((act) =>
      this.#lives.planted.asked(act, this.#lives.named(act.host).fabric).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    // A host that died tells nobody how its migrations ended.
    const ended = Promise.race([
      Promise.all(all),
      this.#lives.death(this.hosts.map(({ name }) => name)),
    ]);
    const outcome = await this.#lives.settle(ended);
    if (outcome !== undefined && 'value' in outcome && Array.isArray(outcome.value)) {
      for (const each of outcome.value) {
        this.#resultOf(each ?? { value: undefined }, []);
      }
    }
    // What each came to depends on the others.
    return this.#count({ result: 'unknown', acts: [...acts, ...upgraded] });
  }

  #actOf(step: Change | Move | Atomic): Act | undefined {
    if (step.do === 'migrate') return this.#moveOf(step);
    if (step.do === 'atomic') return this.#wholeOf(step).act;
    return actOf(step, this.#lives.places());
  }

  async #atomic(step: Atomic): Promise<Verdict> {
    const { host } = step;
    const { act, inside } = this.#wholeOf(step);
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const outcome = await this.#lives.settle(act.run(this.#lives.named(host).fabric));
    const result = this.#resultOf(outcome, [host]);
    // Later changes may have undone the effect of the first.
    return this.#count({ result: result === 'done' ? 'unknown' : result, acts: inside });
  }

  /** Changes as a whole. `inside` has them when they have begun: what each works on hangs on those before it. */
  #wholeOf({ host, throws, steps }: Atomic): { act: Act | undefined; inside: Act[] } {
    const inside: Act[] = [];
    if (this.#lives.find(host) === undefined) return { act: undefined, inside };
    const touches: string[] = [];
    const run = (fabric: FabricInterface): Promise<void> =>
      fabric.atomic(async (world) => {
        for (const step of steps) {
          const act = actOf(step, {
            world: (name) => (name === host ? world : undefined),
            hostOf: (vm) => (hasVm(world, vm) ? host : undefined),
          });
          if (act === undefined) continue;
          inside.push(act);
          touches.push(...act.touches);
          await act.run(world);
        }
        if (throws) throw onPurpose;
      });
    const act: Act = { host, touches, shakesVms: true, run, missing: () => undefined };
    return { act, inside };
  }

  /** Gives `undefined` when there is nothing to move, or nowhere. */
  #moveOf({ vm, to }: Move): Act | undefined {
    const from = this.#lives.places().hostOf(vm);
    if (from === undefined || from === to || !this.#lives.has(to)) return undefined;
    this.#moments.moves(from, to);
    // Values that are upgraded to a newer class take its defaults (decision 0003).
    const [here, there] = [from, to].map((host) => this.#versionOn(host));
    const upgraded = here === there ? [] : [`policy/${vm}/`];
    return {
      host: from,
      touches: [vmLine(vm), ...upgraded],
      run: async (fabric) => {
        const { id } = await fabric.migrations.start({ vm, destination: { host: to } });
        return fabric.migrations.done(id);
      },
      missing: (after) =>
        after.get(vmLine(vm))?.startsWith(`{"host":"${to}"`) ? undefined : `${vm} is not on ${to}`,
    };
  }

  #versionOn(host: string): number | undefined {
    return this.#lives.find(host)?.fabric.features.get(PORT_CLASS).version;
  }

  async #migrate(move: Move): Promise<Verdict> {
    const act = this.#moveOf(move);
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const { to } = move;
    const from = act.host;
    const run = act.run(this.#lives.named(from).fabric) as Promise<{ readonly state: string }>;
    // A host that died tells nobody how its migration ended.
    const ended = Promise.race([run, this.#lives.death([from, to])]);
    const outcome = await this.#lives.settle(ended);
    let result = this.#resultOf(outcome, [from, to]);
    if (outcome !== undefined && 'value' in outcome && result === 'done') {
      if (outcome.value.state !== 'succeeded') result = 'refused';
    }
    if (outcome === undefined) result = 'unknown';
    return this.#count({ result, acts: [act] });
  }

  #resultOf(outcome: Outcome<unknown> | undefined, hosts: readonly string[]): Result {
    if (outcome === undefined) return 'unknown';
    if (this.hosts.some(({ store }) => store.isDead)) return 'unknown';
    if (!('error' in outcome)) return 'done';
    const { error } = outcome;
    if (error === onPurpose) return 'refused';
    const isOurs = isExtSwitchError(error) && error.code !== 'INTERNAL';
    if (!isOurs) this.#lives.bad('errors', `${hosts.join()}: ${String(error)}`);
    this.#lives.note(`refused ${String(error)}`);
    return 'refused';
  }

  #count(verdict: Verdict): Verdict {
    this.changes[verdict.result] += 1;
    this.#lives.note(verdict.result);
    return verdict;
  }

  async #comeBack(name: string): Promise<Verdict> {
    const lives = this.#lives;
    const verdict = await lives.comeBack(name);
    if (verdict === undefined) return this.#count({ result: 'skipped', acts: [] });
    if (this.breach === undefined && lives.away.length === 0) {
      for (const vm of lostOf(this.#ruled, lives.present)) {
        lives.bad('acknowledged', `${vm}, decided about by a person, is nowhere`);
      }
      this.#ruled.clear();
    }
    return this.#count(verdict);
  }

  /** Everything away; nothing may be left. */
  async #empty(): Promise<void> {
    const lives = this.#lives;
    // Decision 0010: a farewell that did not come through is said again when its host starts.
    for (const name of owingFarewell(lives.present)) await lives.restart(name, false);
    if (this.breach !== undefined) return;
    const outcome = await lives.settle(allEmptied(lives.present));
    if (outcome !== undefined && 'error' in outcome) lives.bad('empty', String(outcome.error));
    else for (const what of outcome?.value ?? []) lives.bad('empty', what);
  }
}
