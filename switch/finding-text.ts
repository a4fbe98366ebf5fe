import { isExtSwitchError } from '../src/core/errors.ts';
import type { Finding } from './environment.ts';
import type { OidRequest } from './oid-request.ts';

/** What a person needs who looks for the cause. */
export function evidenceOf(request: OidRequest): Pick<Finding, 'bytes' | 'route'> {
  const passed = request.modules.slice(request.origin + 1, request.position + 1);
  return { bytes: request.buffer.slice(0, request.length), route: passed.map(({ id }) => id) };
}

/** One line about whatever a handler returned or threw. */
export function describe(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message.split('\n', 1)[0]}`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}

/** It wrote the counters of a request that is not its own to complete (rule D5). */
export function ofCounters(error: unknown): boolean {
  return isExtSwitchError(error) && error.place.rule === 'D5';
}
