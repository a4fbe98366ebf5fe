import { AssertionError } from 'node:assert';
import type { ErrorPlace } from '../core/errors.ts';
import { isExtSwitchError } from '../core/errors.ts';
import type { TestFinding, TestSwitch } from './test-switch.ts';

export interface FindingExpectation {
  /** Rules that may have been broken, e.g. because the test breaks them on purpose. */
  readonly except?: readonly string[];
  /** Also fail on findings of severity `info`; default false. */
  readonly info?: boolean;
}

/**
 * Fails with an `AssertionError` that lists what the switch saw go wrong: bytes changed that may not be, requests completed
 * twice or never, vetoes of what may not be vetoed, handlers that threw.
 */
export function expectNoFindings(
  sw: Pick<TestSwitch, 'findings'>,
  expectation: FindingExpectation = {},
): void {
  const except = new Set(expectation.except);
  const found = sw
    .findings()
    .filter(
      ({ rule, severity }) =>
        !except.has(rule) && (severity !== 'info' || expectation.info === true),
    );
  if (found.length === 0) return;
  throw new AssertionError({
    message: `${found.length} finding${found.length === 1 ? '' : 's'}:\n${found.map(findingText).join('\n')}`,
    actual: found,
    expected: [],
    operator: 'expectNoFindings',
    stackStartFn: expectNoFindings,
  });
}

function findingText({ rule, severity, message }: TestFinding): string {
  return `  ${severity} ${rule}: ${message}`;
}

/**
 * Waits for `change` to be refused by an extension and returns where (extension, OID, status). Fails with an
 * `AssertionError` when it succeeds, fails otherwise, or is refused with another status than `status` (a name, with or
 * without `NDIS_STATUS_`; default `DATA_NOT_ACCEPTED`).
 */
export async function expectVeto(
  change: Promise<unknown>,
  status = 'DATA_NOT_ACCEPTED',
): Promise<ErrorPlace> {
  const expected = status.startsWith('NDIS_STATUS_') ? status : `NDIS_STATUS_${status}`;
  let outcome: unknown;
  try {
    outcome = await change;
  } catch (error) {
    if (isExtSwitchError(error) && error.code === 'VETOED') {
      if (error.place.ndisStatus === expected) return error.place;
      throw failure(`refused with ${error.place.ndisStatus}, not ${expected}`, error, expected);
    }
    throw failure(
      `expected a veto with ${expected}, but it failed otherwise: ${error instanceof Error ? error.message : String(error)}`,
      error,
      expected,
    );
  }
  throw failure(`expected a veto with ${expected}, but it was accepted`, outcome, expected);
}

function failure(message: string, actual: unknown, expected: string): AssertionError {
  return new AssertionError({
    message,
    actual,
    expected,
    operator: 'expectVeto',
    stackStartFn: expectVeto,
  });
}
