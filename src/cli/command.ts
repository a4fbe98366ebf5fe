import type { Terminal } from './terminal.ts';

/** A flag of a command. Without `value` it is a switch. */
export interface FlagSpec {
  /** Long name without dashes, e.g. `store`. */
  readonly name: string;
  /** One letter, e.g. `o`. */
  readonly short?: string;
  /** Placeholder of its value in help, e.g. `FOLDER`. */
  readonly value?: string;
  /** The value must be a whole number of this range. */
  readonly range?: readonly [min: number, max: number];
  readonly choices?: readonly string[];
  /** May be given more than once. */
  readonly many?: true;
  readonly required?: true;
  /** Environment variable that stands in for it, for help. */
  readonly env?: string;
  readonly help: string;
}

/** A positional argument. */
export interface ArgumentSpec {
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
  /** Takes the rest of the line; only the last one. */
  readonly many?: true;
}

/** What a command is: parsing, help and docs/reference/cli.md all come from this one entry. */
export interface CommandSpec {
  /** Verb, or nouns and verb: `['serve']`, `['mof', 'check']`, `['vm', 'adapter', 'add']`. */
  readonly words: readonly string[];
  /** Other spellings of the last word, e.g. `remove` for `delete`. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Paragraphs below the usage line. */
  readonly detail?: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
  /** Command lines without the leading `extswitch`; the first one is the example in help. */
  readonly examples: readonly string[];
  /** Imports the code that does it, when it is asked for. */
  readonly load: () => Promise<CommandHandler>;
}

/** A parsed command line. Asking for a flag the command does not have is a bug and throws. */
export interface Invocation {
  readonly spec: CommandSpec;
  readonly arguments: readonly string[];
  has(flag: string): boolean;
  text(flag: string): string | undefined;
  list(flag: string): readonly string[];
  integer(flag: string): number | undefined;
}

/** Does the command; returns the exit code, nothing for 0. Failures are thrown. */
export type CommandHandler = (call: Invocation, terminal: Terminal) => Promise<number | undefined>;

/** Name of a command as it is typed, e.g. `mof check`. */
export function commandName(spec: CommandSpec): string {
  return spec.words.join(' ');
}
