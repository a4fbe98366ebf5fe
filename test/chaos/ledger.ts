/*
 * What clients were told, of each VM: every later look is compared with it. Values are never written twice, so that each one
 * found says which change it came from.
 */

/** Requests about a VM that are remembered. */
const HISTORY = 400;

export type VmState = 'off' | 'running' | 'saved';

/** One policy: what it may be now. One value, unless a change of it went unanswered. */
export interface Slot {
  /** Undefined while an unanswered add may have made it. */
  id: string | undefined;
  /** `undefined` stands for: it is not there. */
  possible: Set<number | undefined>;
}

/** A migration that was asked for, and what was known when it was. */
export interface AskedMigration {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Processes that had been started as the destination. */
  readonly startsOfDestination: number;
  /** Run-time data the VM had, where that is known. */
  readonly token: string | undefined;
}

export class VmLedger {
  readonly name: string;
  readonly id: string;
  slots: Slot[] = [];
  /** States it may be in. */
  states: Set<VmState> = new Set(['off']);
  /** Run-time data of its running NIC, while that is known; see {@link tokenStarts}. */
  token: string | undefined;
  /** Processes of each host that had been started when {@link token} was read. */
  tokenStarts = '';
  /** What was saved with it, as its export showed it. */
  blob: string | undefined;
  /** The last one asked for; undefined again once another change of its state was. */
  migration: AskedMigration | undefined;

  /** What was asked and answered, the last {@link HISTORY} of it. */
  readonly #history: string[] = [];

  constructor(name: string, id: string) {
    this.name = name;
    this.id = id;
  }

  /** Its one state, if it is known. */
  get state(): VmState | undefined {
    const [only, another] = this.states;
    return another === undefined ? only : undefined;
  }

  /** Slots a further change of which can be told apart. */
  get clear(): (Slot & { readonly id: string })[] {
    return this.slots.filter(
      (slot): slot is Slot & { readonly id: string } =>
        slot.id !== undefined && slot.possible.size === 1,
    );
  }

  note(text: string): void {
    this.#history.push(`${new Date().toISOString().slice(14, 23)} ${text}`);
    if (this.#history.length > HISTORY) this.#history.shift();
  }

  /** What was asked and answered about any of these words. */
  historyOf(...words: readonly string[]): string {
    const lines = this.#history.filter((line) => words.some((word) => line.includes(word)));
    return lines.map((line) => `\n    ${line}`).join('');
  }

  /** A change of its run-time data: what was known of them is not true any more. */
  forgetToken(): void {
    this.token = undefined;
    this.migration = undefined;
  }
}

export interface Counts {
  acknowledged: number;
  refused: number;
  unanswered: number;
  migrations: number;
  saves: number;
  /** Codes of what was refused or went unanswered. */
  readonly codes: Map<string, number>;
}

export function emptyCounts(): Counts {
  return { acknowledged: 0, refused: 0, unanswered: 0, migrations: 0, saves: 0, codes: new Map() };
}
