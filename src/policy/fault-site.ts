import type { Guid } from '../core/guid.ts';
import type { FaultMatch, FaultSite } from './faults-api.ts';

/** A place as it is passed: everything a rule could match there. Extensions by id. */
export interface PassedPlace extends FaultMatch {
  /** Name of the extension, for people and for rules that give it. */
  readonly extensionName?: string | undefined;
  /** `store`: every switch that the write is about; `switch` is the first. */
  readonly switches?: readonly string[] | undefined;
  /** Number of the request on its switch. */
  readonly request?: number | undefined;
  /** GUID of the class that the request is about; asked by who records places only. */
  readonly classId?: (() => Guid | undefined) | undefined;
  /** Writes an act of a rule into the trace entry of the request. */
  readonly note?: ((rule: string, act: string) => void) | undefined;
}

const MEMBERS = [
  'extension',
  'oid',
  'requestType',
  'switch',
  'portId',
  'call',
  'message',
  'to',
] as const;

/** Numbers the places of each kind from 1 as they are passed. */
export class SiteCounter {
  readonly #counts = new Map<string, number>();

  count(place: PassedPlace): FaultSite {
    const match = matchOf(place);
    if (place.at === 'store') return { ...match, nth: this.#countWrite(place) };
    // A recorded world passes thousands: member by member is several times as fast as any text of the object.
    let key: string = place.at;
    for (const member of MEMBERS) key += `\n${place[member] ?? ''}`;
    return { ...match, nth: this.#next(key) };
  }

  /** As rules count them: one without a switch matches every write, one with a switch all that are about it. */
  #countWrite({ switch: first, switches = [] }: PassedPlace): number {
    const nth = this.#next('store');
    const of = new Map(switches.map((name) => [name, this.#next(`store\n${name}`)]));
    return of.get(first ?? '') ?? nth;
  }

  #next(key: string): number {
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    return nth;
  }
}

/** What fits this place alone, in an order of members that is always the same. */
export function matchOf(place: PassedPlace): FaultMatch {
  const match: Record<string, unknown> = { at: place.at };
  for (const member of MEMBERS) {
    const value = place[member];
    if (value !== undefined) match[member] = value;
  }
  return match as unknown as FaultMatch;
}
