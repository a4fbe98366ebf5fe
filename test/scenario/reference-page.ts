import type { Fields } from '../../src/scenario/field.ts';
import { FILE_FIELDS } from '../../src/scenario/file-fields.ts';
import type { VerbGroup } from '../../src/scenario/verb.ts';
import { VERBS } from '../../src/scenario/verb-table.ts';

const GROUPS: Readonly<Record<VerbGroup, string>> = {
  VMs: 'VMs and their adapters',
  policies: 'Policies',
  switches: 'Switches, ports, extensions',
  hosts: 'Hosts, time, migration',
  faults: 'Faults',
  flow: 'Flow',
  looks: 'Expectations',
};

/** Text of docs/reference/scenario.md: the verb table as a page. */
export function scenarioReference(): string {
  const groups = Object.entries(GROUPS).map(([group, title]) => {
    const verbs = VERBS.filter((verb) => verb.group === group).map(
      ({ name, help, fields, short }) => {
        const alone = short === undefined ? '' : ` A plain value is its \`${short}\`.`;
        return `### ${name}\n\n${help}${alone}\n\n${fieldTable(fields)}`;
      },
    );
    return `## ${title}\n\n${verbs.join('\n\n')}`;
  });
  return `# Scenario files

<!-- Written by test/scenario/shipped.test.ts from the verb table (src/scenario/verbs): change it there, then UPDATE_GOLDEN=1. -->

A scenario is YAML, JSON, or a TypeScript or JavaScript module whose default export has the same shape; how to write one is in
[docs/howto/script-a-scenario.md](../howto/script-a-scenario.md). \`policies/scenarios/scenario.schema.json\` is its JSON Schema.

## The file

${fieldTable(FILE_FIELDS)}

A parameter stands in any value as \`\${name}\`; alone in its value it keeps its type. \`$\${\` is a plain \`\${\`.

A step is a map of one verb, with a \`title\` beside it if people should read another one. In a module, a step may also be a function:
it is called with \`{ hosts, clock }\`, each host a Fabric.

## On a cluster

\`extswitch run FILE… --store nats://server[,server…][/name]\` (\`store\` of the library's \`RunOptions\`) makes every host a member of a
[cluster](cluster.md): with a connection, a lease and a journal of its own; what it stores is in buckets, migrations go over request and
reply, its OIDs are in the event feed. \`memory\` is the default.

- Without a name each scenario, and each cell of a matrix, gets a new cluster (\`run-…\`), which is removed with everything in it. With a
  name the cluster stays, to be looked at; the second of several scenarios gets \`name-2\`, and so on. A cluster in which a host of
  that name has records is refused: a run begins with nothing. A run that is killed leaves its cluster behind.
- Names of hosts must be those of a cluster: letters, digits, \`_\` and \`-\`, at most 63. \`store: disk\` of a host means nothing there.
- Time is virtual all the same. It stands still while a write or a message is on its way, and passes while the host that was asked waits
  for a timer: servers and network take no virtual time, and \`wait\`, delays and time-outs are as long as in memory.
- Faults are met as in memory: a lost message is lost before it is sent, or when its answer has come. \`crash\` kills the host's writes and
  messages at that moment; its lease is handed back, so that \`restartHost\` need not wait for it to run out. What other hosts see of
  a process that is killed or cut off is not a scenario's: \`npm run chaos\`.
- The trace is the same byte for byte only where nothing overlaps: of steps in \`parallel\`, and of what a crash leaves half done, the
  order depends on when the servers answer. Everything a scenario expects has to hold whatever the order, as in memory with another seed.

## Reports

TAP goes to standard output; \`--report FILE\` writes another report, as often as it is given. The ending of the name says which:

| name | report | |
|---|---|---|
| \`*.html\` | a page for people: what passed, the policies before and after, a timeline with a lane for each switch and port | needs no network and no script |
| \`*.xml\` | JUnit, as CI systems read it: a suite a scenario, a case a step and an invariant | has real durations |
| \`*.json\` | everything, for programs; \`--json\` prints the same | the same bytes for the same seed |

The JSON report is \`{ format: 'extswitch-scenario-report', version: 2, passed, failed, scenarios }\`. A scenario has \`name\`, \`file\`, \`cell\`,
\`seed\`, \`ok\`, \`failure\`, \`steps\`, \`checks\`, \`policies\` (\`before\`, \`after\`, \`diff\`), \`traceEntries\`, \`traceSha256\`, \`virtualMs\` and \`timeline\`:
lines of \`kind\` \`step\`, \`oid\` and \`event\`.

- A timeline that is line by line that of an earlier scenario, as under another profile, is written once: \`sameTimelineAs\` is the index of
  that scenario in \`scenarios\`, a link in HTML.
- Of a scenario that passed, a timeline of more than 6,000 lines is its first 1,000 and its last 500, with \`{ kind: 'leftOut', lines }\`
  between them. One that failed has every line; \`--all-lines\` writes every line of all.

${groups.join('\n\n')}
`;
}

function fieldTable(fields: Fields): string {
  const rows = Object.entries(fields).map(
    ([name, { type, help, required }]) =>
      `| \`${name}\`${required ? ' (needed)' : ''} | ${cell(type)} | ${cell(help)} |`,
  );
  return ['| field | is | |', '|---|---|---|', ...rows].join('\n');
}

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('map of map of', 'map of maps of');
