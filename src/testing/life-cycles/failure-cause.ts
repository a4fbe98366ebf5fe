import { isExtSwitchError } from '../../core/errors.ts';
import { findRule } from '../../rules/rule-book.ts';
import type { TestFinding } from '../test-switch.ts';
import { withoutNumbers } from '../verify/finding-key.ts';

/*
 * Causes as text: what is alike comes of one mistake of an extension. They are for grouping: what they say is no interface.
 */

const OID = /\bOID_[A-Z0-9_]+/g;

/** Of a finding: the same act with another OID has the same cause, and so has what is held until the switch ends it. */
export function causeOfFinding(finding: Omit<TestFinding, 'severity'>): string {
  const { rule, message, oid, member = '' } = finding;
  if (rule === 'NdisTimedOidComplete' && oid !== undefined) return causeOfHolding(oid);
  return `${rule}/${withoutNumbers(message.replace(OID, '#'))}/${member}`;
}

/** Of a request that is still in flight. */
export function causeOfHolding(oid: string): string {
  return `held/${oid}`;
}

/** Of an extension that does not run; `problem`: the message of the error with which it failed. */
export function causeOfProblem(problem = ''): string {
  return `EXTENSION_FAILED/${withoutNumbers(problem)}`;
}

/**
 * Of an act that failed with `reason`. `during`: what the extension broke meanwhile; what it did with the very request that was
 * refused, or what its own exception names, is the cause, else whatever else fails in the same way has the same one. An act that
 * shows a `rule` of extensions says more than the refusal alone, e.g. that it does not know what was there before it (J11).
 */
export function causeOfError(
  reason: unknown,
  during: readonly TestFinding[],
  rule?: string,
): string {
  const message = reason instanceof Error ? reason.message : String(reason);
  if (!isExtSwitchError(reason)) return `error/${withoutNumbers(message)}`;
  const { oid, ndisStatus, extensionId } = reason.place;
  if (reason.code === 'VETOED') {
    const found = during.find((one) => one.severity === 'error' && one.oid === oid);
    const showsMore = rule !== undefined && findRule(rule)?.kind === 'ext';
    if (found !== undefined && !showsMore) return causeOfFinding(found);
    return `refused/${[oid, extensionId, ndisStatus, reason.place.rule].join('/')}`;
  }
  const named = during.find((one) => message.includes(`(rule ${one.rule})`));
  return named === undefined ? `${reason.code}/${withoutNumbers(message)}` : causeOfFinding(named);
}

/** OIDs that tell of what a witness knows, by the first word of the line it keeps. */
const TELLING: Readonly<Record<string, RegExp>> = {
  port: /^OID_SWITCH_PORT_(CREATE|UPDATED|DELETE|ARRAY)$/,
  NIC: /^OID_SWITCH_NIC_(CREATE|CONNECT|UPDATED|DISCONNECT|DELETE|ARRAY)$/,
  property: /^OID_SWITCH_(PORT_)?PROPERTY_(ADD|UPDATE|DELETE|ENUM)$/,
};

/** Of a witness that does not know `key`, or knows it otherwise; `before`: what the extension broke so far. */
export function causeOfView(witness: string, key: string, before: readonly TestFinding[]): string {
  const [kind = ''] = key.split(' ', 1);
  const telling = TELLING[kind];
  const found = before.find(
    ({ severity, oid }) => severity === 'error' && oid !== undefined && telling?.test(oid) === true,
  );
  return found === undefined ? `view/${witness}/${kind}` : causeOfFinding(found);
}
