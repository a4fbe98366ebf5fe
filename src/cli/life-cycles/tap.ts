import type { LifeCycleReport } from '../../testing/index.ts';
import { harmless } from '../terminal.ts';

/** JSON is YAML; control characters cannot drive the terminal. */
const quoted = (text: string): string => harmless(JSON.stringify(text));

/** One test point with its diagnostics as a YAML block. */
export function testPoint(
  number: number,
  extension: string,
  report: LifeCycleReport,
  reproduce: string,
): string {
  const lines = [
    `${report.ok ? 'ok' : 'not ok'} ${number} - ${report.name}: ${harmless(extension.replaceAll('#', '\\#'))}`,
    '  ---',
    `  seed: ${quoted(report.seed)}`,
    `  seeds: ${report.seeds}`,
    `  profile: ${report.profile}`,
    `  scheduling: ${report.scheduling}`,
  ];
  if (report.notes.length > 0) {
    lines.push('  notes:', ...report.notes.map((note) => `    - ${quoted(note)}`));
  }
  if (!report.ok) {
    lines.push('  failures:');
    for (const { message, rule } of report.failures) {
      lines.push(`    - message: ${quoted(message)}`);
      if (rule !== undefined) lines.push(`      rule: ${quoted(rule)}`);
    }
    lines.push(`  reproduce: ${quoted(reproduce)}`);
  }
  lines.push('  ...');
  return lines.join('\n');
}
