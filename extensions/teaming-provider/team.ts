import type { NicAddress } from '../../src/sdk/index.ts';

/** One adapter of the team: a NIC below the external one, index 1 to 32 (rule A27). */
interface Member {
  readonly index: number;
  linkUp: boolean;
}

/** What is below the external NIC, and which adapter serves whom. */
export class Team {
  /** Port of the external NIC; 0 while there is none. */
  portId = 0;
  readonly #members = new Map<number, Member>();
  /** Adapter of each source that has something there: what was allocated on one adapter is freed on the same. */
  readonly #pins = new Map<string, number>();

  /** An adapter connected (rule C51: each has a state of its own). */
  join(portId: number, index: number): void {
    this.portId = portId;
    if (!this.#members.has(index)) this.#members.set(index, { index, linkUp: true });
  }

  /** An adapter disconnected: who was on it chooses again. */
  leave(index: number): void {
    this.#members.delete(index);
    for (const [source, at] of this.#pins) if (at === index) this.#pins.delete(source);
    if (this.#members.size === 0) this.portId = 0;
  }

  /** Notes an adapter's link; true when the link of the whole team goes up or down with it. */
  setLink(index: number, up: boolean): boolean {
    const before = this.isUp;
    const member = this.#members.get(index);
    if (member !== undefined) member.linkUp = up;
    return this.isUp !== before;
  }

  /** The team has a link while one adapter has. */
  get isUp(): boolean {
    return [...this.#members.values()].some(({ linkUp }) => linkUp);
  }

  /**
   * Adapters to ask for a source, best first: the one it is on already and no other; else those with a link before those
   * without, the one that serves the fewest first.
   */
  choices(source: NicAddress): readonly number[] {
    const pinned = this.#pins.get(key(source));
    if (pinned !== undefined) return [pinned];
    const load = (index: number): number =>
      [...this.#pins.values()].filter((at) => at === index).length;
    return [...this.#members.values()]
      .map(({ index, linkUp }) => ({ index, rank: (linkUp ? 0 : 1_000_000) + load(index) }))
      .sort((a, b) => a.rank - b.rank || a.index - b.index)
      .map(({ index }) => index);
  }

  pin(source: NicAddress, index: number): void {
    this.#pins.set(key(source), index);
  }

  /** A NIC is gone, and with it what it had. */
  unpin(source: NicAddress): void {
    this.#pins.delete(key(source));
  }

  clear(): void {
    this.portId = 0;
    this.#members.clear();
    this.#pins.clear();
  }
}

const key = ({ portId, nicIndex }: NicAddress): string => `${portId}/${nicIndex}`;
