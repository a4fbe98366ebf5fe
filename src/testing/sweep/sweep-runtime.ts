import type { PolicyLedger } from '../../scenario/policies.ts';
import { type RunState, Runtime } from '../../scenario/runtime.ts';
import type { Step } from '../../scenario/step.ts';

/** Plays one step that does one thing; `isAlone`: nothing else is under way. */
export type StepPlayer = (step: Step, runtime: Runtime, isAlone: boolean) => Promise<void>;

/** What steps work with when each of them, also those inside of blocks, is played by the sweep. */
export class SweepRuntime extends Runtime {
  readonly #player: StepPlayer;
  readonly #isAlone: boolean;

  constructor(
    state: RunState,
    policies: PolicyLedger,
    player: StepPlayer,
    { depth = 0, isAlone = true }: { readonly depth?: number; readonly isAlone?: boolean } = {},
  ) {
    super(state, policies, depth);
    this.#player = player;
    this.#isAlone = isAlone;
  }

  override inside(policies = this.policies): Runtime {
    return new SweepRuntime(this.state, policies, this.#player, {
      depth: this.depth + 1,
      isAlone: this.#isAlone,
    });
  }

  /** What only looks was written for the run without a fault. */
  override async play(step: Step): Promise<void> {
    if (step.looksOnly) return;
    if (!step.isBlock) return this.#player(step, this, this.#isAlone);
    const isParallel = step.verb === 'parallel';
    const runtime = isParallel
      ? new SweepRuntime(this.state, this.policies, this.#player, {
          depth: this.depth,
          isAlone: false,
        })
      : this;
    await step.run(runtime);
  }
}
