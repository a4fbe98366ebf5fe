import type { Finding } from '../../../switch/environment.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import { withoutNumbers } from '../verify/finding-key.ts';

/** Something that did not hold in one run. */
export interface Breach {
  /** Name of the invariant: docs/reference/sweep.md. */
  readonly invariant: Invariant;
  /** Rule of the rule book, or Driver Verifier's name. */
  readonly rule?: string | undefined;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** Id of the extension that did it. */
  readonly extension?: string | undefined;
  readonly oid?: string | undefined;
  readonly bytes?: Uint8Array | undefined;
  readonly offset?: number | undefined;
  /** Ids of the modules the request had passed. */
  readonly route?: readonly string[] | undefined;
}

/** What is judged after each run, and what it says. */
export const INVARIANTS = {
  process: 'nothing is thrown or rejected where nobody looks',
  errors: 'what is refused is refused with an error of the documented kind',
  ends: 'nothing pends for ever',
  once: 'each request completes exactly once',
  states: 'ports and NICs go along their state tables',
  stackOrder: 'a request goes down the stack in order, through nobody twice',
  heard: 'who forwarded a request hears its completion',
  views: 'a well-behaved extension believes what management shows',
  refused: 'what is refused leaves nothing behind',
  again: 'what a fault had refused succeeds when it is done again, and so does what comes after',
  sameEnd: 'done again, everything ends as without the fault',
  status: 'what extensions report is the same as without the fault',
  wholeVms: 'no VM is half connected, and none is on two hosts',
  durable: 'the store has what management shows',
  empty: 'everything can be taken away, and nothing is left',
  findings: 'no extension breaks a rule that it keeps without the fault',
  stage: 'what the stage expects holds',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** What was seen in another run has the same key: ids and numbers, and what stands in quotes, do not count. */
export function breachKey({ invariant, rule = '', message, extension = '' }: Breach): string {
  const [line = ''] = message.split('\n', 1);
  const alike = withoutNumbers(line).replace(/"[^"]*"/g, '""');
  return `${invariant}/${rule}/${extension}/${alike}`;
}

/** What is one defect has the same key, whatever the request it was seen at and the status that it met. */
export function defectKey(breach: Breach): string {
  return breachKey(breach)
    .replace(/OID_\w+/g, 'OID')
    .replace(/NDIS_STATUS_\w+/g, 'STATUS');
}

/** A finding of the switch or of the verifier. */
export function ofFinding(finding: Finding): Breach {
  const { rule, severity, message, extensionId, oid, bytes, offset, route } = finding;
  return {
    invariant: 'findings',
    rule,
    severity,
    message,
    extension: extensionId,
    oid,
    bytes,
    offset,
    route,
  };
}

/** A refusal that no caller can do anything with. */
export function isOurDefect(error: unknown): boolean {
  if (isExtSwitchError(error)) return error.code === 'INTERNAL';
  return error instanceof Error && /^(Type|Range|Reference|Assertion)Error$/.test(error.name);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
