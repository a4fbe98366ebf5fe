/** One measured thing, run beside its baseline by bench/run.ts. */
export interface BenchCase {
  /** e.g. `mof.serialize.sample`. */
  readonly name: string;
  /** What one unit of work is, e.g. `encodes`. */
  readonly unit: string;
  /** Does one batch of work and gives the number of units done. */
  run(): number | Promise<number>;
  /** The same work done another way; its `run` gives units of the same kind. */
  readonly baseline?: { readonly name: string; run(): number | Promise<number> };
}

/** A case that measures itself, e.g. because server and client are processes of their own. Values are units per second. */
export interface MeasuredCase {
  readonly name: string;
  readonly unit: string;
  /** Why it cannot be measured here. */
  readonly skip?: string | false;
  measure(): Promise<{
    readonly ours: readonly number[];
    readonly baseline?: { readonly name: string; readonly values: readonly number[] };
  }>;
}
