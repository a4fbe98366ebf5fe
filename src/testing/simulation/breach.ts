/** What did not hold. */
export interface Breach {
  /** Name of the invariant: docs/reference/simulation.md. */
  readonly invariant: string;
  readonly message: string;
  /** Number of the step after which it was seen, from 0. */
  readonly step: number;
}
