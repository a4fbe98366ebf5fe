import { oidName } from '../src/abi/index.ts';
import { isErrorStatus, statusName } from '../src/core/status.ts';
import type { Encapsulated } from './encapsulated-request.ts';
import type { FilterModule } from './filter-module.ts';
import { failingOf } from './offload-oids.ts';

/** What a module's status for a NIC_REQUEST comes to: it stands, or the request goes on; and what rule it broke. */
export interface Ending {
  readonly stands: boolean;
  readonly finding?: EndingFinding;
}

/** A broken rule, without who broke it. */
export interface EndingFinding {
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

const STANDS: Ending = { stands: true };

/** Judges `status` with which `module` ended the encapsulated request on its way down (rule book D.5). */
export function judgeEnding(module: FilterModule, inner: Encapsulated, status: number): Ending {
  const what = oidName(inner.parts.oid);
  const { replacement } = inner;
  // Rules D31, D38: it sent one of its own instead, and the original ends as that one did.
  if (replacement !== undefined && replacement.by === module) {
    if (replacement.status === status) return STANDS;
    const own = statusName(replacement.status);
    const message = `completed ${what} with ${statusName(status)} although its own one has ${own}`;
    return { stands: true, finding: { rule: 'D38', severity: 'error', message } };
  }
  const how = `completed ${what} with ${statusName(status)}`;
  if (!isErrorStatus(status)) {
    const message = `${how} without one of its own in its place; it must forward it`;
    return { stands: false, finding: { rule: 'D38', severity: 'error', message } };
  }
  const failing = failingOf(inner.offload);
  if (failing.by === 'never') {
    const message = `${how}; it must forward it`;
    return { stands: false, finding: { rule: failing.rule, severity: 'error', message } };
  }
  // Rules A17, A25: the others inspect; nobody below can tell, so the failure counts all the same.
  if (module.type !== 'forward') {
    const message = `a ${module.type} extension ${how}; only a forwarding extension may refuse it`;
    return { stands: true, finding: { rule: 'D41', severity: 'error', message } };
  }
  if (failing.by === 'veto') return STANDS;
  const message = `${how}; the documents disagree whether it may be failed (OP-41)`;
  return { stands: true, finding: { rule: failing.rule, severity: 'warning', message } };
}

/** Judges that `module` forwards the encapsulated request; `isLate`: after its handler had returned. */
export function judgeForwarding(
  module: FilterModule,
  inner: Encapsulated,
  isLate: boolean,
): EndingFinding | undefined {
  const what = oidName(inner.parts.oid);
  if (inner.replacement?.by === module) {
    const message = `forwarded ${what} although it had sent one of its own in its place`;
    return { rule: 'D38', severity: 'error', message };
  }
  if (!isLate) return undefined;
  const message = `forwarded ${what} after its handler had returned; it must do so inside`;
  return { rule: 'D35', severity: 'error', message };
}
