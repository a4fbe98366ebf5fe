import { ExtSwitchError } from '../core/errors.ts';
import { type CheckedRule, checkRule } from './fault-check.ts';
import { ArmedRule, type FaultRuleState } from './fault-rule.ts';
import { type PassedPlace, SiteCounter } from './fault-site.ts';
import type {
  FaultRecording,
  FaultRule,
  FaultRuleChange,
  FaultRuleOptions,
  FaultSite,
  OpeningFaults,
} from './faults-api.ts';

const LIMIT = 1_000;

/** Told each place as it is passed. */
type Passed = NonNullable<OpeningFaults['passed']>;

/** What the rules tell the world they are of. */
export interface FaultHost {
  readonly seed: string;
  /** The world can be made to die. */
  readonly mayCrash: boolean;
  /** Whether anybody wants to know of places: nothing is asked otherwise. */
  changed(isActive: boolean): void;
  /** A rule is hit. */
  hit(rule: ArmedRule, place: PassedPlace): void;
  /** The world is to do the act of a rule now. */
  act(rule: ArmedRule, place: PassedPlace): void;
}

/** The rules of one world, the recordings of its places, and what a place that is passed meets. */
export class FaultRules {
  readonly #host: FaultHost;
  /** Never changed while a place walks through it: a change makes another one. */
  #rules: readonly ArmedRule[] = [];
  #recorders: readonly ((place: PassedPlace) => void)[] = [];
  #suspended = 0;
  #order = 0;
  /** Hits of all there were. */
  injected = 0;

  constructor(host: FaultHost) {
    this.#host = host;
  }

  get isActive(): boolean {
    return this.#suspended === 0 && (this.#rules.length > 0 || this.#recorders.length > 0);
  }

  /** The rule that a place met; `undefined`: it goes on as ever. Rules with acts have been done. */
  meet(place: PassedPlace): ArmedRule | undefined {
    for (const record of this.#recorders) record(place);
    let met: ArmedRule | undefined;
    let acts: ArmedRule[] | undefined;
    for (const rule of this.#rules) {
      if (!rule.fits(place) || !rule.meet()) continue;
      const isAct = rule.options.effect === 'act';
      if (met !== undefined && !isAct) continue;
      rule.hit();
      this.injected += 1;
      this.#host.hit(rule, place);
      if (!isAct) met = rule;
      else {
        acts ??= [];
        acts.push(rule);
      }
    }
    for (const rule of acts ?? []) this.#host.act(rule, place);
    return met;
  }

  // --- rules ---------------------------------------------------------------------------------------------------------

  list(): FaultRule[] {
    return this.#rules.map(({ info }) => info);
  }

  find(id: string): ArmedRule {
    const found = this.#rules.find((rule) => rule.id === id);
    if (found !== undefined) return found;
    throw new ExtSwitchError('NOT_FOUND', `there is no fault rule ${JSON.stringify(id)}`, {
      found: id,
    });
  }

  /** All or none. */
  add(given: readonly FaultRuleOptions[]): ArmedRule[] {
    const taken = new Set(this.#rules.map(({ id }) => id));
    const checked = given.map((one, i) => {
      const id: unknown = one?.id;
      const what = `fault rule ${typeof id === 'string' ? JSON.stringify(id) : i + 1}`;
      const rule = checkRule(one, what, this.#host.mayCrash);
      const named = rule.options.id;
      if (named !== undefined) {
        if (taken.has(named)) {
          const place = { member: 'id', found: named };
          throw new ExtSwitchError('ALREADY_EXISTS', `${what} exists already`, place);
        }
        taken.add(named);
      }
      return rule;
    });
    if (this.#rules.length + given.length > LIMIT) {
      const message = `a world has at most ${LIMIT} fault rules, and this one has ${this.#rules.length}: remove some first`;
      throw new ExtSwitchError('FORBIDDEN', message);
    }
    const added = checked.map((rule) => {
      const id = rule.options.id ?? freeId(taken);
      taken.add(id);
      return this.#armed(id, rule);
    });
    this.#set([...this.#rules, ...added]);
    return added;
  }

  /** The rule with other members: what it was. */
  update(id: string, change: FaultRuleChange): CheckedRule {
    const rule = this.find(id);
    const what = `fault rule ${JSON.stringify(id)}`;
    const before = rule.checked;
    if (change.id !== undefined && change.id !== id) {
      const place = { member: 'id', expected: id, found: String(change.id) };
      const message = `${what}: id: expected ${JSON.stringify(id)}, since a rule keeps its id, found ${JSON.stringify(change.id)}`;
      throw new ExtSwitchError('INVALID_ARGUMENT', message, place);
    }
    rule.change(checkRule({ ...before.given, ...change, id }, what, this.#host.mayCrash));
    return before;
  }

  /** Takes these away; all or none. */
  remove(ids: readonly string[]): ArmedRule[] {
    const gone = ids.map((id) => this.find(id));
    this.#set(this.#rules.filter((rule) => !gone.includes(rule)));
    return gone;
  }

  /** Takes away those of these that are there. */
  drop(ids: readonly string[]): void {
    this.#set(this.#rules.filter(({ id }) => !ids.includes(id)));
  }

  /** What was removed is there again, where it was, but for ids that others have now. */
  putBack(gone: readonly ArmedRule[]): void {
    const free = gone.filter(({ id }) => !this.#rules.some((rule) => rule.id === id));
    this.#set([...this.#rules, ...free].sort((a, b) => a.order - b.order));
  }

  #armed(id: string, checked: CheckedRule): ArmedRule {
    this.#order += 1;
    return new ArmedRule(id, this.#order, checked, this.#host.seed);
  }

  // --- as it was -----------------------------------------------------------------------------------------------------

  get state(): readonly FaultRuleState[] {
    return this.#rules.map(({ state }) => state);
  }

  /** The rules are these, with their counts. */
  goTo(states: readonly FaultRuleState[]): void {
    const rules = states.map((state) => {
      const rule = this.#armed(state.id, state.checked);
      rule.goTo(state);
      return rule;
    });
    this.#set(rules);
  }

  // --- recordings ----------------------------------------------------------------------------------------------------

  record(passed?: Passed): FaultRecording {
    const sites: FaultSite[] = [];
    const counter = new SiteCounter();
    const recorder = (place: PassedPlace): void => {
      const site = counter.count(place);
      if (passed === undefined) sites.push(site);
      else passed(site, place.classId?.());
    };
    this.#recorders = [...this.#recorders, recorder];
    this.#changed();
    return {
      sites,
      stop: () => {
        this.#recorders = this.#recorders.filter((one) => one !== recorder);
        this.#changed();
      },
    };
  }

  /** Nothing is met, matched or recorded until `work` has ended. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    this.#suspended += 1;
    this.#changed();
    try {
      return await work();
    } finally {
      this.#suspended -= 1;
      this.#changed();
    }
  }

  #set(rules: readonly ArmedRule[]): void {
    this.#rules = rules;
    this.#changed();
  }

  #changed(): void {
    this.#host.changed(this.isActive);
  }
}

function freeId(taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const id = `fault-${number}`;
    if (!taken.has(id)) return id;
  }
}
