import { assert } from '../core/assert.ts';
import { type CommandSpec, commandName, type FlagSpec, type Invocation } from './command.ts';
import { didYouMean } from './nearest.ts';
import { UsageError } from './usage-error.ts';

interface Parsed {
  readonly positional: string[];
  readonly values: Map<string, string[]>;
}

/**
 * Parses the words after the command's name by its table: `--flag value`, `--flag=value`, `-o value`, `-ovalue`; `--`
 * ends the flags, `-` alone is an argument. Throws {@link UsageError} naming the flag or argument and the nearest one.
 */
export function parseCommandLine(spec: CommandSpec, words: readonly string[]): Invocation {
  const parsed: Parsed = { positional: [], values: new Map() };
  let index = 0;
  while (index < words.length) {
    const word = words[index] ?? '';
    index += 1;
    if (word === '--') {
      parsed.positional.push(...words.slice(index));
      break;
    }
    if (word === '-' || !word.startsWith('-')) parsed.positional.push(word);
    else index += takeFlag(spec, parsed.values, word, words[index]);
  }
  if (!parsed.values.has('help')) checkComplete(spec, parsed);
  return invocation(spec, parsed);
}

/** Takes one flag; returns how many of the following words were its value. */
function takeFlag(
  spec: CommandSpec,
  values: Map<string, string[]>,
  word: string,
  next: string | undefined,
): 0 | 1 {
  const long = word.startsWith('--');
  const equals = long ? word.indexOf('=') : -1;
  const typed = long ? word.slice(2, equals === -1 ? undefined : equals) : word.slice(1, 2);
  const flag = spec.flags.find((known) => (long ? known.name : known.short) === typed);
  if (flag === undefined) throw unknownFlag(spec, long, typed);
  let attached: string | undefined;
  if (long && equals !== -1) attached = word.slice(equals + 1);
  if (!long && word.length > 2) attached = word.slice(2);
  if (flag.value === undefined) {
    if (attached !== undefined) {
      throw usage(spec, `--${flag.name} takes no value, found ${JSON.stringify(attached)}`);
    }
    values.set(flag.name, ['']);
    return 0;
  }
  const value = attached ?? next;
  if (value === undefined || (attached === undefined && looksLikeFlag(spec, value))) {
    throw usage(spec, `--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  }
  checkValue(spec, flag, value);
  const before = values.get(flag.name);
  if (before === undefined) values.set(flag.name, [value]);
  else if (flag.many) before.push(value);
  else throw usage(spec, `--${flag.name} is given twice`);
  return attached === undefined ? 1 : 0;
}

function looksLikeFlag(spec: CommandSpec, word: string): boolean {
  return spec.flags.some((flag) => word === `--${flag.name}` || word.startsWith(`--${flag.name}=`));
}

function checkValue(spec: CommandSpec, flag: FlagSpec, value: string): void {
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    throw usage(
      spec,
      `--${flag.name} must be one of ${flag.choices.join(', ')}, found ${JSON.stringify(value)}${didYouMean(value, flag.choices)}`,
    );
  }
  if (flag.range === undefined) return;
  const [min, max] = flag.range;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw usage(
      spec,
      `--${flag.name} must be a whole number from ${min} to ${max}, found ${JSON.stringify(value)}`,
    );
  }
}

function checkComplete(spec: CommandSpec, parsed: Parsed): void {
  const missing = spec.flags.find((flag) => flag.required && !parsed.values.has(flag.name));
  if (missing !== undefined) {
    throw usage(spec, `--${missing.name} is missing: --${missing.name} ${missing.value ?? ''}`);
  }
  const needed = spec.arguments.filter((argument) => !argument.optional);
  const absent = needed[parsed.positional.length];
  if (absent !== undefined) throw usage(spec, `<${absent.name}> is missing: ${absent.help}`);
  const takesRest = spec.arguments.at(-1)?.many === true;
  const extra = parsed.positional[spec.arguments.length];
  if (!takesRest && extra !== undefined) {
    throw usage(spec, `unexpected argument ${JSON.stringify(extra)}`);
  }
}

function invocation(spec: CommandSpec, parsed: Parsed): Invocation {
  const list = (name: string): readonly string[] => {
    assert(
      spec.flags.some((flag) => flag.name === name),
      `${commandName(spec)} has a flag --${name}`,
    );
    return parsed.values.get(name) ?? [];
  };
  return {
    spec,
    arguments: parsed.positional,
    list,
    has: (name) => list(name).length > 0,
    text: (name) => list(name)[0],
    integer: (name) => {
      const value = list(name)[0];
      return value === undefined ? undefined : Number(value);
    },
  };
}

function unknownFlag(spec: CommandSpec, long: boolean, typed: string): UsageError {
  const dashes = long ? '--' : '-';
  const names = spec.flags.map((flag) => flag.name);
  return usage(spec, `unknown flag ${dashes}${typed}${long ? didYouMean(typed, names, '--') : ''}`);
}

function usage(spec: CommandSpec, message: string): UsageError {
  return new UsageError(message, commandName(spec));
}
