import type { Guid } from '../../core/guid.ts';
import type { FaultRuleOptions, FaultSite, OpeningFaults } from '../../policy/faults-api.ts';
import { ruleAt } from './effects.ts';
import { isCrash, type PassedSite, type PlacedFault, type SweepFault } from './fault.ts';

/** It is this very place: places of one life of a host have numbers. */
function isSame(one: PassedSite, other: PassedSite): boolean {
  const a = one.site;
  const b = other.site;
  return (
    a.nth === b.nth &&
    a.at === b.at &&
    a.oid === b.oid &&
    a.extension === b.extension &&
    a.portId === b.portId &&
    a.requestType === b.requestType &&
    a.switch === b.switch &&
    a.call === b.call &&
    a.message === b.message &&
    a.to === b.to &&
    one.host === other.host &&
    one.life === other.life
  );
}

/** The rules of a chain for one life of a host. */
function rulesFor(
  chain: readonly SweepFault[],
  host: string,
  life: number,
): readonly FaultRuleOptions[] {
  return chain.flatMap((fault, index) => {
    if (fault.effect === 'reorder') return [];
    if (fault.at.host !== host || fault.at.life !== life) return [];
    const { site, write } = fault.at;
    return [{ ...ruleAt(site, write, fault.effect), id: `sweep-${index + 1}` }];
  });
}

/** Writes down what a run passes, over all hosts and their lives. */
export class SiteLog {
  readonly passed: PassedSite[] = [];
  readonly #targets: readonly PlacedFault[];
  readonly #chain: readonly SweepFault[];
  /** How many of the chain's places were passed: what is to happen there has happened. */
  met = 0;
  /** How often a fault has ended a host. */
  deaths = 0;
  /** A place is passed where the extension it is at is to be enabled again in the same instant. */
  onToggle: (host: string, site: FaultSite) => void = () => undefined;
  #change = 0;
  readonly #lives = new Map<string, number>();
  readonly #writes = new Map<string, number>();
  readonly #last = new Map<string, string>();
  /** Hosts that a fault has ended and that nobody has started again. */
  readonly #killed = new Set<string>();
  #isOn = true;

  constructor(chain: readonly SweepFault[]) {
    this.#chain = chain;
    this.#targets = chain.flatMap((fault) => (fault.effect === 'reorder' ? [] : [fault]));
  }

  /** A host is about to be opened: what to open it with. */
  opening(host: string): OpeningFaults {
    const life = (this.#lives.get(host) ?? 0) + 1;
    this.#lives.set(host, life);
    this.#writes.set(host, 0);
    // What the process before it did last says nothing of what this one does first.
    for (const place of this.#last.keys()) {
      if (place.startsWith(`${host}/`)) this.#last.delete(place);
    }
    return {
      rules: rulesFor(this.#chain, host, life),
      passed: (site, classId) => this.#note(host, life, site, classId),
    };
  }

  /** A change is about to be tried; true when a fault is met in it. */
  begins(): boolean {
    this.#change += 1;
    return this.#targets.some(({ at }) => at.change === this.#change);
  }

  /** Number of the change that is under way. */
  get change(): number {
    return this.#change;
  }

  /** Whether a fault has ended this host since the last call. */
  takeDeath(host: string): boolean {
    return this.#killed.delete(host);
  }

  /** A fault has ended a host, and nobody has taken notice. */
  get hasDeath(): boolean {
    return this.#killed.size > 0;
  }

  /** What follows only looks. */
  stop(): void {
    this.#isOn = false;
  }

  /** `look` only looks; what follows it does not. */
  async aside<T>(look: () => Promise<T>): Promise<T> {
    this.#isOn = false;
    try {
      return await look();
    } finally {
      this.#isOn = true;
    }
  }

  #note(host: string, life: number, site: FaultSite, classId: Guid | undefined): void {
    if (!this.#isOn) return;
    const { at, oid, call, message } = site;
    const place = `${host}/${site.switch ?? ''}`;
    const what = oid ?? call ?? message ?? at;
    // The same request at one module after the other is one step.
    const before = this.#last.get(place) ?? '';
    const [current = '', previous = ''] = before.split('<');
    const after = current === what ? previous : current;
    if (current !== what) this.#last.set(place, `${what}<${current}`);
    const write = (this.#writes.get(host) ?? 0) + (at === 'store' ? 1 : 0);
    this.#writes.set(host, write);
    const passed: PassedSite = { host, life, site, classId, write, change: this.#change, after };
    for (const fault of this.#targets) {
      if (!isSame(fault.at, passed)) continue;
      this.met += 1;
      if (isCrash(fault)) {
        this.#killed.add(host);
        this.deaths += 1;
      }
      if (fault.effect === 'toggleExtension') this.onToggle(host, site);
    }
    this.passed.push(passed);
  }
}
