import { macText, parseMac } from '../../switch/parameters.ts';
import type { Nic, PortOptions, PortOwner } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import type { SwitchEntry } from './world.ts';

/*
 * MAC addresses of a world.
 *
 * Dynamic ones as Hyper-V makes them (KB 2804678): 00-15-5D, two octets of the host (there from its IP address, here from
 * the seed), and a last octet that counts from 00 to FF. Windows stops at 256 until an administrator widens the range;
 * here the range goes on by itself in the next fifth octet, so a world of thousands of VMs needs no setting.
 *
 * The same address twice: Hyper-V takes it in the settings of a second VM and refuses to start that VM while the first
 * one runs ("Attempt to access invalid address"). So here: {@link MacPool.keep} takes doubles, {@link MacPool.claim} at
 * NIC creation refuses them with 409 and names who has the address.
 */

const PREFIX = 0x00155d;
/** The same with the bit of locally administered addresses. */
const LOCAL_PREFIX = 0x02155d;
/** Fewer claims than these are not worth looking through. */
const SWEEP_MIN = 1024;
/** Addresses below the prefix: three octets. */
const SPAN = 0x1_00_00_00;

/** Who has an address, for the message that refuses it to another. */
export interface MacOwner {
  /** Equal ids share an address: an adapter that moves has it twice for a moment. */
  readonly id: string;
  /** As in "in use by …". */
  readonly description: string;
}

/** An address in use, or about to be. Ended with {@link MacPool.settle}. */
export interface MacClaim {
  readonly mac: number;
  readonly owner: MacOwner;
  /** The claim of the same owner that it stands for; back in force when nothing comes of this one. */
  readonly before: MacClaim | undefined;
  /** The NIC that has it; `undefined` while NIC_CREATE runs. */
  readonly nic: Nic | undefined;
  /** Nothing came of it. */
  isOver: boolean;
}

/** The owner of the addresses on a port: all NICs of a port share it, as the external NIC and its only adapter do. */
export function nicOwner(
  entry: SwitchEntry,
  port: Pick<PortOptions, 'id' | 'friendlyName'> & { readonly owner?: PortOwner | undefined },
): MacOwner {
  const { owner } = port;
  return owner === undefined
    ? { id: port.id, description: `port ${port.friendlyName} of switch ${entry.name}` }
    : { id: owner.adapterId, description: `a network adapter of VM ${owner.vmName}` };
}

/** Six bytes as one number: keys of maps. */
export function macNumber(mac: Uint8Array): number {
  const high = ((mac[0] ?? 0) << 8) | (mac[1] ?? 0);
  const low =
    (((mac[2] ?? 0) << 24) | ((mac[3] ?? 0) << 16) | ((mac[4] ?? 0) << 8) | (mac[5] ?? 0)) >>> 0;
  return high * 0x1_0000_0000 + low;
}

function macBytes(mac: number): Uint8Array {
  const high = Math.floor(mac / 0x1_0000_0000);
  const low = mac % 0x1_0000_0000;
  return Uint8Array.of(high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low);
}

/** Twelve hexadecimal digits, lower case. */
export function macHex(mac: Uint8Array): string {
  return macNumber(mac).toString(16).padStart(12, '0');
}

