import type { CommandSpec } from './command.ts';
import { commandHelp, overview } from './help.ts';
import { didYouMean } from './nearest.ts';
import { parseCommandLine } from './parse.ts';
import { reportError } from './report-error.ts';
import { createTerminal, type Streams, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { COMMANDS, LATER_VERBS } from './verbs.ts';
import { readVersion } from './version.ts';

/**
 * Runs one command line. `argv` is what follows `extswitch`. Returns the exit code: 0 done, 1 the thing failed, 2 wrong
 * usage. Nothing is thrown; failures are printed to standard error.
 */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  const terminal = createTerminal(streams);
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    return reportError(error, terminal, argv.includes('--json'));
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first, second] = argv;
  if (first === undefined) {
    terminal.stderr.write(overview(COMMANDS, terminal.errorStyle));
    return 2;
  }
  if (first === '--version' || first === '-V') {
    await terminal.line(readVersion());
    return 0;
  }
  if (first === '--help' || first === '-h' || first === 'help')
    return help(argv.slice(1), terminal);
  const group = COMMANDS.filter((spec) => spec.words[0] === first);
  if (group.length === 0) throw unknownVerb(first);
  const single = group.find((spec) => spec.words.length === 1);
  if (single !== undefined) return execute(single, argv.slice(1), terminal);
  if (second === '--help' || second === '-h') return help([first], terminal);
  return execute(findInGroup(group, first, second), argv.slice(2), terminal);
}

async function execute(
  spec: CommandSpec,
  words: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const call = parseCommandLine(spec, words);
  if (call.has('help')) {
    await terminal.print(commandHelp(spec, terminal.style));
    return 0;
  }
  const handler = await spec.load();
  return (await handler(call, terminal)) ?? 0;
}

async function help(words: readonly string[], terminal: Terminal): Promise<number> {
  const [noun, verb] = words.filter((word) => !word.startsWith('-'));
  const group = COMMANDS.filter((spec) => spec.words[0] === noun);
  if (noun !== undefined && group.length === 0) throw unknownVerb(noun);
  const single = group.find((spec) => spec.words.length === 1);
  if (noun !== undefined && (single !== undefined || verb !== undefined)) {
    await terminal.print(commandHelp(single ?? findInGroup(group, noun, verb), terminal.style));
  } else {
    await terminal.print(overview(COMMANDS, terminal.style, noun));
  }
  return 0;
}

function findInGroup(
  group: readonly CommandSpec[],
  noun: string,
  verb: string | undefined,
): CommandSpec {
  const known = group.map((spec) => spec.words[1] ?? '');
  if (verb === undefined || verb.startsWith('-')) {
    throw new UsageError(`${noun} needs a verb: ${known.join(', ')}`, noun);
  }
  const found = group.find(
    (spec) => spec.words[1] === verb || spec.aliases?.includes(verb) === true,
  );
  if (found !== undefined) return found;
  const near = didYouMean(verb, known, `${noun} `);
  throw new UsageError(`unknown verb "${noun} ${verb}"${near} (${known.join(', ')})`, noun);
}

function unknownVerb(word: string): UsageError {
  if (LATER_VERBS.includes(word)) {
    return new UsageError(`"${word}" comes with a later version; this one does not have it`);
  }
  const known = new Set(COMMANDS.map((spec) => spec.words[0] ?? ''));
  const what = word.startsWith('-') ? 'flag' : 'verb';
  return new UsageError(`unknown ${what} "${word}"${didYouMean(word, known)}`);
}
