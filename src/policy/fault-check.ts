import { FAILING_CALLS } from '../../switch/fault-points.ts';
import { OFFLOAD_OIDS, OID_LIST } from '../abi/index.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { isErrorStatus, NdisStatus } from '../core/status.ts';
import { nearestName } from '../mof/nearest-name.ts';
import {
  FAULT_ACTS,
  FAULT_EFFECTS,
  FAULT_MESSAGES,
  FAULT_PLACES,
  type FaultEffect,
  type FaultPlace,
  type FaultRuleOptions,
  MINIPORT_EDGE,
} from './faults-api.ts';
import { WARP_LIMIT_MS } from './sim-api.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const LONGEST_TEXT = 256;
const OID_NAMES: readonly string[] = [
  ...OID_LIST.map(({ name }) => name),
  ...Object.keys(OFFLOAD_OIDS),
];
const STATUS_NAMES = Object.keys(NdisStatus);
const DEFAULT_DELAY_MS = 1_000;

/** Effects that a place has. */
const EFFECTS: Readonly<Record<FaultPlace, readonly FaultEffect[]>> = {
  oid: ['status', 'throw', 'hang', 'delay', 'twice', 'act'],
  call: ['status', 'act'],
  store: ['fail', 'delay', 'act', 'crash', 'crashAnswered'],
  message: ['lost', 'lostAnswer', 'twice', 'delay', 'act', 'crash', 'crashAnswered'],
};

/** Members by which a place is matched. */
const MATCHES: Readonly<Record<FaultPlace, readonly string[]>> = {
  oid: ['extension', 'oid', 'requestType', 'switch', 'portId'],
  call: ['extension', 'oid', 'switch', 'portId', 'call'],
  store: ['switch'],
  message: ['message', 'to'],
};

const ALWAYS = ['id', 'at', 'effect', 'nth', 'times', 'probability'];
/** What acts are done to, where the place does not say. */
const TARGETS = {
  disableExtension: ['switch', 'extension'],
  restartStack: ['switch'],
  teardownPort: ['switch', 'portId'],
  deleteSwitch: ['switch'],
} as const;

/** Refuses with rule, member, what was expected and what was found. */
type Refuse = (member: string, expected: string, found: unknown) => never;
type Given = Readonly<Record<string, unknown>>;

/** The value of a member of `names`, if it is given. */
const oneOf =
  (names: readonly string[]) =>
  (value: unknown, member: string, refuse: Refuse): void => {
    if (typeof value === 'string' && names.includes(value)) return;
    const meant = typeof value === 'string' ? nearestName(value, names) : undefined;
    refuse(
      member,
      `one of ${names.join(', ')}${meant === undefined ? '' : `: is ${meant} meant?`}`,
      value,
    );
  };

