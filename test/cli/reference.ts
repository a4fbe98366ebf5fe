import { type CommandSpec, commandName } from '../../src/cli/command.ts';
import { flagHelp, flagText, usageLine } from '../../src/cli/help.ts';
import { EVERYWHERE, SERVER } from '../../src/cli/verbs/common-flags.ts';
import { COMMANDS, LATER_VERBS } from '../../src/cli/verbs.ts';

/** Text of docs/reference/cli.md: the command table as a page. */
export function cliReference(): string {
  const shared = new Set(EVERYWHERE.map((flag) => flag.name));
  const server = SERVER.filter((flag) => !shared.has(flag.name));
  return `# Command line

<!-- Written by test/cli/reference.test.ts from the command table (src/cli/verbs): change it there, then UPDATE_GOLDEN=1. -->

\`extswitch <verb> [flags] [arguments]\`. \`extswitch --version\` prints the version, \`extswitch <verb> --help\` the help of a verb.
Exit code: 0 done, 1 the thing failed, 2 wrong usage. Results go to standard output, everything else to standard error.
Tables, colour and progress are for terminals: colour also stays away with \`NO_COLOR\` set. Flags are \`--flag value\`,
\`--flag=value\`, \`-f value\` or \`-fvalue\`; \`--\` ends them; a file named \`-\` is standard input.

Every verb takes:

${flagTable(EVERYWHERE)}

Verbs that talk to a running server (marked ⇄) also take:

${flagTable(server)}

These verbs come with a later version: ${LATER_VERBS.map((verb) => `\`${verb}\``).join(', ')}.

${COMMANDS.map(section).join('\n')}`;
}

function section(spec: CommandSpec): string {
  const isClient = spec.flags.some((flag) => flag.name === 'url');
  const hidden = new Set((isClient ? SERVER : EVERYWHERE).map((flag) => flag.name));
  // \`serve\` has a --token of its own, which is no client flag.
  const own = spec.flags.filter((flag) => !hidden.has(flag.name));
  const also = spec.aliases === undefined ? '' : ` Also: ${spec.aliases.join(', ')}.`;
  const parts = [
    `## ${commandName(spec)}${isClient ? ' ⇄' : ''}\n`,
    `${spec.summary}.${also}\n`,
    `    ${usageLine(spec)}\n`,
  ];
  if (spec.detail !== undefined) parts.push(`${spec.detail}\n`);
  if (spec.arguments.length > 0) {
    const rows = spec.arguments.map((each) => `- \`<${each.name}>\` ${each.help}`);
    parts.push(`${rows.join('\n')}\n`);
  }
  if (own.length > 0) parts.push(`${flagTable(own)}\n`);
  parts.push(`${spec.examples.map((example) => `    extswitch ${example}`).join('\n')}\n`);
  return parts.join('\n');
}

function flagTable(flags: CommandSpec['flags']): string {
  const rows = flags.map((flag) => `| \`${cell(flagText(flag))}\` | ${cell(flagHelp(flag))} |`);
  return ['| flag | |', '|---|---|', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
