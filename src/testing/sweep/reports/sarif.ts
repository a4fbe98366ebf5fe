import { createHash } from 'node:crypto';
import { harmless } from '../../../core/harmless-text.ts';
import { findRule } from '../../../rules/rule-book.ts';
import { withoutNumbers } from '../../verify/finding-key.ts';
import { jsonText } from '../../verify/reports/json.ts';
import { INVARIANTS } from '../breach.ts';
import type { MishandledFault, SweepReport } from '../sweep-report.ts';
import { mishandledLines, notesOf, replayOf } from './text.ts';

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0: one result for each defect, at the file that was swept. */
export function sweepSarif(
  report: SweepReport,
  {
    file,
    toolVersion,
    command,
  }: { file: string; toolVersion: string; command: string | undefined },
): string {
  const ids = [...new Set(report.mishandled.map(idOf))];
  const rules = ids.map((id) => {
    const first = report.mishandled.find((one) => idOf(one) === id);
    const text = findRule(id)?.text ?? INVARIANTS[first?.invariant ?? 'findings'];
    return { id, shortDescription: { text } };
  });
  return jsonText({
    $schema:
      'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'extswitch sweep', semanticVersion: toolVersion, rules } },
        invocations: [
          {
            executionSuccessful: true,
            ...(command === undefined ? {} : { commandLine: command }),
            toolExecutionNotifications: notesOf(report).map((note) => ({
              level: 'note',
              message: { text: harmless(note) },
            })),
          },
        ],
        results: report.mishandled.map((one) => ({
          ruleId: idOf(one),
          ruleIndex: ids.indexOf(idOf(one)),
          level: LEVELS[one.severity],
          message: { text: harmless(one.message).replaceAll('](', '\\](') },
          locations: [
            { physicalLocation: { artifactLocation: locationOf(file), region: { startLine: 1 } } },
          ],
          occurrenceCount: one.count,
          partialFingerprints: { 'extswitchSweep/v1': fingerprint(one, file) },
          properties: {
            fault: one.only,
            seed: one.seed,
            invariant: one.invariant,
            again: replayOf(one, command),
            details: mishandledLines(one, { command }).join('\n'),
          },
        })),
      },
    ],
  });
}

const idOf = ({ rule, invariant }: MishandledFault): string => rule ?? invariant;

function locationOf(file: string): object {
  if (/^[a-z][a-z+.-]+:/i.test(file)) return { uri: file };
  return { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}

function fingerprint(one: MishandledFault, file: string): string {
  const identity = `${idOf(one)}\n${file}\n${withoutNumbers(one.message.split('\n', 1)[0] ?? '')}`;
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}
