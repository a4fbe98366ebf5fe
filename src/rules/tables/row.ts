/** Whom a rule binds: the switch, an extension, or the management layer. */
export type RuleKind = 'switch' | 'ext' | 'mgmt';

/** First word of force in a rule. MUST (NOT): an error when broken; SHOULD (NOT): a warning; MAY: a permission. */
export type RuleForce = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY';

/** One rule of the rule book. */
export interface RuleRow {
  /** Chapter letter and number, e.g. `E16`. */
  readonly id: string;
  readonly kind: RuleKind;
  readonly force: RuleForce;
  readonly text: string;
  /** Documentation pages (`*.md`, `ns-…`, `nc-…`, `ne-…`, `nf-…`), the public header, or files of the public samples. */
  readonly sources: readonly string[];
  /** Numbers of the open points that qualify it. */
  readonly openPoints: readonly number[];
}

/** One point that the sources leave unclear. */
export interface OpenPointRow {
  /** 1 for OP-1. */
  readonly number: number;
  /** Short name. */
  readonly topic: string;
  readonly unclear: string;
  /** What the simulator takes it to mean. */
  readonly reading: string;
}

/** How this version stands to a rule: a test proves it, the code names it without a test, or neither. */
export interface LedgerRow {
  readonly standing: 'proven' | 'kept' | 'open';
  /** Why no test proves it. */
  readonly reason?: string;
}
