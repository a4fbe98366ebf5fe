import type { FaultRuleOptions } from '../../policy/faults-api.ts';
import type { HostRule, Mischief, Step } from './step.ts';

/** A verb of a scenario with what stands behind it. */
export type Line = readonly [verb: string, value: unknown];

/** As often as a rule without a limit is met in a step. */
const ALWAYS = 1_000_000;

/** Place and effect of a rule → the fault of `inject` (src/scenario/fault-kinds.ts). */
const FAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'oid status': { fault: 'veto' },
  'oid throw': { fault: 'throw' },
  'oid hang': { fault: 'hang' },
  'oid twice': { fault: 'twice' },
  'oid delay': { fault: 'delay' },
  'oid act': { fault: 'act' },
  'call status': { fault: 'callFailure' },
  'store fail': { fault: 'storeFailure' },
  'store delay': { fault: 'storeDelay' },
  'store crash': { fault: 'storeCrash' },
  'store crashAnswered': { fault: 'storeCrash', delivered: true },
  'message lost': { fault: 'lostMessage' },
  'message lostAnswer': { fault: 'lostMessage', delivered: true },
  'message twice': { fault: 'messageTwice' },
  'message delay': { fault: 'messageDelay' },
  'message crash': { fault: 'crash' },
  'message crashAnswered': { fault: 'crash', delivered: true },
};

/** What an extension does that a rule can do in its place. */
const AS_RULE: Readonly<Partial<Record<Mischief['what'], Partial<FaultRuleOptions>>>> = {
  veto: { effect: 'status', status: 'DATA_NOT_ACCEPTED' },
  resources: { effect: 'status', status: 'RESOURCES' },
  throw: { effect: 'throw' },
  pendForEver: { effect: 'hang' },
  completeTwice: { effect: 'twice' },
  pendForward: { effect: 'delay' },
};

/** The faults of a step as `inject`; `undefined` when one has no words there. */
export function faultLines({ rules = [], mischief = [] }: Step): readonly Line[] | undefined {
  const lines = [...rules.map(ruleLine), ...mischief.map(mischiefLine)];
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function ruleLine(rule: HostRule): Line | undefined {
  const { at, effect, id: _id, times = effect === 'act' ? 1 : ALWAYS, ...rest } = rule;
  const fault = FAULTS[`${at} ${effect}`];
  // The bottom of the stack is no extension of a scenario.
  if (fault === undefined || rest.extension === 'miniportEdge') return undefined;
  return ['inject', { ...fault, ...rest, times }];
}

function mischiefLine({ extension, nth, what, delayMs }: Mischief): Line | undefined {
  const like = AS_RULE[what];
  if (like === undefined) return undefined;
  const { effect, ...rest } = like;
  const late = effect === 'delay' ? { delayMs } : {};
  const fault = FAULTS[`oid ${effect}`];
  return ['inject', { ...fault, extension, requestType: 'set', ...rest, ...late, nth }];
}

/** Hosts that may die in a step. */
export const mortals = ({ rules = [] }: Step): readonly string[] => [
  ...new Set(rules.filter(({ effect }) => effect.startsWith('crash')).map(({ host }) => host)),
];

/** Virtual milliseconds after which whatever is late in a step has come. */
export const lateness = ({ rules = [] }: Step): number =>
  Math.max(0, ...rules.map(({ delayMs = 0 }) => delayMs));
