import { isExtSwitchError } from '../../core/errors.ts';
import { isOurDefect, messageOf } from './breach.ts';
import type { Complain } from './host-watch.ts';

const TURNS = 3;

/** What an act of a run is judged by. */
export interface AttemptJudge {
  /** Done again when a fault had it refused also in a run that is loose or has diverged. */
  readonly isInsisting: boolean;
  /** A change is about to be tried; true when a fault is to be met in it. */
  begins(): boolean;
  /** How many faults of the run have been met so far. */
  met(): number;
  /** Of the run: a fault may have changed what the scenario is about, so that nothing can be said of its aim. */
  isLoose(): boolean;
  /** A fault has ended the process of a host: whoever asked finds out what there is of it when it is there again. */
  hasDied(): boolean;
  /** The run has left the way of the one without a fault. */
  diverge(): void;
  hasDiverged(): boolean;
  /**
   * A change was done and whoever asked for it did not hear (a host died in it, rules E17, G39): it was asked for again, or what it
   * would have told is missing, so that a later refusal may be right. That it leaves nothing behind is due all the same.
   */
  isForgetful(): boolean;
  /** Nothing else was under way meanwhile: of several at once nobody can say which of them is refused for another one's sake. */
  isAlone(): boolean;
  /** Rule D6: an extension holds a request, as it may, perhaps since a fault has it do so: who asks at once is refused then. */
  isHolding(): boolean;
  /** What has to be the same when it was refused, as text; `undefined`: cannot be said. */
  state(): ReadonlyMap<string, string> | undefined;
  /** The first thing that is not the same. */
  difference(before: ReadonlyMap<string, string>): string | undefined;
  /**
   * Asked right after a refusal, when nothing else can have changed it: the first status that is not what it was before (what an
   * extension keeps of an update that failed shows only until it is done again); `undefined`: none, or it cannot be said.
   */
  stale(): Promise<string | undefined>;
  readonly complain: Complain;
}

/**
 * Does something once more when a fault had it refused: a refusal leaves nothing behind (`refused`), so it has to succeed then, and
 * what comes later too (`again`). Gives what the last attempt gave, or throws what it threw.
 */
export async function attempted<T>(
  title: string,
  once: () => Promise<T>,
  judge: AttemptJudge,
): Promise<T> {
  for (;;) {
    const before = judge.begins() ? judge.state() : undefined;
    const metBefore = judge.met();
    const wasHolding = judge.isHolding();
    try {
      return await once();
    } catch (error) {
      const isHolding = wasHolding || judge.isHolding();
      await quiet();
      const isMet = judge.met() > metBefore;
      // What a dying process says is no answer.
      if (judge.hasDied()) throw error;
      noteError(title, error, judge);
      if (isMet && judge.isInsisting) continue;
      if (judge.isLoose() || judge.hasDiverged()) throw error;
      const isFirst = isMet && metBefore === 0 && !isHolding;
      const changed =
        (before === undefined ? undefined : judge.difference(before)) ??
        (isFirst ? await judge.stale() : undefined);
      if (changed !== undefined) {
        const message = `${title} was refused and has changed ${changed}\n  refused with ${messageOf(error)}`;
        judge.complain({ invariant: 'refused', severity: 'error', message });
      }
      if (isMet && changed === undefined) continue;
      judge.diverge();
      const isItsOwn =
        judge.isAlone() && !isHolding && !judge.isForgetful() && changed === undefined;
      if (!isMet && isItsOwn && judge.met() > 0) noteRefusal(title, error, judge);
      throw error;
    }
  }
}

/** What a refusal leaves to be done is done. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((done) => setImmediate(done));
}

function noteError(title: string, error: unknown, { complain }: AttemptJudge): void {
  if (!isOurDefect(error)) return;
  const message = `${title} ended with ${messageOf(error)}`;
  complain({ invariant: 'errors', severity: 'error', message });
}

/** Nothing was made to fail this time. */
function noteRefusal(title: string, error: unknown, { complain }: AttemptJudge): void {
  if (!isExtSwitchError(error)) return;
  const { extensionId, rule, oid } = error.place;
  complain({
    invariant: 'again',
    rule,
    severity: 'error',
    message: `after the fault, ${title} is refused though nothing fails any more: ${messageOf(error)}`,
    extension: extensionId,
    oid,
  });
}