const wholeFrom =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (value: unknown, member: string, refuse: Refuse): void => {
    const isFine = Number.isSafeInteger(value) && (value as number) >= least;
    if (isFine && (value as number) <= most) return;
    const limit = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`;
    refuse(member, `a whole number from ${least}${limit}`, value);
  };

function someText(value: unknown, member: string, refuse: Refuse): void {
  if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_TEXT) return;
  refuse(member, `1 to ${LONGEST_TEXT} characters`, value);
}

function oid(value: unknown, member: string, refuse: Refuse): void {
  if (typeof value !== 'string') refuse(member, 'the name of an OID', value);
  if (OID_NAMES.includes(value) || /^0x[0-9A-F]{8}$/.test(value)) return;
  const meant = nearestName(value, OID_NAMES);
  refuse(
    member,
    `the name of an OID, or 0x and eight digits${meant === undefined ? '' : `: is ${meant} meant?`}`,
    value,
  );
}

const CHECKS: Readonly<
  Record<keyof FaultRuleOptions, (value: unknown, member: string, refuse: Refuse) => void>
> = {
  id: (value, member, refuse) => {
    if (typeof value === 'string' && ID.test(value)) return;
    refuse(
      member,
      '1 to 64 letters, digits, ".", "_", "-" that begin with a letter or digit',
      value,
    );
  },
  at: oneOf(FAULT_PLACES),
  effect: oneOf(FAULT_EFFECTS),
  act: oneOf(FAULT_ACTS),
  requestType: oneOf(['query', 'set', 'method']),
  call: oneOf(FAILING_CALLS),
  message: oneOf(FAULT_MESSAGES),
  extension: someText,
  switch: someText,
  to: someText,
  oid,
  status: (value, member, refuse) => {
    statusOf(value, member, refuse);
  },
  portId: wholeFrom(0, 0xffff_ffff),
  delayMs: wholeFrom(0, WARP_LIMIT_MS),
  nth: wholeFrom(1),
  times: wholeFrom(1),
  probability: (value, member, refuse) => {
    if (typeof value === 'number' && value >= 0 && value <= 1) return;
    refuse(member, 'a number from 0 to 1', value);
  },
};

/** A rule that is in order, with its defaults, and what it does as the machine needs it. */
export interface CheckedRule {
  /** As it was given, without defaults: what a change is made to. */
  readonly given: FaultRuleOptions;
  readonly options: FaultRuleOptions & { readonly nth: number; readonly probability: number };
  /** Of the effect `status`. */
  readonly status: NdisStatus;
}

/**
 * Checks one rule as a client gives it, all of it. `what` names it: `fault rule veto-1`. `mayCrash`: the world was given a way to
 * die. Throws `INVALID_ARGUMENT` with member, what was expected, what was found.
 */
export function checkRule(given: unknown, what: string, mayCrash: boolean): CheckedRule {
  const refuse: Refuse = (member, expected, found) => {
    const shown = found === undefined ? 'nothing' : (JSON.stringify(found) ?? String(found));
    const text = shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
    const message = `${what}: ${member}: expected ${expected}, found ${text}`;
    const place = { member, expected, found: text };
    throw new ExtSwitchError('INVALID_ARGUMENT', message, place);
  };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse('rule', 'an object', given);
  }
  const rule = withoutGaps(given as Given);
  for (const [member, value] of Object.entries(rule)) {
    const check = CHECKS[member as keyof FaultRuleOptions];
    if (!Object.hasOwn(CHECKS, member)) {
      refuse(member, `one of ${Object.keys(CHECKS).join(', ')}`, value);
    }
    check(value, member, refuse);
  }
  for (const member of ['at', 'effect']) CHECKS[member as 'at'](rule[member], member, refuse);
  const options = rule as unknown as FaultRuleOptions;
  checkWhole(options, refuse, mayCrash);
  const { effect, act, status = 'NDIS_STATUS_RESOURCES', delayMs = DEFAULT_DELAY_MS } = options;
  const { nth = 1, probability = 1, times = act === undefined ? undefined : 1 } = options;
  return {
    given: Object.freeze(options),
    options: Object.freeze({
      ...options,
      ...(effect === 'status' ? { status } : {}),
      ...(effect === 'delay' ? { delayMs } : {}),
      nth,
      ...(times === undefined ? {} : { times }),
      probability,
    }),
    status: statusOf(status, 'status', refuse),
  };
}

/** What members mean for each other. */
function checkWhole(rule: FaultRuleOptions, refuse: Refuse, mayCrash: boolean): void {
  const { at, effect, act, extension } = rule;
  const effects = EFFECTS[at].filter((each) => mayCrash || !each.startsWith('crash'));
  if (!effects.includes(effect)) {
    refuse('effect', `one of ${effects.join(', ')} at ${JSON.stringify(at)}`, effect);
  }
  if (effect === 'act' && act === undefined) {
    refuse('act', `one of ${FAULT_ACTS.join(', ')} with the effect "act"`, act);
  }
  const hasTarget = at === 'store' || at === 'message';
  const targets: readonly string[] = act !== undefined && hasTarget ? TARGETS[act] : [];
  for (const member of targets) {
    const value = rule[member as keyof FaultRuleOptions];
    if (value === undefined) refuse(member, `what ${act} is done to, since ${at} has none`, value);
  }
  const isFor: readonly string[] = [
    ...ALWAYS,
    ...MATCHES[at],
    ...targets,
    ...(effect === 'status' ? ['status'] : []),
    ...(effect === 'delay' ? ['delayMs'] : []),
    ...(effect === 'act' ? ['act'] : []),
  ];
  for (const [member, value] of Object.entries(rule)) {
    if (!isFor.includes(member)) {
      refuse(member, `nothing with the effect "${effect}" at "${at}"`, value);
    }
  }
  if (extension === MINIPORT_EDGE && (at !== 'oid' || !isOfEdge(rule))) {
    const expected = `an extension, or ${MINIPORT_EDGE} with the effect "status" at "oid"`;
    refuse('extension', expected, extension);
  }
  if (at === 'call' && effect === 'status' && rule.status !== undefined) {
    if (!isErrorStatus(statusOf(rule.status, 'status', refuse))) {
      refuse('status', 'an error status', rule.status);
    }
  }
}

/** The miniport edge has no extension that could be disabled, and completes everything. */
export function isOfEdge({ effect, act }: FaultRuleOptions): boolean {
  return effect === 'status' || (effect === 'act' && act !== 'disableExtension');
}

function statusOf(value: unknown, member: string, refuse: Refuse): NdisStatus {
  const name = typeof value === 'string' ? value.replace(/^NDIS_STATUS_/, '') : '';
  const named = Object.hasOwn(NdisStatus, name)
    ? NdisStatus[name as keyof typeof NdisStatus]
    : undefined;
  const isNumber = typeof value === 'string' && /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(value);
  const status = named ?? (isNumber ? Number(value) : Number.NaN);
  if (status >= 0 && status <= 0xffff_ffff && status !== NdisStatus.PENDING) {
    return status as NdisStatus;
  }
  const meant = nearestName(name, STATUS_NAMES);
  const hint = meant === undefined || status === NdisStatus.PENDING ? '' : `: is ${meant} meant?`;
  return refuse(
    member,
    `the name or number of an NDIS_STATUS other than NDIS_STATUS_PENDING${hint}`,
    value,
  );
}

/** Members that are `undefined` are not given. */
function withoutGaps(given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
