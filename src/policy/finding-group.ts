import type { FindingEntry, FindingGroupInfo } from './trace-api.ts';

/** Findings of a group that stay: the first ones, which show how it began, and the newest ones. */
const FIRST = 10;
const NEWEST = 90;

/** What one extension did against one rule, with one severity, by itself or because a fault was injected. */
export class FindingGroup {
  /** Bytes of requests in it. */
  bytes = 0;
  readonly #first: FindingEntry[] = [];
  readonly #newest: FindingEntry[] = [];
  readonly #head: FindingEntry;
  #count = 0;

  /** `head`: a finding of the group, for what all have in common; it is still to be added. */
  constructor(head: FindingEntry) {
    this.#head = head;
  }

  static keyOf({ rule, extensionId = '', severity, injected }: FindingEntry): string {
    return `${rule}/${extensionId}/${severity}/${injected === true}`;
  }

  get kept(): number {
    return this.#first.length + this.#newest.length;
  }

  add(entry: FindingEntry): void {
    this.#count += 1;
    this.bytes += sizeOf(entry);
    if (this.#newest.length === 0 && this.#first.length < FIRST) this.#first.push(entry);
    else this.#newest.push(entry);
    if (this.#newest.length > NEWEST) this.#forgetOldest();
  }

  /** Fewer bytes: without one of the findings, and when few are left without their requests; `length` is then told. */
  lighten(): void {
    if (this.#newest.length > 1) {
      this.#forgetOldest();
      return;
    }
    const at = this.#first.findLastIndex(({ bytes }) => bytes !== undefined);
    const all = at < 0 ? this.#newest : this.#first;
    const found = all[Math.max(at, 0)];
    if (found?.bytes === undefined) return;
    const { bytes, ...rest } = found;
    this.bytes -= bytes.length;
    all[Math.max(at, 0)] = { length: bytes.length, ...rest };
  }

  /** Oldest first. */
  entries(): readonly FindingEntry[] {
    return [...this.#first, ...this.#newest];
  }

  info(): FindingGroupInfo {
    const { rule, severity, extensionId, injected, seq } = this.#head;
    return {
      rule,
      severity,
      ...(extensionId === undefined ? {} : { extensionId }),
      ...(injected === undefined ? {} : { injected }),
      count: this.#count,
      kept: this.kept,
      firstSeq: seq,
    };
  }

  #forgetOldest(): void {
    const gone = this.#newest.shift();
    if (gone !== undefined) this.bytes -= sizeOf(gone);
  }
}

const sizeOf = ({ bytes }: FindingEntry): number => bytes?.length ?? 0;
