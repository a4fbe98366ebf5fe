import { oidName } from '../src/abi/index.ts';
import { isExtSwitchError } from '../src/core/errors.ts';
import type { Finding } from './environment.ts';
import type { OidRequest } from './oid-request.ts';

/** What a person needs who looks for the cause. */
export function evidenceOf(request: OidRequest): Pick<Finding, 'bytes' | 'route'> {
  const passed = request.modules.slice(request.origin + 1, request.position + 1);
  return { bytes: request.buffer.slice(0, request.length), route: passed.map(({ id }) => id) };
}

/** Characters of a message that a finding repeats. */
const SHOWN = 400;

/** One line about whatever a handler returned or threw. Never throws itself: getters and proxies of an extension may. */
export function describe(value: unknown): string {
  try {
    if (value instanceof Error) return firstLine(`${value.name}: `, String(value.message));
    if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
    if (typeof value === 'object' && value !== null) return 'an object';
    if (typeof value === 'function') return 'a function';
    return typeof value === 'bigint' ? `${String(value).slice(0, 80)}n` : String(value);
  } catch {
    return 'an object that cannot be read';
  }
}

function firstLine(name: string, message: string): string {
  const [line = ''] = message.slice(0, SHOWN + 1).split('\n', 1);
  return `${name.slice(0, 80)}${line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}`;
}

/** It wrote the counters of a request that is not its own to complete (rule D5). */
export function ofCounters(error: unknown): boolean {
  return isExtSwitchError(error) && error.place.rule === 'D5';
}

/** What is found when a module has held a request for as long as it may; `wantsRestart`: it is the one that asked for a restart. */
export function heldTooLong(
  { oid }: OidRequest,
  ms: number,
  wantsRestart: boolean,
): readonly Pick<Finding, 'rule' | 'severity' | 'message'>[] {
  const held = `held ${oidName(oid)} for ${ms} ms; the switch ended it`;
  const late = { rule: 'NdisTimedOidComplete', severity: 'error', message: held } as const;
  if (!wantsRestart) return [late];
  const message = `asked for a restart of the stack and did not complete ${oidName(oid)}`;
  return [late, { rule: 'A66', severity: 'error', message }];
}
