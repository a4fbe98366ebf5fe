import type { FaultRuleOptions, FaultSite, OpeningFaults } from '../../policy/faults-api.ts';
import { ruleAt, type SweepEffect } from './effects.ts';

/** A place that a run passed: on which host, in which life of it (a host that starts again counts from 1 again). */
export interface PassedSite {
  readonly host: string;
  /** From 1. */
  readonly life: number;
  readonly site: FaultSite;
  /** The how many-th change of the run was under way, from 1. */
  readonly change: number;
  /** What the switch, or the store, had passed before: tells a place in a roll-back from the same one in a plain course. */
  readonly after: string;
}

/** One thing that is made to happen. */
export type SweepFault =
  | { readonly effect: Exclude<SweepEffect, 'reorder'>; readonly at: PassedSite }
  | { readonly effect: 'reorder'; readonly seed: string };

/** What takes something away that a scenario may be about, and what no extension may do: nothing can be said of its aim then. */
const LOOSENING: ReadonlySet<SweepEffect> = new Set([
  'disableExtension',
  'teardownPort',
  'throw',
  'hang',
  'twice',
]);
export const isLoosening = ({ effect }: SweepFault): boolean => LOOSENING.has(effect);

/** Name of a place for people and for `--only`, e.g. `OID_SWITCH_PORT_CREATE/set@Port-ACL@TestSwitch#1`. */
function siteName(
  { host, life, site }: Pick<PassedSite, 'host' | 'life' | 'site'>,
  called: (extension: string) => string,
): string {
  const { at, extension, oid, requestType, call, message, to, portId, nth } = site;
  const what =
    at === 'oid'
      ? `${oid ?? 'OID'}/${requestType ?? 'set'}`
      : at === 'call'
        ? `${call ?? 'call'}()`
        : at === 'message'
          ? `${message ?? 'message'}>${to ?? ''}`
          : 'store';
  const where = [
    ...(extension === undefined ? [] : [called(extension)]),
    ...(site.switch === undefined ? [] : [site.switch]),
    ...(portId === undefined ? [] : [`port${portId}`]),
    ...(host === '' ? [] : [host]),
    ...(life === 1 ? [] : [`life${life}`]),
  ];
  const words = [what, ...where].map((word) => word.replace(/[^\w.()>/-]+/g, '-'));
  return `${words.join('@')}#${nth}`;
}

/** Name of a fault, e.g. `veto:OID_SWITCH_PORT_CREATE/set@Port-ACL@TestSwitch#1`. */
export function faultName(fault: SweepFault, called: (extension: string) => string): string {
  if (fault.effect === 'reorder') return `reorder:${fault.seed}`;
  return `${fault.effect}:${siteName(fault.at, called)}`;
}

/** Several in one run, the first one first. */
export function chainName(
  chain: readonly SweepFault[],
  called: (extension: string) => string,
): string {
  return chain.map((fault) => faultName(fault, called)).join('+');
}

/**
 * What kind of place it is: the same one met again by the same extension for the same request after the same thing is of the
 * same kind, whatever its number, its port and its time.
 */
export function siteKind({ host, site, after }: PassedSite): string {
  const { at, extension, oid, requestType, call, message, to } = site;
  return [host, at, extension, site.switch, oid, requestType, call, message, to, after].join('|');
}

function siteIdentity(passed: PassedSite): string {
  return siteName(passed, (extension) => extension);
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
    return [{ ...ruleAt(fault.at.site, fault.effect), id: `sweep-${index + 1}` }];
  });
}

/** Writes down what a run passes, over all hosts and their lives. */
export class SiteLog {
  readonly passed: PassedSite[] = [];
  readonly #chain: readonly SweepFault[];
  readonly #targets: ReadonlySet<string>;
  /** How many of the chain's places were passed: what is to happen there has happened. */
  met = 0;
  #change = 0;
  readonly #lives = new Map<string, number>();
  readonly #last = new Map<string, string>();
  #isOn = true;

  constructor(chain: readonly SweepFault[]) {
    this.#chain = chain;
    this.#targets = new Set(
      chain.flatMap((fault) => (fault.effect === 'reorder' ? [] : [siteIdentity(fault.at)])),
    );
  }

  /** A host is about to be opened: what to open it with. */
  opening(host: string): OpeningFaults {
    const life = (this.#lives.get(host) ?? 0) + 1;
    this.#lives.set(host, life);
    return {
      rules: rulesFor(this.#chain, host, life),
      passed: (site) => this.#note(host, life, site),
    };
  }

  /** A change is about to be tried; true when a fault is met in it. */
  begins(): boolean {
    this.#change += 1;
    return this.#chain.some(
      (fault) => fault.effect !== 'reorder' && fault.at.change === this.#change,
    );
  }

  /** What follows only looks. */
  stop(): void {
    this.#isOn = false;
  }

  #note(host: string, life: number, site: FaultSite): void {
    if (!this.#isOn) return;
    const { at, oid, call, message } = site;
    const place = `${host}/${site.switch ?? ''}`;
    const what = oid ?? call ?? message ?? at;
    // The same request at one module after the other is one step.
    const before = this.#last.get(place) ?? '';
    const [current = '', previous = ''] = before.split('<');
    const after = current === what ? previous : current;
    this.#last.set(place, `${what}<${after}`);
    const passed: PassedSite = { host, life, site, change: this.#change, after };
    if (this.#targets.has(siteIdentity(passed))) this.met += 1;
    this.passed.push(passed);
  }
}
