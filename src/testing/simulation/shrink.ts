import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { Breach } from './breach.ts';
import { play } from './play.ts';
import type { Change, Faults, History, Setting, Step } from './step.ts';
import type { MofText } from './user-classes.ts';

export interface Shrunk {
  readonly history: History;
  readonly breach: Breach;
  /** Histories that were played to find it. */
  readonly tries: number;
}

export interface ShrinkOptions {
  /** Histories played at most, default 2,000. */
  readonly limit?: number;
  /** Of whoever simulates, in every world. */
  readonly extensions?: readonly ExtensionDefinition[];
  readonly mofs?: readonly MofText[];
  readonly onProgress?: (steps: number, tries: number) => void;
}

/**
 * The shortest history found that still breaks the same invariant: first fewer steps (delta debugging), then fewer hosts, faults
 * and parts of steps, then simpler values, until nothing more can go.
 */
export async function shrink(
  history: History,
  breach: Breach,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const run = new Shrinking(history, breach, options);
  await run.fewerSteps();
  while ((await run.simplerSteps()) || (await run.simplerSetting())) await run.fewerSteps();
  const { best, found, tries } = run;
  return { history: best, breach: found, tries };
}

class Shrinking {
  best: History;
  found: Breach;
  tries = 0;
  readonly #limit: number;
  readonly #world: Pick<ShrinkOptions, 'extensions' | 'mofs'>;
  readonly #onProgress: NonNullable<ShrinkOptions['onProgress']>;

  constructor(
    history: History,
    breach: Breach,
    { limit = 2000, extensions = [], mofs = [], onProgress }: ShrinkOptions,
  ) {
    this.best = history;
    this.found = breach;
    this.#limit = limit;
    this.#world = { extensions, mofs };
    this.#onProgress = onProgress ?? (() => undefined);
  }

  /** Takes the history if it breaks the same invariant. */
  async #take(history: History): Promise<boolean> {
    if (this.tries >= this.#limit) return false;
    this.tries += 1;
    const { breach } = await play(history, this.#world);
    if (breach?.invariant !== this.found.invariant) return false;
    this.best = history;
    this.found = breach;
    this.#onProgress(history.steps.length, this.tries);
    return true;
  }

  #takeSteps(steps: readonly Step[]): Promise<boolean> {
    return this.#take({ ...this.best, steps });
  }

  /** Leaves out runs of steps: halves, quarters, down to single ones. */
  async fewerSteps(): Promise<void> {
    // What came after the breach had no part in it.
    const upTo = this.found.step + 1;
    if (upTo < this.best.steps.length) await this.#takeSteps(this.best.steps.slice(0, upTo));
    let size = Math.ceil(this.best.steps.length / 2);
    while (size >= 1) {
      let isShorter = false;
      for (let at = this.best.steps.length - size; at > -size; at -= size) {
        const from = Math.max(0, at);
        const { steps } = this.best;
        const fewer = [...steps.slice(0, from), ...steps.slice(at + size)];
        if (fewer.length < steps.length && (await this.#takeSteps(fewer))) isShorter = true;
      }
      if (!isShorter || size > 1) size = size > 1 ? Math.ceil(size / 2) : 0;
    }
  }

  /** Whether anything became simpler. */
  async simplerSteps(): Promise<boolean> {
    let isSimpler = false;
    for (let at = 0; at < this.best.steps.length; at += 1) {
      for (let again = true; again; ) {
        again = false;
        const step = this.best.steps[at];
        if (step === undefined) break;
        for (const instead of simpler(step)) {
          const { steps } = this.best;
          if (!(await this.#takeSteps([...steps.slice(0, at), ...instead, ...steps.slice(at + 1)])))
            continue;
          isSimpler = true;
          again = true;
          break;
        }
      }
    }
    return isSimpler;
  }

  async simplerSetting(): Promise<boolean> {
    let isSimpler = false;
    const { setting } = this.best;
    const last = setting.hosts.slice(0, -1);
    const tries: Partial<Setting>[] = [
      ...(last.length > 0 ? [{ hosts: last }] : []),
      ...(Object.keys(setting.profiles ?? {}).length === 0 ? [] : [{ profiles: {} }]),
      ...(setting.profile === 'ws2022' ? [] : [{ profile: 'ws2022' } as const]),
      ...(setting.scheduling === 'fifo' ? [] : [{ scheduling: 'fifo' } as const]),
      ...(Object.keys(setting.behaviour).length === 0 ? [] : [{ behaviour: {} }]),
    ];
    const { verifier, ...plain } = setting;
    if (verifier !== undefined && (await this.#take({ ...this.best, setting: plain }))) {
      isSimpler = true;
    }
    for (const part of tries) {
      const next = { ...this.best, setting: { ...this.best.setting, ...part } };
      if (await this.#take(next)) isSimpler = true;
    }
    return isSimpler;
  }
}

/** What may stand in place of a step, simplest first. */
function* simpler(step: Step): Generator<readonly Step[]> {
  const { mischief, rules, ...plain } = step;
  const faults: Faults = {
    ...(mischief === undefined ? {} : { mischief }),
    ...(rules === undefined ? {} : { rules }),
  };
  if (Object.keys(faults).length > 0) yield [plain as Step];
  if (rules !== undefined && rules.length > 1) {
    for (const one of rules) yield [{ ...step, rules: [one] }];
    for (const one of rules) yield [{ ...step, rules: rules.filter((each) => each !== one) }];
  }
  if (mischief !== undefined && rules !== undefined) {
    yield [{ ...plain, mischief } as Step];
    yield [{ ...plain, rules } as Step];
  }
  if (mischief !== undefined && mischief.length > 1) {
    for (const one of mischief) yield [{ ...step, mischief: [one] }];
  }
  if (mischief?.some(({ delayMs }) => delayMs > 0)) {
    yield [{ ...step, mischief: mischief.map((each) => ({ ...each, delayMs: 0 })) }];
  }
  if (plain.do === 'together' || plain.do === 'atomic') {
    yield* simplerGroup({ ...plain, ...faults } as Group);
  }
  // An update has to be told from what it updates.
  const least = plain.do.startsWith('update') ? 2 : 1;
  if ('value' in plain && plain.value > least) yield [{ ...step, value: least } as Step];
  if (plain.do === 'createVm' && plain.adapters.length > 1) {
    yield [{ ...plain, ...faults, adapters: plain.adapters.slice(0, 1) }];
  }
}

type Group = Extract<Step, { do: 'together' | 'atomic' }>;

function* simplerGroup(step: Group): Generator<readonly Step[]> {
  // Its steps one after the other; the faults with the last.
  yield step.steps;
  if (step.do === 'atomic' && step.throws) yield [{ ...step, throws: false }];
  for (const [at] of step.steps.entries()) {
    const steps = step.steps.filter((_, i) => i !== at) as readonly Change[];
    if (steps.length > 0) yield [{ ...step, steps }];
  }
}
