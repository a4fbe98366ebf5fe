import { endRule } from '../../../switch/oid-rules.ts';
import { OIDS, oidIndex } from '../../abi/index.ts';
import type { FaultRuleOptions, FaultSite } from '../../policy/faults-api.ts';
import type { ExtensionType } from '../../sdk/extension.ts';

/**
 * What a sweep does to a scenario, one at a time: docs/reference/sweep.md. The last three no extension may do: they are played
 * only when they are named.
 */
export const SWEEP_EFFECTS = [
  'veto',
  'resources',
  'callFails',
  'storeFails',
  'storeLate',
  'crash',
  'crashAnswered',
  'messageLost',
  'answerLost',
  'messageTwice',
  'messageLate',
  'delay',
  'restartStack',
  'disableExtension',
  'toggleExtension',
  'teardownPort',
  'deleteSwitch',
  'reorder',
  'throw',
  'hang',
  'twice',
] as const;
export type SweepEffect = (typeof SWEEP_EFFECTS)[number];
/** What is done at a place. */
type PlacedEffect = Exclude<SweepEffect, 'reorder'>;

/** What no rule allows: to see whether others stand it. */
const UNLAWFUL_EFFECTS: readonly SweepEffect[] = ['throw', 'hang', 'twice'];
export const LAWFUL_EFFECTS: readonly SweepEffect[] = SWEEP_EFFECTS.filter(
  (effect) => !UNLAWFUL_EFFECTS.includes(effect),
);

/** Virtual milliseconds of a delay: less than the 12,000 that an extension may hold an OID (NdisTimedOidComplete). */
const DELAY_MS = 2_000;
const EDGE = 'miniportEdge';

type Consequence = Pick<FaultRuleOptions, 'effect' | 'status' | 'act' | 'delayMs'>;

const CONSEQUENCES: Readonly<Record<PlacedEffect, Consequence>> = {
  veto: { effect: 'status', status: 'NDIS_STATUS_DATA_NOT_ACCEPTED' },
  resources: { effect: 'status', status: 'NDIS_STATUS_RESOURCES' },
  callFails: { effect: 'status', status: 'NDIS_STATUS_RESOURCES' },
  storeFails: { effect: 'fail' },
  storeLate: { effect: 'delay', delayMs: DELAY_MS },
  crash: { effect: 'crash' },
  crashAnswered: { effect: 'crashAnswered' },
  messageLost: { effect: 'lost' },
  answerLost: { effect: 'lostAnswer' },
  messageTwice: { effect: 'twice' },
  messageLate: { effect: 'delay', delayMs: DELAY_MS },
  delay: { effect: 'delay', delayMs: DELAY_MS },
  restartStack: { effect: 'act', act: 'restartStack' },
  disableExtension: { effect: 'act', act: 'disableExtension' },
  // It is enabled again by the sweep, in the same instant.
  toggleExtension: { effect: 'act', act: 'disableExtension' },
  teardownPort: { effect: 'act', act: 'teardownPort' },
  deleteSwitch: { effect: 'act', act: 'deleteSwitch' },
  throw: { effect: 'throw' },
  hang: { effect: 'hang' },
  twice: { effect: 'twice' },
};

/**
 * The rule that does this at exactly this place. `write`: a write to the store, the how many-th of its world; an act is counted by
 * that, since it names the switch it is done to and does not match it.
 */
export function ruleAt(site: FaultSite, write: number, effect: PlacedEffect): FaultRuleOptions {
  const consequence = CONSEQUENCES[effect];
  const nth = site.at === 'store' && consequence.effect === 'act' ? write : site.nth;
  return { ...site, nth, times: 1, ...consequence };
}

/** What there is to know of an extension of a run. */
export interface SweptExtension {
  readonly type: ExtensionType;
  /** It is one of ours that looks on: nothing is found out by failing what it asks. */
  readonly isWitness: boolean;
}

/**
 * What may happen at a place (rule book D.3 and D19-D23). `known`: by id or name of an extension; `undefined` for what is not
 * known.
 */
export function effectsAt(
  site: FaultSite,
  known: (extension: string) => SweptExtension | undefined,
): readonly PlacedEffect[] {
  const met = site.extension === undefined ? undefined : known(site.extension);
  switch (site.at) {
    case 'call':
      return met?.isWitness === true ? [] : ['callFails', ...comings(site)];
    case 'store':
      return [
        'storeFails',
        'storeLate',
        'crash',
        'crashAnswered',
        ...(site.switch === undefined ? [] : (['restartStack', 'deleteSwitch'] as const)),
      ];
    case 'message':
      return ['messageLost', 'answerLost', 'messageTwice', 'messageLate', 'crash', 'crashAnswered'];
    case 'oid':
      return site.extension === undefined || site.extension === EDGE
        ? atTheEdge(site)
        : atAnExtension(site, met);
  }
}

/** Who is there, comes and goes, while an extension is at work: the stack pauses, it goes, it goes and comes, its port goes. */
function comings({ portId }: FaultSite): readonly PlacedEffect[] {
  return [
    'restartStack',
    'disableExtension',
    'toggleExtension',
    ...(portId === undefined ? [] : (['teardownPort'] as const)),
  ];
}

/** Rule D22: the switch itself may fail what extensions may fail, and what it is asked about; nothing else. */
function atTheEdge({ oid }: FaultSite): readonly PlacedEffect[] {
  return endOf(oid) === 'never' ? [] : ['resources'];
}

function atAnExtension(site: FaultSite, met: SweptExtension | undefined): readonly PlacedEffect[] {
  const { oid, requestType } = site;
  const by = endOf(oid);
  const effects: PlacedEffect[] = [];
  // Rules A17, E36: a capturing extension vetoes nothing.
  const type = met?.type;
  const mayVeto = type === 'filter' || type === 'forward';
  if (mayVeto && (by === 'veto' || by === 'property')) effects.push('veto');
  // Rule D19: for want of resources. Of what an owner answers (F7, G13, G31) only a save is asked of everybody.
  const isAsked = by === 'veto' || by === 'property' || oid === 'OID_SWITCH_NIC_SAVE';
  if (mayVeto && isAsked) effects.push('resources');
  effects.push('delay');
  if (met?.isWitness !== true) effects.push(...comings(site));
  else if (requestType !== 'query') {
    // A witness stays: what its going says is said by the extension under test.
    effects.push('restartStack');
    if (site.portId !== undefined) effects.push('teardownPort');
  }
  if (requestType !== 'query') effects.push('deleteSwitch');
  effects.push('throw', 'hang', 'twice');
  return effects;
}

function endOf(oid: string | undefined): ReturnType<typeof endRule>['by'] {
  const known = OIDS[oid as keyof typeof OIDS];
  return endRule(known === undefined ? -1 : oidIndex(known.code)).by;
}
