import { macText, parseMac } from '../../switch/parameters.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { macNumber } from './mac-pool.ts';
import { wrongAt } from './portable-shape.ts';
import type { World } from './world.ts';

/** Microsoft's prefix of dynamic addresses. */
const DYNAMIC = '00-15-5d-';

/** The addresses of one import: none may be in a setting or in use here, nor twice in the document. */
export class MacIntake {
  readonly #world: World;
  readonly #isFresh: boolean;
  readonly #notes: string[];
  /** Addresses in settings and on host NICs, by number, with who has them. */
  readonly #taken = new Map<number, string>();

  constructor(world: World, isFresh: boolean, notes: string[]) {
    this.#world = world;
    this.#isFresh = isFresh;
    this.#notes = notes;
    for (const adapter of world.adapters.values()) {
      this.#taken.set(macNumber(adapter.settings.mac), adapter.description);
    }
  }

  /**
   * The address that `text` becomes, for `owner`, who has it from now on. A taken one is refused with `ALREADY_EXISTS` naming who
   * has it; a dynamic one of a copy (fresh ids) is replaced by the next of the pool, which is what dynamic means. What comes of
   * the pool is kept there already: {@link MacPool.keep} the others.
   */
  take(text: string, isDynamic: boolean, owner: string, path: string): IntakeMac {
    const mac = parseMac(text);
    if (mac === undefined) throw wrongAt(path, 'a MAC address', text);
    const holder = this.#holder(mac);
    if (holder === undefined) {
      this.#taken.set(macNumber(mac), owner);
      return { mac, isNew: false };
    }
    if (this.#isFresh && isDynamic && text.startsWith(DYNAMIC)) {
      const fresh = this.#world.macs.dynamic();
      this.#taken.set(macNumber(fresh), owner);
      this.#notes.push(`${owner} has the dynamic address ${macText(fresh)}: ${holder} has ${text}`);
      return { mac: fresh, isNew: true };
    }
    throw new ExtSwitchError(
      'ALREADY_EXISTS',
      `${path}: mac ${text} of ${owner} belongs to ${holder}`,
      {
        member: path,
        found: text,
      },
    );
  }

  #holder(mac: Uint8Array): string | undefined {
    const known = this.#taken.get(macNumber(mac));
    if (known !== undefined) return known;
    const nic = this.#world.macs.nicOf(mac);
    return nic === undefined ? undefined : `NIC ${JSON.stringify(nic.friendlyName)}`;
  }
}

export interface IntakeMac {
  readonly mac: Uint8Array;
  /** Of the pool: kept there already. */
  readonly isNew: boolean;
}
