import { OID_LIST } from '../abi/index.ts';
import { type JsonSchema, objectSchema } from './field.ts';
import { FILE_FIELDS } from './file-fields.ts';
import { VERBS } from './verb-table.ts';
import { REFUSAL_SCHEMAS } from './verbs/flow-verbs.ts';

/** JSON Schema (2020-12) of scenario files, from the same tables that read them: editors complete and check by it. */
export function scenarioSchema(): JsonSchema {
  const verbs = Object.fromEntries(VERBS.map(({ name, schema }) => [name, schema]));
  const title = { type: 'string', description: 'what people read in place of the verb' };
  const names = VERBS.map(({ name }) => name);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'extswitch scenario',
    ...objectSchema(FILE_FIELDS),
    $defs: {
      oid: { type: 'string', examples: OID_LIST.map((oid) => oid.name) },
      steps: { type: 'array', items: { $ref: '#/$defs/step' } },
      step: {
        type: 'object',
        properties: { ...verbs, title },
        additionalProperties: false,
        oneOf: names.map((name) => ({ required: [name] })),
      },
      refusedStep: {
        type: 'object',
        properties: { ...verbs, ...REFUSAL_SCHEMAS },
        additionalProperties: false,
        oneOf: names.map((name) => ({ required: [name] })),
      },
    },
  };
}
