import type { SwitchObserver } from '../../../switch/observer.ts';
import { ExtSwitchError, isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, FeatureInfo } from '../../policy/api.ts';
import type { FaultSite } from '../../policy/faults-api.ts';
import type { Verifier } from '../../verifier/verifier.ts';
import type { Outcome } from '../life-cycles/run-life-cycle.ts';
import { type StageTrial, WITNESSES } from '../life-cycles/stage.ts';
import type { StageDisk } from '../life-cycles/stage-disk.ts';
import type { StateLines } from '../simulation/state-lines.ts';
import { type AttemptJudge, attempted } from './attempts.ts';
import { type Breach, isOurDefect, messageOf } from './breach.ts';
import { Course } from './course.ts';
import { isLoosening, type SweepFault } from './fault.ts';
import { HostWatch } from './host-watch.ts';
import { playedWorld } from './retrying-world.ts';
import { SiteLog } from './site-log.ts';
import { firstDifference, stateOf, withoutIds } from './world-state.ts';

/** A stage has one host. */
export const HOST = '';
/** A change of who is in the stack. */
const CHANGES_STACK = /\.extensions\.change\(/;
/** What a stage says of an act that never ended. */
const ENDLESS = /did not end within|is still in flight/;

/** What the run of a stage without a fault came to. */
export interface StageReference {
  /** Changes that are refused without a fault: what they are, and the how many-th of these. */
  readonly refused: ReadonlySet<string>;
  readonly course: Course;
}

/** A fault has ended the process of the stage's host. */
export interface StageDeath {
  readonly disk: StageDisk;
  /** The change it was in, if it was alone. */
  readonly change: ReturnType<Course['change']>;
  title: string | undefined;
  /** Whoever asked for the change had been told that it is done. */
  isAcknowledged: boolean;
  /** The world that is watched is the dead one. */
  isOver: boolean;
}

/** One run of a stage, with faults in it; what it passes and what it breaks is written down. */
export class StageRun {
  readonly log: SiteLog;
  readonly breaches: Breach[] = [];
  /** Changes that were refused: what they are, and the how many-th of these. */
  readonly refused = new Set<string>();
  readonly trial: StageTrial;
  /** Classes there were. */
  featureInfos: readonly FeatureInfo[] = [];
  readonly #worlds: { readonly watch: HostWatch; fabric?: FabricInterface }[] = [];
  readonly #isLoose: boolean;
  readonly #alone: StageReference | undefined;
  /** Written down in the run without a fault. */
  readonly course = new Course();
  /** What a fault has left of the host when it ended its process. */
  death: StageDeath | undefined;
  readonly chain: readonly SweepFault[];
  #hasDiverged = false;
  /** What has begun and not ended, each in its words. */
  readonly #underWay = new Set<{ readonly title: string }>();
  readonly #asked = new Map<string, number>();
  readonly #toEnable: FaultSite[] = [];
  /** Changes that have begun so far. */
  #begun = 0;

  /** `alone`: what the run without a fault came to; `undefined`: this is it. */
  constructor(chain: readonly SweepFault[], alone: StageReference | undefined) {
    this.log = new SiteLog(chain);
    this.log.onToggle = (_host, site) => this.#enableSoon(site);
    this.chain = chain;
    this.#isLoose = chain.some(isLoosening);
    this.#alone = alone;
    this.trial = {
      faults: (disk) => {
        this.#worlds.push({
          watch: new HostWatch(chain, (breach) => this.found(breach)),
        });
        return { ...this.log.opening(HOST), crash: () => this.#dies(disk) };
      },
      shown: (fabric) => {
        const world = this.#worlds.at(-1);
        if (world !== undefined) world.fabric = fabric;
        for (const site of this.#toEnable.splice(0)) this.#enableSoon(site);
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
    // Of a stage whose host has died nothing more can be expected.
    if (this.death !== undefined) return;
    for (const { message, rule } of outcome?.failures ?? []) {
      if (told.has(message)) continue;
      const isEndless = ENDLESS.test(message);
      // Without a fault everything counts: it is what later runs are compared with.
      if (isSilent && !isEndless && this.#alone !== undefined) continue;
      const invariant = isEndless ? 'ends' : 'stage';
      this.breaches.push({ invariant, rule, severity: 'error', message });
    }
  }

  /** Stages do with witnesses what no extension does; what they break is not what is looked for. */
  found(breach: Breach): void {
    // What a process does that was killed reaches nobody.
    if (this.death?.isOver === true) return;
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
    if (this.death !== undefined) throw new ExtSwitchError('STORE_UNAVAILABLE', 'the host died');
    const alone = this.#alone;
    // A stage has some things refused and then done in the same words.
    const words = withoutIds(title);
    const nth = (this.#asked.get(words) ?? 0) + 1;
    this.#asked.set(words, nth);
    const name = `${words}#${nth}`;
    const own = { title };
    this.#underWay.add(own);
    this.#begun += 1;
    const judge = this.#judgeOf();
    const before = alone === undefined ? judge.state() : undefined;
    const begun = this.#begun;
    try {
      if (alone !== undefined && !alone.refused.has(name)) {
        const given = await attempted(title, once, judge);
        this.#wasIn(title, true);
        return given;
      }
      this.log.begins();
      const number = this.log.change;
      const given = await once();
      this.#look();
      if (before !== undefined && this.#begun === begun) {
        this.course.begins(number, before as StateLines);
        this.course.ends(number, (judge.state() ?? before) as StateLines);
      }
      return given;
    } catch (error) {
      this.#wasIn(title, false);
      this.refused.add(name);
      throw error;
    } finally {
      this.#underWay.delete(own);
      // While the world is open: who refuses to run is not to be seen later.
      if (this.log.met > 0) this.#gather();
    }
  }

  /** A change has ended; if the host has died, in this one. */
  #wasIn(title: string, isAcknowledged: boolean): void {
    if (this.death?.title !== undefined || this.death === undefined) return;
    this.death.title = title;
    this.death.isAcknowledged = isAcknowledged;
  }

  #look(): void {
    const fabric = this.#worlds.at(-1)?.fabric;
    if (fabric !== undefined) this.featureInfos = [...fabric.features.list()];
  }

  /** The process of the host is killed: nothing more reaches its disk. */
  #dies(disk: StageDisk): void {
    disk.kill();
    this.#gather();
    const isAlone = this.#underWay.size === 1 && this.chain.length === 1;
    const change = isAlone ? this.#alone?.course.change(this.log.change) : undefined;
    this.death = { disk, change, title: undefined, isAcknowledged: false, isOver: true };
  }

  /** In the instant in which a fault disables it. */
  #enableSoon(site: FaultSite): void {
    const { switch: name, extension } = site;
    if (name === undefined || extension === undefined) return;
    queueMicrotask(() => {
      const fabric = this.#worlds.at(-1)?.fabric;
      // Disabled while the world is being opened: as soon as there is somebody to ask.
      if (fabric === undefined) this.#toEnable.push(site);
      if (![...(fabric?.switches.list() ?? [])].some((each) => each.name === name)) return;
      // Rule A37: it is as whoever changed it last wants it, and that is the stage.
      if ([...this.#underWay].some(({ title }) => CHANGES_STACK.test(title))) return;
      const extensions = fabric?.switches.get(name).extensions;
      // What comes of it the stage sees.
      extensions?.change(extension, { enabled: true }).catch(() => undefined);
    });
  }

  #judgeOf(): AttemptJudge {
    let begunBefore = 0;
    const begunAt = this.#begun;
    const wasAlone = this.#underWay.size === 1;
    const state = (): StateLines | undefined => {
      const fabric = this.#worlds.at(-1)?.fabric;
      // With others under way, nobody can say who changed what.
      if (fabric === undefined || this.#underWay.size > 1) return undefined;
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
      hasDied: () => this.death !== undefined,
      hasDiverged: () => this.#hasDiverged,
      // Nothing is asked of a stage once its host has died.
      isForgetful: () => false,
      isAlone: () => wasAlone && this.#begun === begunAt,
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
      // A stage asks for statuses itself.
      stale: async () => undefined,
      complain: (breach) => void this.breaches.push(breach),
    };
  }
}
