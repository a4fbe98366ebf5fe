import { FAULT_ACTS, FAULT_EFFECTS, FAULT_PLACES } from '../policy/faults-api.ts';
import { faultWords, faultWordsInput, matchMembers } from './fault-words.ts';
import type { JsonSchema } from './route.ts';
import { object, text } from './schemas.ts';

const count = (description: string): JsonSchema => ({
  type: 'integer',
  minimum: 1,
  description,
});

/** Members of a rule as a client gives it; what they mean for each other the world checks. */
const members = {
  id: text(64, 'Default: fault-1, …'),
  at: {
    enum: [...FAULT_PLACES],
    description:
      "oid: a request at an extension or the miniport edge. call: an extension's call of its switch. store: a write. message: to " +
      'another host',
  },
  effect: {
    enum: FAULT_EFFECTS.filter((effect) => !effect.startsWith('crash')),
    description:
      'oid: status, throw, hang, delay, twice. call: status. store: fail, delay. message: lost, lostAnswer, twice, delay. act anywhere',
  },
  extension: text(256, 'Name or id of an extension; miniportEdge: the bottom of the stack'),
  ...matchMembers,
  status: text(64, 'Name or number of an NDIS_STATUS; default NDIS_STATUS_RESOURCES'),
  act: {
    enum: [...FAULT_ACTS],
    description:
      'What is done to the switch, extension or port of the place. At store and message, which have none, switch, extension and ' +
      'portId name it',
  },
  delayMs: { type: 'integer', minimum: 0, description: 'Virtual milliseconds; default 1,000' },
  nth: count('The first match that is hit; default 1'),
  times: count('How many matches are hit; default all, of an act 1'),
  probability: { type: 'number', minimum: 0, maximum: 1, description: 'Default 1' },
} as const satisfies Readonly<Record<string, JsonSchema>>;

const GIVEN = Object.keys(members).filter((name) => name !== 'at' && name !== 'effect');

const faultRuleInput = object(members, GIVEN);

/** For the body of what faults are set together with. */
export const faultRuleInputs: JsonSchema = {
  type: 'array',
  items: faultRuleInput,
  maxItems: 100,
};

/** Each member with a value, or with `null`, which takes it away. */
export const faultRuleChange = object(
  Object.fromEntries(
    Object.entries<JsonSchema>(members).map(([name, schema]) => [name, orNull(schema)]),
  ),
  Object.keys(members),
);

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: allowed } = schema;
  return Array.isArray(allowed)
    ? { ...schema, enum: [...allowed, null] }
    : { ...schema, type: [type, 'null'] };
}

export const faultRule = object(
  {
    ...members,
    matched: { type: 'integer', description: 'Matches so far' },
    hits: { type: 'integer', description: 'How many of them were hit' },
  },
  GIVEN.filter((name) => !['id', 'nth', 'probability'].includes(name)),
);

/** A rule, or the few words that mean one. Which of them a body is to be, it tells by `target`. */
export const faultInput: JsonSchema = {
  type: 'object',
  if: { required: ['target'], properties: { target: {} } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: faultWordsInput,
  else: faultRuleInput,
};

/** As it was given: a rule, or the words. */
export const shownFault: JsonSchema = { anyOf: [faultRule, faultWords] };
