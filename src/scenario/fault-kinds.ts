import type { FaultRuleOptions } from '../policy/faults-api.ts';

/** What the fields of an injection say beside its kind. */
export interface Injection {
  readonly extension?: string | undefined;
  readonly oid?: string | undefined;
  readonly requestType?: FaultRuleOptions['requestType'];
  readonly switch?: string | undefined;
  readonly call?: FaultRuleOptions['call'];
  readonly act?: FaultRuleOptions['act'];
  readonly status?: string | undefined;
  readonly message?: FaultRuleOptions['message'];
  readonly to?: string | undefined;
  readonly delivered?: boolean | undefined;
  readonly delayMs?: number | undefined;
}

type Member = keyof Injection;

interface FaultKind {
  /** Fields without which it says nothing. */
  readonly needs: readonly Member[];
  /** Fields it may have beside them. */
  readonly takes: readonly Member[];
  rule(given: Injection): FaultRuleOptions;
}

const OID_MATCH = ['extension', 'oid', 'requestType', 'switch'] as const;
const CALL_MATCH = ['extension', 'oid', 'call', 'switch'] as const;
const DELAY_MS = 1_000;

/** The members of `given` that have these names, as far as they are given. */
function only(given: Injection, names: readonly Member[]): Omit<Injection, 'delivered'> {
  const found = names.map((name) => [name, given[name]] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

type Match = Pick<
  FaultRuleOptions,
  'extension' | 'oid' | 'requestType' | 'switch' | 'call' | 'message' | 'to'
>;
const matched = (given: Injection, names: readonly Member[]): Match => only(given, names) as Match;

/** A request at an extension. */
const atOid = (
  takes: readonly Member[],
  effect: (given: Injection) => Pick<FaultRuleOptions, 'effect' | 'status' | 'delayMs'>,
): FaultKind => ({
  needs: ['extension'],
  takes: ['oid', 'requestType', 'switch', ...takes],
  rule: (given) => ({ at: 'oid', ...matched(given, OID_MATCH), ...effect(given) }),
});

/** A message between hosts. */
const atMessage = (
  takes: readonly Member[],
  effect: (given: Injection) => Pick<FaultRuleOptions, 'effect' | 'delayMs'>,
): FaultKind => ({
  needs: ['message'],
  takes: ['to', ...takes],
  rule: (given) => ({ at: 'message', ...matched(given, ['message', 'to']), ...effect(given) }),
});

const KINDS = {
  veto: atOid(['status'], ({ status = 'DATA_NOT_ACCEPTED' }) => ({ effect: 'status', status })),
  delay: atOid(['delayMs'], ({ delayMs = DELAY_MS }) => ({ effect: 'delay', delayMs })),
  throw: atOid([], () => ({ effect: 'throw' })),
  hang: atOid([], () => ({ effect: 'hang' })),
  twice: atOid([], () => ({ effect: 'twice' })),
  callFailure: {
    needs: ['extension'],
    takes: ['oid', 'call', 'switch', 'status'],
    rule: (given) => {
      const { status = 'RESOURCES' } = given;
      return { at: 'call', ...matched(given, CALL_MATCH), effect: 'status', status };
    },
  },
  act: {
    needs: ['act'],
    takes: ['oid', 'extension', 'requestType', 'switch'],
    rule: (given) => ({
      at: 'oid',
      ...matched(given, OID_MATCH),
      effect: 'act',
      act: given.act ?? 'restartStack',
    }),
  },
  storeFailure: {
    needs: [],
    takes: ['switch'],
    rule: (given) => ({ at: 'store', ...matched(given, ['switch']), effect: 'fail' }),
  },
  storeDelay: {
    needs: [],
    takes: ['switch', 'delayMs'],
    rule: (given) => ({
      at: 'store',
      ...matched(given, ['switch']),
      effect: 'delay',
      delayMs: given.delayMs ?? DELAY_MS,
    }),
  },
  storeCrash: {
    needs: [],
    takes: ['switch', 'delivered'],
    rule: (given) => ({
      at: 'store',
      ...matched(given, ['switch']),
      effect: given.delivered === true ? 'crashAnswered' : 'crash',
    }),
  },
  lostMessage: atMessage(['delivered'], ({ delivered }) => ({
    effect: delivered === true ? 'lostAnswer' : 'lost',
  })),
  messageTwice: atMessage([], () => ({ effect: 'twice' })),
  messageDelay: atMessage(['delayMs'], ({ delayMs = DELAY_MS }) => ({ effect: 'delay', delayMs })),
  crash: atMessage(['delivered'], ({ delivered }) => ({
    effect: delivered === true ? 'crashAnswered' : 'crash',
  })),
} as const satisfies Readonly<Record<string, FaultKind>>;

export type FaultKindName = keyof typeof KINDS;
export const FAULT_KIND_NAMES = Object.keys(KINDS) as readonly FaultKindName[];

/** What is wrong with the fields that are given: `member` is one that this fault has no use for; without it, one is missing. */
export function faultProblem(
  name: FaultKindName,
  given: Readonly<Record<string, unknown>>,
): { readonly member?: string; readonly message: string } | undefined {
  const { needs, takes }: FaultKind = KINDS[name];
  const missing = needs.find((member) => given[member] === undefined);
  if (missing !== undefined) return { message: `the fault ${name} needs the field ${missing}` };
  const all: readonly string[] = [...needs, ...takes];
  for (const other of Object.values<FaultKind>(KINDS)) {
    for (const member of [...other.needs, ...other.takes]) {
      if (given[member] === undefined || all.includes(member)) continue;
      return { member, message: `${member} is not for the fault ${name}` };
    }
  }
  return undefined;
}

/** The fault as a rule; what it is met by is counted from then on. */
export function faultRuleOf(name: FaultKindName, given: Injection): FaultRuleOptions {
  return KINDS[name].rule(given);
}
