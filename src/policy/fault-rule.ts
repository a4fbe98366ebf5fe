import { Rng, type RngPosition } from '../core/rng.ts';
import type { NdisStatus } from '../core/status.ts';
import { type CheckedRule, isOfEdge } from './fault-check.ts';
import type { PassedPlace } from './fault-site.ts';
import { type FaultRule, MINIPORT_EDGE } from './faults-api.ts';

/** All there is to know of a rule, to make it again. */
export interface FaultRuleState {
  readonly id: string;
  readonly checked: CheckedRule;
  readonly matched: number;
  readonly hits: number;
  readonly drawn: RngPosition;
}

/** A rule in force, counting. */
export class ArmedRule {
  readonly id: string;
  /** Rules are met in this order. */
  readonly order: number;
  #checked: CheckedRule;
  #matched = 0;
  #hits = 0;
  /** Its own: what another rule draws, or the world, changes nothing here. */
  readonly #rng: Rng;

  constructor(id: string, order: number, checked: CheckedRule, seed: string) {
    this.id = id;
    this.order = order;
    this.#checked = checked;
    this.#rng = new Rng(`${seed}/fault/${id}`);
  }

  get options(): CheckedRule['options'] {
    return this.#checked.options;
  }
  get status(): NdisStatus {
    return this.#checked.status;
  }
  get hits(): number {
    return this.#hits;
  }

  get info(): FaultRule {
    return { ...this.options, id: this.id, matched: this.#matched, hits: this.#hits };
  }

  get checked(): CheckedRule {
    return this.#checked;
  }

  /** Other members, same counts. */
  change(checked: CheckedRule): void {
    this.#checked = checked;
  }

  get state(): FaultRuleState {
    return {
      id: this.id,
      checked: this.#checked,
      matched: this.#matched,
      hits: this.#hits,
      drawn: this.#rng.position,
    };
  }

  /** Goes on from there. */
  goTo({ matched, hits, drawn }: FaultRuleState): void {
    this.#matched = matched;
    this.#hits = hits;
    this.#rng.goTo(drawn);
  }

  fits(place: PassedPlace): boolean {
    const { options } = this;
    if (options.at !== place.at) return false;
    switch (options.at) {
      case 'oid':
        if (place.extension === MINIPORT_EDGE && !isOfEdge(options)) return false;
        return this.#fitsModule(place) && fits(options.requestType, place.requestType);
      case 'call':
        return this.#fitsModule(place) && fits(options.call, place.call);
      case 'store':
        return isOfSwitch(options, place);
      case 'message':
        return fits(options.message, place.message) && fits(options.to, place.to);
    }
  }

  #fitsModule(place: PassedPlace): boolean {
    const { oid, portId, extension, switch: sw, act } = this.options;
    if (oid !== undefined && oid !== place.oid) return false;
    if (sw !== undefined && sw !== place.switch) return false;
    if (portId !== undefined && portId !== place.portId) return false;
    // There is no port that could be torn down.
    if (act === 'teardownPort' && place.portId === undefined) return false;
    if (extension === undefined || extension === place.extensionName) return true;
    return extension.toLowerCase() === place.extension?.toLowerCase();
  }

  /** Counts a match; whether it is one that is hit. */
  meet(): boolean {
    this.#matched += 1;
    const { nth, times, probability } = this.options;
    if (this.#matched < nth || (times !== undefined && this.#hits >= times)) return false;
    return probability >= 1 || this.#rng.float() < probability;
  }

  hit(): void {
    this.#hits += 1;
  }
}

/** A write may be about several switches. An act names the one it is done to. */
function isOfSwitch(options: CheckedRule['options'], place: PassedPlace): boolean {
  const { effect, switch: wanted } = options;
  if (effect === 'act' || wanted === undefined) return true;
  return place.switches?.includes(wanted) === true;
}

function fits<T>(wanted: T | undefined, found: T | undefined): boolean {
  return wanted === undefined || wanted === found;
}
