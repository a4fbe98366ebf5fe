import { type ArgumentSpec, type CommandSpec, commandName, type FlagSpec } from './command.ts';
import type { Style } from './style.ts';

/** Usage line of a command, e.g. `extswitch mof check [flags] <file.mof…>`. */
export function usageLine(spec: CommandSpec): string {
  const places = spec.arguments.map(argumentText);
  return ['extswitch', commandName(spec), '[flags]', ...places].join(' ');
}

/** Flag as it is typed, e.g. `-o, --output FILE`. */
export function flagText(flag: FlagSpec): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const value = flag.choices === undefined ? flag.value : flag.choices.join('|');
  return `${short}--${flag.name}${value === undefined ? '' : ` ${value}`}`;
}

/** What a flag does, with its environment variable and whether it repeats. */
export function flagHelp(flag: FlagSpec): string {
  const notes = [
    ...(flag.required ? ['required'] : []),
    ...(flag.many ? ['repeatable'] : []),
    ...(flag.env === undefined ? [] : [flag.env]),
  ];
  return notes.length === 0 ? flag.help : `${flag.help} (${notes.join('; ')})`;
}

/** Help of one command. */
export function commandHelp(spec: CommandSpec, style: Style): string {
  const lines = [`${spec.summary}.`, '', `${style.bold('Usage:')} ${usageLine(spec)}`];
  if (spec.detail !== undefined) lines.push('', spec.detail);
  if (spec.arguments.length > 0) {
    lines.push('', style.bold('Arguments:'));
    lines.push(...columns(spec.arguments.map((each) => [argumentText(each), each.help])));
  }
  lines.push('', style.bold('Flags:'));
  lines.push(...columns(spec.flags.map((flag) => [flagText(flag), flagHelp(flag)])));
  lines.push('', style.bold(spec.examples.length > 1 ? 'Examples:' : 'Example:'));
  lines.push(...spec.examples.map((example) => `  extswitch ${example}`));
  return `${lines.join('\n')}\n`;
}

/** Help of a group of commands (`extswitch mof --help`, `extswitch vm adapter --help`), or of everything. */
export function overview(
  specs: readonly CommandSpec[],
  style: Style,
  group: readonly string[] = [],
): string {
  const shown = specs.filter((spec) => group.every((word, at) => spec.words[at] === word));
  const head = group.length === 0 ? 'The Hyper-V extensible switch, simulated.\n\n' : '';
  const example = shown[0]?.examples[0] ?? '';
  return `${head}${style.bold('Usage:')} extswitch ${[...group, '<verb>'].join(' ')} [flags]

${style.bold('Verbs:')}
${columns(shown.map((spec) => [commandName(spec), spec.summary])).join('\n')}

${style.bold('Example:')}
  extswitch ${example}

\`extswitch <verb> --help\` shows flags and examples of a verb; \`--json\` prints for machines.
Exit code: 0 done, 1 it failed, 2 wrong usage.
`;
}

function argumentText(argument: ArgumentSpec): string {
  const text = `<${argument.name}${argument.many ? '…' : ''}>`;
  return argument.optional ? `[${text}]` : text;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) =>
    left.length > width
      ? `  ${left}\n  ${' '.repeat(width)}  ${right}`
      : `  ${left.padEnd(width)}  ${right}`,
  );
}