/** The bytes of an address a person gave; `INVALID_ARGUMENT` for what no NIC can have: group addresses (IEEE 802), zero. */
export function unicastMac(text: string, member = 'mac'): Uint8Array {
  const mac = parseMac(text);
  const wrong =
    mac === undefined
      ? 'is not a MAC address'
      : ((mac[0] ?? 0) & 1) === 1
        ? 'is a group address'
        : macNumber(mac) === 0
          ? 'is all zero'
          : undefined;
  if (mac !== undefined && wrong === undefined) return mac;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${member} ${JSON.stringify(text)} ${wrong}: expected a unicast address like 00-15-5d-00-00-01`,
    { member, expected: 'a unicast address like 00-15-5d-00-00-01', found: text },
  );
}

/** The next address of each kind, counted from the beginning of its range. */
export interface MacPosition {
  readonly next: number;
  readonly physical: number;
}

/** All MAC addresses of a world: those in its settings, those in use, those to hand out next. */
export class MacPool {
  /** Addresses in settings, with how many have them: never handed out while they are there. */
  readonly #kept = new Map<number, number>();
  readonly #claims = new Map<number, MacClaim>();
  /** So many claims, and those of NICs that are gone are dropped. */
  #sweepAt = SWEEP_MIN;
  /** Fourth to sixth octet of the next dynamic address. */
  #next: number;
  readonly #first: number;
  #physical = 0;

  /** The seed of the world decides the fourth and fifth octet. */
  constructor(seed: string) {
    this.#first = (new Rng(`${seed}/mac`).uint32() >>> 16) * 256;
    this.#next = this.#first;
  }

  /** The next dynamic address, kept for its new owner. */
  dynamic(): Uint8Array {
    for (let tried = 0; tried < SPAN; tried += 1) {
      const mac = PREFIX * SPAN + this.#next;
      this.#next = (this.#next + 1) % SPAN;
      if (this.#kept.has(mac) || this.#holder(mac) !== undefined) continue;
      this.#kept.set(mac, 1);
      return macBytes(mac);
    }
    throw new ExtSwitchError('ILLEGAL_TRANSITION', 'all dynamic MAC addresses are in use', {
      member: 'mac',
    });
  }

  /** An address for a physical adapter that has none of its own: locally administered (IEEE 802), so it is no vendor's. */
  physical(): Uint8Array {
    for (;;) {
      const mac = LOCAL_PREFIX * SPAN + this.#first + this.#physical;
      this.#physical = (this.#physical + 1) % (SPAN - this.#first);
      if (this.#kept.has(mac) || this.#holder(mac) !== undefined) continue;
      return macBytes(mac);
    }
  }

  /** An address of somebody's settings, also one read from the store: not to be handed out. */
  keep(mac: Uint8Array): void {
    const key = macNumber(mac);
    this.#kept.set(key, (this.#kept.get(key) ?? 0) + 1);
  }

  /** The other half of {@link keep} and {@link dynamic}. */
  forget(mac: Uint8Array): void {
    const key = macNumber(mac);
    const times = this.#kept.get(key) ?? 0;
    if (times > 1) this.#kept.set(key, times - 1);
    else this.#kept.delete(key);
  }

  /**
   * Takes an address into use; throws `ALREADY_EXISTS` naming who has it. Call it in the `check` of the operation that
   * creates the NIC, and {@link settle} it whatever the outcome.
   */
  claim(mac: Uint8Array, owner: MacOwner): MacClaim {
    const key = macNumber(mac);
    const holder = this.#holder(key);
    if (holder !== undefined && holder.owner.id !== owner.id) {
      throw new ExtSwitchError(
        'ALREADY_EXISTS',
        `mac ${macText(mac)} is in use by ${holder.owner.description}`,
        { member: 'mac', found: macText(mac) },
      );
    }
    if (this.#claims.size >= this.#sweepAt) this.#sweep();
    const claim: MacClaim = { mac: key, owner, before: holder, nic: undefined, isOver: false };
    this.#claims.set(key, claim);
    return claim;
  }

  /** The NIC that has the claimed address now; `undefined`: none came of it, or it is gone. */
  settle(claim: MacClaim | undefined, nic: Nic | undefined): void {
    if (claim === undefined) return;
    if (nic !== undefined) {
      this.#claims.set(claim.mac, { ...claim, before: undefined, nic });
      return;
    }
    claim.isOver = true;
    if (this.#claims.get(claim.mac) !== claim) return;
    let { before } = claim;
    while (before?.isOver === true) before = before.before;
    if (before === undefined) this.#claims.delete(claim.mac);
    else this.#claims.set(claim.mac, before);
  }

  /** A NIC that is made again has its address whoever else says so: undoing and restarting do not ask. */
  register(nic: Nic, owner: MacOwner): void {
    const mac = macNumber(nic.permanentMac);
    this.#claims.set(mac, { mac, owner, before: undefined, nic, isOver: false });
  }

  /** The NIC whose PermanentMacAddress this is. */
  nicOf(mac: Uint8Array): Nic | undefined {
    return this.#holder(macNumber(mac))?.nic;
  }

  /** Who uses an address now. */
  userOf(mac: Uint8Array): MacOwner | undefined {
    return this.#holder(macNumber(mac))?.owner;
  }

  /** Somebody's settings have it. */
  isKept(mac: Uint8Array): boolean {
    return this.#kept.has(macNumber(mac));
  }

  /** Back to the beginning: an empty world. */
  clear(): void {
    this.#kept.clear();
    this.#claims.clear();
    this.#next = this.#first;
    this.#physical = 0;
  }

  /** Where the addresses it hands out go on, for {@link goTo}. */
  get position(): MacPosition {
    return { next: this.#next, physical: this.#physical };
  }

  goTo({ next, physical }: MacPosition): void {
    this.#next = next;
    this.#physical = physical;
  }

  /** What {@link #holder} drops when it comes by, everywhere: addresses that nobody asks for again cost nothing. */
  #sweep(): void {
    for (const mac of [...this.#claims.keys()]) this.#holder(mac);
    this.#sweepAt = Math.max(SWEEP_MIN, this.#claims.size * 2);
  }

  /** Entries held, of NICs that are there and a bounded number that are gone. */
  get size(): number {
    return this.#claims.size;
  }

  /** A NIC that is gone, or has another address now, uses none: no disconnect has to tell. */
  #holder(mac: number): MacClaim | undefined {
    const claim = this.#claims.get(mac);
    if (claim?.nic === undefined) return claim;
    if (claim.nic.state !== 'deleted' && macNumber(claim.nic.permanentMac) === mac) return claim;
    this.#claims.delete(mac);
    return undefined;
  }
}
