import type { SwitchObserver } from '../../../switch/observer.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import type { Verifier } from '../../verifier/verifier.ts';
import type { Outcome } from '../life-cycles/run-life-cycle.ts';
import { type StageTrial, WITNESSES } from '../life-cycles/stage.ts';
import type { StateLines } from '../simulation/state-lines.ts';
import { type AttemptJudge, attempted } from './attempts.ts';
import { type Breach, isOurDefect, messageOf } from './breach.ts';
import { isLoosening, SiteLog, type SweepFault } from './fault.ts';
import { HostWatch } from './host-watch.ts';
import { playedWorld } from './retrying-world.ts';
import { firstDifference, stateOf } from './world-state.ts';

/** A stage has one host. */
const HOST = '';
/** What a stage says of an act that never ended. */
const ENDLESS = /did not end within|is still in flight/;

/** One run of a stage, with faults in it; what it passes and what it breaks is written down. */
export class StageRun {
  readonly log: SiteLog;
  readonly breaches: Breach[] = [];
  /** Changes that were refused, by what they are. */
  readonly refused = new Set<string>();
  readonly trial: StageTrial;
  readonly #worlds: { readonly watch: HostWatch; fabric?: FabricInterface }[] = [];
  readonly #isLoose: boolean;
  readonly #refusedAlone: ReadonlySet<string> | undefined;
  #hasDiverged = false;
  #underWay = 0;
  /** Changes that have begun so far. */
  #begun = 0;

  /** `refusedAlone`: changes that are refused without a fault. */
  constructor(chain: readonly SweepFault[], refusedAlone: ReadonlySet<string> | undefined) {
    this.log = new SiteLog(chain);
    this.#isLoose = chain.some(isLoosening);
    this.#refusedAlone = refusedAlone;
    this.trial = {
      faults: () => {
        this.#worlds.push({
          watch: new HostWatch(chain, (breach) => this.#found(breach)),
        });
        return this.log.opening(HOST);
      },
      shown: (fabric) => {
        const world = this.#worlds.at(-1);
        if (world !== undefined) world.fabric = fabric;
        return playedWorld(fabric, (path, once) => this.#attempt(path, once));
      },
      attempt: (title, once) => this.#attempt(title, once),
    };
  }

  /** Called while a world is being opened. */
  watching(verifier: Verifier): SwitchObserver {
    return this.#worlds.at(-1)?.watch.watching(verifier) ?? verifier;
  }

  /** What the stage came to; `undefined` when its first world could not be opened. */
  async outcome(run: () => Promise<Outcome>): Promise<Outcome | undefined> {
    try {
      return await run();
    } catch (error) {
      if (!isExtSwitchError(error) || isOurDefect(error)) {
        const message = `the stage ended with ${messageOf(error)}`;
        this.breaches.push({ invariant: 'errors', severity: 'error', message });
      }
      return undefined;
    }
  }

  /** `sendsByHand`: what it expects, it expects of requests that no switch sends. */
  judge(outcome: Outcome | undefined, sendsByHand: boolean): void {
    this.#gather();
    for (const { watch } of this.#worlds) watch.end(sendsByHand);
    const told = new Set(outcome?.findings.map(({ message }) => message));
    const isSilent = sendsByHand || this.#isLoose || this.#hasDiverged || this.#isLossy;
    for (const { message, rule } of outcome?.failures ?? []) {
      if (told.has(message)) continue;
      const isEndless = ENDLESS.test(message);
      // Without a fault everything counts: it is what later runs are compared with.
      if (isSilent && !isEndless && this.#refusedAlone !== undefined) continue;
      const invariant = isEndless ? 'ends' : 'stage';
      this.breaches.push({ invariant, rule, severity: 'error', message });
    }
  }

  /** Stages do with witnesses what no extension does; what they break is not what is looked for. */
  #found(breach: Breach): void {
    if (breach.invariant === 'findings' && WITNESSES.has(breach.extension ?? '')) return;
    this.breaches.push(breach);
  }

  get #isLossy(): boolean {
    return this.#worlds.some(({ watch }) => watch.isLossy);
  }

  #gather(): void {
    for (const { fabric, watch } of this.#worlds) if (fabric !== undefined) watch.gather(fabric);
  }

  async #attempt<T>(title: string, once: () => Promise<T>): Promise<T> {
    const expected = this.#refusedAlone;
    this.#underWay += 1;
    this.#begun += 1;
    try {
      if (expected === undefined || expected.has(title)) {
        this.log.begins();
        return await once();
      }
      return await attempted(title, once, this.#judgeOf());
    } catch (error) {
      this.refused.add(title);
      throw error;
    } finally {
      this.#underWay -= 1;
      // While the world is open: who refuses to run is not to be seen later.
      if (this.log.met > 0) this.#gather();
    }
  }

  #judgeOf(): AttemptJudge {
    let begunBefore = 0;
    const state = (): StateLines | undefined => {
      const fabric = this.#worlds.at(-1)?.fabric;
      // With others under way, nobody can say who changed what.
      if (fabric === undefined || this.#underWay > 1) return undefined;
      return stateOf(new Map([[HOST, fabric]]));
    };
    return {
      isInsisting: false,
      begins: () => this.log.begins(),
      met: () => this.log.met,
      isLoose: () => {
        this.#gather();
        return this.#isLoose || this.#isLossy;
      },
      diverge: () => {
        this.#hasDiverged = true;
      },
      hasDiverged: () => this.#hasDiverged,
      isHolding: () => (this.#worlds.at(-1)?.fabric?.pending() ?? []).length > 0,
      state: () => {
        begunBefore = this.#begun;
        return state();
      },
      difference: (before) => {
        this.#gather();
        // Another one has begun meanwhile, and may have ended.
        if (this.#begun !== begunBefore) return undefined;
        const after = state();
        if (after === undefined || this.#isLossy) return undefined;
        return firstDifference(before as StateLines, after);
      },
      complain: (breach) => void this.breaches.push(breach),
    };
  }
}
