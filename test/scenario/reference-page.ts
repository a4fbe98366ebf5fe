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
