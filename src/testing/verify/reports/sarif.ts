import { createHash } from 'node:crypto';
import { harmless } from '../../../core/harmless-text.ts';
import type { RuleForce } from '../../../rules/rule-book.ts';
import { withoutNumbers } from '../finding-key.ts';
import type { VerifyFinding, VerifyReport } from '../verify-report.ts';
import { consequenceCount, consequenceLine } from './consequences.ts';
import { evidence } from './evidence.ts';
import { type FindingRule, findingRule, otherFindings } from './finding-rule.ts';
import { jsonText } from './json.ts';
import { findingLines } from './text.ts';

export interface SarifOptions {
  /** Version of extswitch. */
  readonly toolVersion: string;
  /** File of the extension, relative to the repository, with `/`; or a `file:` URL. */
  readonly file: string;
  readonly command?: string | undefined;
}

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;
/** Id of what no rule names: services drop results that have none. */
const NO_RULE = 'behaviour';

/**
 * SARIF 2.1.0 (OASIS), as CI systems show it beside the code: one run, one result for each finding, at the extension's file, with its
 * consequences: a service that showed each of them would bury the cause. How
 * each rule came out is with its descriptor: services show results of any kind as alerts, so a rule that was kept is none.
 */
export function sarifReport(report: VerifyReport, options: SarifOptions): string {
  const descriptors = new Map<string, object>();
  for (const rule of report.rules) {
    const { outcome, reason } = rule;
    descriptors.set(rule.name ?? rule.rule, descriptor(rule, { outcome, reason }));
  }
  for (const finding of otherFindings(report)) {
    const about = findingRule(report, finding);
    const id = finding.rule ?? NO_RULE;
    if (descriptors.has(id)) continue;
    descriptors.set(id, about === undefined ? nameless(id) : descriptor(about, {}));
  }
  const ids = [...descriptors.keys()];
  const { extension, profile, ok, stages } = report;
  const notes = new Set(stages.flatMap((stage) => stage.notes));
  const document = {
    $schema:
      'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'extswitch verify',
            semanticVersion: options.toolVersion,
            rules: [...descriptors.values()],
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            ...(options.command === undefined ? {} : { commandLine: options.command }),
            toolExecutionNotifications: Array.from(notes, (note) => ({
              level: 'note',
              message: { text: harmless(note) },
            })),
          },
        ],
        results: report.findings.map((finding) => result(finding, ids, report, options)),
        properties: { extension, profile, ok, stages },
      },
    ],
  };
  return jsonText(document);
}

const levelOf = (force: RuleForce): string =>
  force.startsWith('MUST') ? 'error' : force === 'MAY' ? 'note' : 'warning';

function descriptor(about: FindingRule, more: object): object {
  const { rule, name, force, text, sources, what, why, mend } = about;
  const help = [text, why, mend, `Source: ${sources.join(', ')}.`].filter((it) => it !== undefined);
  return {
    id: name ?? rule,
    shortDescription: { text: what ?? text },
    fullDescription: { text },
    help: { text: help.join(' ') },
    defaultConfiguration: { level: levelOf(force) },
    properties: { rule, force, ...more },
  };
}

const nameless = (id: string): object => ({
  id,
  shortDescription: { text: 'It misbehaved in a way that no rule of the rule book names.' },
});

function result(
  finding: VerifyFinding,
  ids: readonly string[],
  report: VerifyReport,
  { file, command }: SarifOptions,
): object {
  const { rule = NO_RULE, severity, message, stage, seed, times, oid, offset } = finding;
  const seen = evidence(finding);
  const { consequences } = finding;
  const more = consequences.length === 0 ? '' : ` (and ${consequenceCount(consequences)})`;
  // What was seen of a rule in a file: ids of ports differ from run to run.
  const identity = `${rule}\n${file}\n${withoutNumbers(message)}`;
  const isUrl = /^[a-z][a-z+.-]+:/i.test(file);
  const location = isUrl
    ? { uri: file }
    : { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
  return {
    ruleId: rule,
    ruleIndex: ids.indexOf(rule),
    level: LEVELS[severity],
    message: { text: linkless(harmless(`${message}${more}`)) },
    locations: [{ physicalLocation: { artifactLocation: location, region: { startLine: 1 } } }],
    occurrenceCount: times,
    partialFingerprints: {
      'extswitchFinding/v1': createHash('sha256').update(identity).digest('hex').slice(0, 32),
    },
    properties: {
      stage,
      seed,
      ...(oid === undefined ? {} : { oid }),
      ...(offset === undefined ? {} : { offset }),
      ...(seen?.member === undefined ? {} : { member: seen.member }),
      ...(seen === undefined ? {} : { bytes: seen.lines.join('\n') }),
      ...(consequences.length === 0
        ? {}
        : { consequences: consequences.map((one) => consequenceLine(one, finding)) }),
      details: findingLines(finding, report, { command }).join('\n'),
    },
  };
}

/** `[text](target)` would be a link in a SARIF message (3.11.6); a bracket with a backslash ends no link text. */
const linkless = (text: string): string => text.replaceAll('](', '\\](');
