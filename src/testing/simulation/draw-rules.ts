import { FAULT_ACTS, FAULT_MESSAGES, type FaultRuleOptions } from '../../policy/faults-api.ts';
import type { Draw } from './draw-step.ts';
import type { Faults, HostRule } from './step.ts';

/** Extensions whose handlers a fault may stand in for: the others are who sees that the world is right. */
const STANDS_IN = ['rogue', 'forwarder'] as const;
const ANY = [...STANDS_IN, 'watcher', 'fabrikam'] as const;
/** What the bottom of the stack may refuse: what extensions may (rule D22); of anything else its answer is the end of it. */
const REFUSABLE = [
  'OID_SWITCH_PORT_CREATE',
  'OID_SWITCH_NIC_CREATE',
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_PORT_PROPERTY_UPDATE',
  'OID_SWITCH_PROPERTY_ADD',
  'OID_SWITCH_PROPERTY_UPDATE',
] as const;
const STATUSES = ['NDIS_STATUS_RESOURCES', 'NDIS_STATUS_DATA_NOT_ACCEPTED', 'NDIS_STATUS_FAILURE'];
const DELAYS = [0, 5, 1_000, 20_000] as const;

/** What one host's world may meet in one step, as rules (docs/howto/inject-faults.md). */
export function drawRules(draw: Draw, hosts: readonly string[]): Faults {
  const host = draw.pick(hosts);
  if (draw.chance(0.25)) {
    // Only an extension that misbehaves asks for references.
    const [extension, nth] = ['rogue', 1 + draw.int(4)] as const;
    const mischief = [{ extension, nth, what: 'reference', delayMs: draw.pick([0, 5]) }] as const;
    const rule = { at: 'call', call: 'referencePort', extension, effect: 'status' } as const;
    return { mischief, rules: [{ host, ...rule }] };
  }
  const count = draw.pick([1, 1, 2]);
  return { rules: Array.from({ length: count }, () => ({ host, ...drawRule(draw, hosts) })) };
}

/** One of the first writes of a host fails, or is the last thing it does. */
export function drawStoreRule(draw: Draw, host: string, most: number): HostRule {
  const effect = draw.pick(['fail', 'crash', 'crashAnswered'] as const);
  return { host, at: 'store', effect, nth: 1 + draw.int(most), times: 1 };
}

/** On every host the first message of a name is lost, or its answer; or its sender dies with it. */
export function drawMessageRules(draw: Draw, hosts: readonly string[]): readonly HostRule[] {
  const effect = draw.pick(['lost', 'lostAnswer', 'crash', 'crashAnswered'] as const);
  const message = draw.pick(FAULT_MESSAGES);
  return hosts.map((host) => ({ host, at: 'message', message, effect, times: 1 }));
}

function drawRule(draw: Draw, hosts: readonly string[]): FaultRuleOptions {
  // Now and then, all through the step; or once.
  const when: Pick<FaultRuleOptions, 'nth' | 'times' | 'probability'> = draw.chance(0.25)
    ? { probability: draw.pick([0.1, 0.5]) }
    : { nth: 1 + draw.int(6), times: 1 };
  const delayMs = draw.pick(DELAYS);
  // Whoever comes late asks what is there, and cannot wait for an answer: questions are left alone.
  const asked = draw.chance(0.85)
    ? ({ requestType: 'set' } as const)
    : { oid: draw.pick(['OID_SWITCH_NIC_SAVE', 'OID_SWITCH_NIC_RESTORE']) };
  switch (draw.int(6)) {
    case 0: {
      const status = draw.pick(STATUSES);
      if (draw.chance(0.3)) {
        const oid = draw.pick(REFUSABLE);
        return { at: 'oid', extension: 'miniportEdge', oid, effect: 'status', status, ...when };
      }
      const extension = draw.pick(STANDS_IN);
      return { at: 'oid', ...asked, extension, effect: 'status', status, ...when };
    }
    case 1: {
      const extension = draw.pick(STANDS_IN);
      return {
        at: 'oid',
        ...asked,
        extension,
        effect: draw.pick(['throw', 'hang', 'twice']),
        ...when,
      };
    }
    case 2: {
      const extension = draw.pick(ANY);
      // Later than the switch waits, the rule stands in for the handlers too.
      const isWatching = extension === 'watcher' || extension === 'fabrikam';
      const late = isWatching ? Math.min(delayMs, 1_000) : delayMs;
      return { at: 'oid', ...asked, extension, effect: 'delay', delayMs: late, ...when };
    }
    case 3: {
      const effect = draw.pick(['fail', 'delay', 'delay', 'crash', 'crashAnswered'] as const);
      return { at: 'store', effect, ...(effect === 'delay' ? { delayMs } : {}), ...when };
    }
    case 4: {
      const effect = draw.pick([
        'lost',
        'lostAnswer',
        'twice',
        'twice',
        'delay',
        'crash',
        'crashAnswered',
      ] as const);
      const late = effect === 'delay' ? { delayMs } : {};
      const message = draw.pick(FAULT_MESSAGES);
      const to = draw.chance(0.3) ? { to: draw.pick(hosts) } : {};
      return { at: 'message', message, effect, ...late, ...to, times: 1 };
    }
    default: {
      const act = draw.pick(FAULT_ACTS);
      // At a request of that extension it is switched off itself; what watches stays.
      const extension = draw.pick(STANDS_IN);
      return { at: 'oid', ...asked, extension, effect: 'act', act, nth: 1 + draw.int(6), times: 1 };
    }
  }
}
