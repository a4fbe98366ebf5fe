import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import type { CompatibilityReport, MigrationInfo } from './migration-api.ts';

/** An error as a migration shows and stores it. */
export function errorInfo(error: unknown): NonNullable<MigrationInfo['error']> {
  if (isExtSwitchError(error)) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

/** What a report that is not `ok` becomes for the one who wanted the migration. */
export function incompatible(
  vm: string,
  host: string,
  report: CompatibilityReport,
): ExtSwitchError {
  const errors = report.problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  const { ndisStatus, extensionId, rule } = first ?? {};
  return new ExtSwitchError(
    'INCOMPATIBLE',
    `VM ${JSON.stringify(vm)} cannot run on host ${JSON.stringify(host)}: ${first?.message ?? 'no reason given'}${more}`,
    {
      ...(ndisStatus === undefined ? {} : { ndisStatus }),
      ...(extensionId === undefined ? {} : { extensionId }),
      ...(rule === undefined ? {} : { rule }),
      problems: errors.map((problem) => ({ ...problem })),
    },
  );
}
