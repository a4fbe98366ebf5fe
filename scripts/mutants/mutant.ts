import { createHash } from 'node:crypto';

/** One way to break the runtime: a text of one of its files, and the wrong one that takes its place. */
export interface Mutant {
  /** Lower case, unique; never given to another break. */
  readonly id: string;
  /** What is wrong then, in words. */
  readonly title: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** Test files that should notice it, the quickest first. */
  readonly suites: readonly string[];
}

/** Breaks of one part of the runtime. */
export interface Area {
  readonly name: string;
  /** Whether the simulation runs this part at all. */
  readonly isSimulated: boolean;
  readonly mutants: readonly Mutant[];
}

/** What a result is about: another text, another break. */
export function fingerprint({ id, file, from, to }: Mutant): string {
  const text = [id, file, from, to].join('\0');
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The broken text; throws when the break does not apply to `source`. */
export function broken({ id, file, from, to }: Mutant, source: string): string {
  const parts = source.split(from);
  if (parts.length !== 2) {
    throw new Error(
      `${id}: its text is ${parts.length - 1} times in ${file}, expected once: ${JSON.stringify(from)}`,
    );
  }
  return parts.join(to);
}
