import { ExtSwitchError } from '../core/errors.ts';
import type { Place } from './source-node.ts';

/** One thing that is wrong with a scenario file. */
export interface ScenarioProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  /** The name that was probably meant. */
  readonly hint?: string;
}

/** Problems kept of one file: a loop of 1,000 steps with one mistake is one problem. */
const MOST = 100;

/** Everything that is wrong with one file, each at its place and once. */
export class Problems {
  readonly file: string;
  readonly #settled = new Set<string>();
  readonly #found = new Map<string, ScenarioProblem>();

  constructor(file: string) {
    this.file = file;
  }

  get list(): readonly ScenarioProblem[] {
    return [...this.#found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  get count(): number {
    return this.#found.size;
  }

  add(place: Place, message: string, near?: string): void {
    if (this.#found.size >= MOST || this.#settled.has(keyOf(place))) return;
    const hint = near === undefined ? {} : { hint: `did you mean ${near}?` };
    const { line, column, path } = place;
    const key = `${keyOf(place)}:${message}`;
    if (this.#found.has(key)) return;
    this.#found.set(key, { file: this.file, line, column, path, message, ...hint });
  }

  /** What is said about a place is enough: what follows from it is not told. */
  settle(place: Place): void {
    this.#settled.add(keyOf(place));
  }

  /** Throws `INVALID_ARGUMENT` at the first problem, with all of them in `place.problems`. */
  throwIfAny(): void {
    const [first] = this.list;
    if (first === undefined) return;
    throw new ExtSwitchError('INVALID_ARGUMENT', this.list.map(problemText).join('\n'), {
      file: this.file,
      ...(first.line > 0 ? { line: first.line, column: first.column } : { member: first.path }),
      problems: this.list.map((problem) => ({ ...problem })),
    });
  }
}

const keyOf = ({ line, column, path }: Place): string => (line > 0 ? `${line}:${column}` : path);

/** `file:line:column: message; did you mean x?`; what a program made has its path in place of line and column. */
function problemText({ file, line, column, path, message, hint }: ScenarioProblem): string {
  const where = line > 0 ? `:${line}:${column}` : path === '' ? '' : ` (${path})`;
  return `${file}${where}: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}
