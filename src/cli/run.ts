import { type CommandSpec, commandName } from './command.ts';
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
  const [first] = argv;
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
  const found = find(argv);
  if (found.spec !== undefined) return execute(found.spec, argv.slice(found.depth), terminal);
  const next = argv[found.depth];
  if (next === '--help' || next === '-h') return help(argv.slice(0, found.depth), terminal);
  throw unknownWord(argv, found);
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
  try {
    return (await handler(call, terminal)) ?? 0;
  } catch (error) {
    // What only the command itself can see is wrong is explained by its help, too.
    if (!(error instanceof UsageError) || error.help !== '') throw error;
    throw new UsageError(error.message, commandName(spec));
  }
}

async function help(words: readonly string[], terminal: Terminal): Promise<number> {
  const asked = words.filter((word) => !word.startsWith('-'));
  const found = find(asked);
  if (found.spec !== undefined) {
    await terminal.print(commandHelp(found.spec, terminal.style));
    return 0;
  }
  if (found.depth < asked.length) throw unknownWord(asked, found);
  await terminal.print(overview(COMMANDS, terminal.style, asked));
  return 0;
}

/** How far the words of a command line lead: to a command, or to a group of commands that share the first `depth` words. */
interface Found {
  readonly spec?: CommandSpec;
  readonly group: readonly CommandSpec[];
  readonly depth: number;
}

function find(words: readonly string[]): Found {
  let group: readonly CommandSpec[] = COMMANDS;
  let depth = 0;
  for (const word of words) {
    const exact = group.filter((spec) => spec.words[depth] === word);
    const matching =
      exact.length > 0
        ? exact
        : group.filter(
            (spec) => spec.words.length === depth + 1 && spec.aliases?.includes(word) === true,
          );
    if (matching.length === 0) break;
    depth += 1;
    group = matching;
    const spec = group.find((each) => each.words.length === depth);
    if (spec !== undefined) return { spec, group, depth };
  }
  return { group, depth };
}

/** The words lead to a group, and the next one is missing or not in it. */
function unknownWord(words: readonly string[], { group, depth }: Found): UsageError {
  const next = words[depth];
  if (depth === 0) return unknownVerb(next ?? '');
  const before = words.slice(0, depth).join(' ');
  const known = [...new Set(group.map((spec) => spec.words[depth] ?? ''))];
  if (next === undefined || next.startsWith('-')) {
    return new UsageError(`${before} needs a verb: ${known.join(', ')}`, before);
  }
  const near = didYouMean(next, known, `${before} `);
  return new UsageError(`unknown verb "${before} ${next}"${near} (${known.join(', ')})`, before);
}

function unknownVerb(word: string): UsageError {
  if (LATER_VERBS.includes(word)) {
    return new UsageError(`"${word}" comes with a later version; this one does not have it`);
  }
  const known = new Set(COMMANDS.map((spec) => spec.words[0] ?? ''));
  const what = word.startsWith('-') ? 'flag' : 'verb';
  return new UsageError(`unknown ${what} "${word}"${didYouMean(word, known)}`);
}
