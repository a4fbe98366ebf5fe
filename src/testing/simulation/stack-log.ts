import type { Guid } from '../../core/guid.ts';
import type { NetPnPEvent } from '../../sdk/extension.ts';
import type { SeenSwitch } from './host-look.ts';
import type { Complain } from './trace-checks.ts';

/** The two that keep the log: `top` stands above `middle` in every stack (rule A2). */
export type Place = 'top' | 'middle';
export type LifeEvent = 'attach' | 'restart' | 'pause' | 'detach' | NetPnPEvent['event'];

/** Rules A47, A68: from the bottom up; pausing goes from the top down. */
const BOTTOM_UP: ReadonlySet<LifeEvent> = new Set(['attach', 'restart', 'switchActivate']);
const TOP_DOWN: ReadonlySet<LifeEvent> = new Set(['pause']);

interface Life {
  last: { readonly place: Place; readonly event: LifeEvent } | undefined;
  readonly leaving: Set<Place>;
  /** Ids, top to bottom, as each was told last. */
  readonly told: Map<Place, readonly Guid[]>;
}

/** What the well-behaved modules of a host lived through, switch by switch. */
export class StackLog {
  readonly #complain: Complain;
  readonly #lives = new Map<string, Life>();

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  add(sw: string, place: Place, event: LifeEvent, stack?: readonly Guid[]): void {
    let life = this.#lives.get(sw);
    if (life === undefined) {
      life = { last: undefined, leaving: new Set(), told: new Map() };
      this.#lives.set(sw, life);
    }
    const { last, leaving, told } = life;
    // The same event at both, one right after the other: one sweep through the stack.
    if (last?.event === event && last.place !== place) {
      const isWrong = place === 'middle' ? BOTTOM_UP.has(event) : TOP_DOWN.has(event);
      const rule = event === 'switchActivate' ? 'A68' : 'A47';
      if (isWrong) this.#bad(sw, `${event} went to ${last.place} before ${place} (${rule})`);
    }
    life.last = { place, event };
    if (event === 'filterPreDetach') leaving.add(place);
    if (event === 'restart' && leaving.delete(place)) {
      this.#bad(sw, `${place} was told that it goes, and stays (A75)`);
    }
    if (event === 'detach') {
      leaving.delete(place);
      told.delete(place);
    }
    if (event === 'switchActivate' || event === 'stackChange') told.set(place, stack ?? []);
  }

  /** S13 step 4, S14 step 4: who was told a stack was told the one that management shows. */
  check({ name, stack }: SeenSwitch): void {
    const running = stack.filter(({ running }) => running).map(({ id }) => id);
    for (const [place, told] of this.#lives.get(name)?.told ?? []) {
      // One that did not restart went without a word (rule A49).
      const stayed = told.filter((id) => running.includes(id));
      if (stayed.join() === running.join()) continue;
      this.#bad(name, `${place} was told ${told.join()}, there runs ${running.join()} (S14)`);
    }
  }

  #bad(sw: string, message: string): void {
    this.#complain('stackLife', `switch ${sw}: ${message}`);
  }
}
