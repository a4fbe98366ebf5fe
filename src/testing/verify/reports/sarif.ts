import type { RuleOutcome, VerifyFinding, VerifyReport } from '../verify-report.ts';
import { evidence } from './evidence.ts';

export interface SarifOptions {
  /** Version of extswitch. */
  readonly toolVersion: string;
  /** File of the extension, relative to the repository, with `/`. */
  readonly file: string;
}

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0 (OASIS), as CI systems show it beside the code: one run, one result for each finding, at the extension's file. */
export function sarifReport(report: VerifyReport, options: SarifOptions): string {
  const rules = report.rules.filter(({ outcome }) => outcome !== 'unchecked');
  const ids = rules.map(({ rule, name }) => name ?? rule);
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'extswitch verify',
            semanticVersion: options.toolVersion,
            rules: rules.map(ruleDescriptor),
          },
        },
        invocations: [{ executionSuccessful: true }],
        results: report.findings.map((finding) => result(finding, ids, options.file)),
      },
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function ruleDescriptor({
  rule,
  name,
  force,
  text,
  sources,
  what,
  why,
  mend,
}: RuleOutcome): object {
  const level = force.startsWith('MUST') ? 'error' : force === 'MAY' ? 'note' : 'warning';
  const help = [text, why, mend, `Source: ${sources.join(', ')}.`].filter((it) => it !== undefined);
  return {
    id: name ?? rule,
    name: name ?? rule,
    shortDescription: { text: what ?? text },
    fullDescription: { text },
    help: { text: help.join(' ') },
    defaultConfiguration: { level },
    properties: { rule, force },
  };
}

function result(finding: VerifyFinding, ids: readonly string[], file: string): object {
  const { rule, severity, message, stage, seed, times, oid, offset } = finding;
  const ruleIndex = rule === undefined ? -1 : ids.indexOf(rule);
  const shown = evidence(finding)?.lines.join('\n');
  return {
    ...(rule === undefined ? {} : { ruleId: rule }),
    ...(ruleIndex < 0 ? {} : { ruleIndex }),
    level: LEVELS[severity],
    message: { text: message },
    locations: [
      { physicalLocation: { artifactLocation: { uri: file }, region: { startLine: 1 } } },
    ],
    occurrenceCount: times,
    properties: {
      stage,
      seed,
      ...(oid === undefined ? {} : { oid }),
      ...(offset === undefined ? {} : { offset }),
      ...(shown === undefined ? {} : { bytes: shown }),
    },
  };
}
