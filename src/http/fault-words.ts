import { ExtSwitchError } from '../core/errors.ts';
import {
  FAILING_CALLS,
  FAULT_MESSAGES,
  FAULT_PLACES,
  type FaultEffect,
  type FaultPlace,
  type FaultRule,
  type FaultRuleOptions,
} from '../policy/faults-api.ts';
import type { JsonSchema } from './route.ts';
import { object, text } from './schemas.ts';

/*
 * A fault in few words, as chaos tools have it: what is hit, what it has to match, what happens, how many are let pass and how many
 * are hit. It means a rule of src/policy/faults-api.ts and is shown in its own words as long as it means the same.
 */

const EFFECTS = ['fail', 'delay', 'drop', 'hang', 'crash'] as const;
type Effect = (typeof EFFECTS)[number];

export interface FaultWords {
  readonly id?: string;
  readonly target: string;
  readonly match?: Omit<FaultRuleOptions, 'id' | 'at' | 'effect'>;
  readonly effect: Effect;
  readonly status?: string;
  readonly delayMs?: number;
  readonly probability?: number;
  readonly skip?: number;
  readonly count?: number;
}

/** The effect of a rule that a word means at a place; what is not here cannot happen there. */
const MEANINGS: Readonly<Record<FaultPlace, Partial<Readonly<Record<Effect, FaultEffect>>>>> = {
  // What an extension drops never completes, which is what hangs. Its crash is one of its handlers that throws.
  oid: { fail: 'status', delay: 'delay', drop: 'hang', hang: 'hang', crash: 'throw' },
  call: { fail: 'status' },
  store: { fail: 'fail', delay: 'delay' },
  // The sender learns of a message that fails as of one that is lost: by no answer.
  message: { fail: 'lost', delay: 'delay', drop: 'lost' },
};

/** What has to match beside the extension. */
export const matchMembers = {
  oid: text(64, 'Name of an OID, or 0x and eight digits'),
  requestType: { enum: ['query', 'set', 'method'] },
  switch: text(256, 'Name of a switch'),
  portId: { type: 'integer', minimum: 0, maximum: 0xffff_ffff },
  call: { enum: [...FAILING_CALLS] },
  message: { enum: [...FAULT_MESSAGES] },
  to: text(256, 'Name of the host that a message goes to'),
} as const satisfies Readonly<Record<string, JsonSchema>>;

const members = {
  id: text(64, 'Default: fault-1, …'),
  target: text(
    256,
    'oid, call, store or message; or the name or id of an extension: requests at it. miniportEdge: at the bottom of the stack',
  ),
  match: object(
    {
      extension: text(256),
      ...matchMembers,
    },
    ['extension', 'oid', 'requestType', 'switch', 'portId', 'call', 'message', 'to'],
  ),
  effect: {
    enum: [...EFFECTS],
    description:
      'oid: fail with a status, delay, drop or hang (it never completes), crash (the extension throws). call: fail. store: fail, ' +
      'delay. message: fail or drop (it is lost), delay',
  },
  status: text(64, 'Name or number of an NDIS_STATUS; default NDIS_STATUS_RESOURCES'),
  delayMs: { type: 'integer', minimum: 0, description: 'Virtual milliseconds; default 1,000' },
  probability: { type: 'number', minimum: 0, maximum: 1, description: 'Default 1' },
  skip: { type: 'integer', minimum: 0, description: 'Matches that are let pass first; default 0' },
  count: { type: 'integer', minimum: 1, description: 'How many matches are hit; default all' },
} as const satisfies Readonly<Record<string, JsonSchema>>;

export const faultWordsInput = object(
  members,
  Object.keys(members).filter((name) => name !== 'target' && name !== 'effect'),
);

export const faultWords = object(
  {
    ...members,
    matched: { type: 'integer', description: 'Matches so far' },
    hits: { type: 'integer', description: 'How many of them were hit' },
  },
  ['match', 'status', 'delayMs', 'count'],
);

/** The rule that the words mean. Throws `INVALID_ARGUMENT` for an effect that cannot happen at its target. */
export function ruleOfWords(words: FaultWords): FaultRuleOptions {
  const { id, target, match = {}, effect, status, delayMs, probability, skip, count } = words;
  const place = FAULT_PLACES.find((each) => each === target);
  if (place === undefined && match.extension !== undefined) {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `target ${JSON.stringify(target)} is an extension, and match.extension names another one: expected one of them`,
      { member: 'match.extension', expected: 'nothing', found: match.extension },
    );
  }
  const at = place ?? 'oid';
  const meant = MEANINGS[at][effect];
  if (meant === undefined) {
    const expected = `one of ${Object.keys(MEANINGS[at]).join(', ')} at ${at}`;
    throw new ExtSwitchError('INVALID_ARGUMENT', `effect: expected ${expected}, found ${effect}`, {
      member: 'effect',
      expected,
      found: effect,
    });
  }
  return {
    ...(id === undefined ? {} : { id }),
    at,
    ...(place === undefined ? { extension: target } : {}),
    ...match,
    effect: meant,
    ...(status === undefined ? {} : { status }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(probability === undefined ? {} : { probability }),
    ...(skip === undefined ? {} : { nth: skip + 1 }),
    ...(count === undefined ? {} : { times: count }),
  };
}

/** Words that fault rules of a world were made with, by the id of the rule. */
export type SpokenFaults = Map<string, FaultWords>;

/** A rule as its maker said it, or as it is when nobody did, or when it was changed since. */
export function saidFault(rule: FaultRule, spoken: SpokenFaults): object {
  const words = spoken.get(rule.id);
  if (words === undefined || !means(words, rule)) return rule;
  const { status, delayMs, probability, nth, matched, hits } = rule;
  return {
    ...words,
    id: rule.id,
    ...(status === undefined ? {} : { status }),
    ...(delayMs === undefined ? {} : { delayMs }),
    probability,
    skip: nth - 1,
    matched,
    hits,
  };
}

/** Whether all that the words say is so of the rule, and nothing more. */
function means(words: FaultWords, rule: FaultRule): boolean {
  const defaults = { nth: 1, probability: 1, status: rule.status, delayMs: rule.delayMs };
  const meant: Readonly<Record<string, unknown>> = {
    ...defaults,
    ...ruleOfWords(words),
    id: rule.id,
    matched: rule.matched,
    hits: rule.hits,
  };
  const names = new Set([...Object.keys(meant), ...Object.keys(rule)]);
  return [...names].every((name) => meant[name] === rule[name as keyof FaultRule]);
}
