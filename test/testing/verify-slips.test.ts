import t from 'tap';
import { Found } from '../../src/testing/verify/found.ts';
import { verifyReport } from '../../src/testing/verify/reports/report.ts';
import { CHANGED_BYTE, cleanReport } from './verify-report-sample.ts';

/* Small slips in verify and its reports that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

const seen = (severity: 'error' | 'warning' | 'info', message: string) =>
  ({ rule: 'B39', severity, message, stage: 'whole-life', seed: 'life-cycle-1' }) as const;

t.test('of one cause the most severe is the finding, whatever was seen first', (t) => {
  const found = new Found();
  found.add(seen('info', 'it asked again'), 'the same');
  found.add(seen('error', 'it kept port 3'), 'the same');
  found.add(seen('warning', 'it was slow'), 'the same');
  found.add(seen('error', 'it kept port 4'), 'the same');
  t.match(found.findings(), [
    {
      severity: 'error',
      message: 'it kept port 3',
      times: 2,
      consequences: [
        { severity: 'warning', message: 'it was slow', times: 1 },
        { severity: 'info', message: 'it asked again', times: 1 },
      ],
    },
  ]);
  t.equal(found.findings().length, 1);
  t.end();
});

t.test('SARIF: a finding has the same fingerprint in the next run, though ports differ', (t) => {
  const fingerprint = (message: string): string => {
    const report = { ...cleanReport(), findings: [{ ...CHANGED_BYTE, message }] };
    const text = verifyReport(report, 'sarif', { toolVersion: '1.0.0', file: 'guard.ts' });
    const { runs } = JSON.parse(text) as {
      readonly runs: readonly {
        readonly results: readonly { readonly partialFingerprints: Record<string, string> }[];
      }[];
    };
    return JSON.stringify(runs[0]?.results[0]?.partialFingerprints);
  };
  t.match(fingerprint('Guard kept port 7'), /"extswitchFinding\/v1":"[0-9a-f]{32}"/);
  t.equal(fingerprint('Guard kept port 7'), fingerprint('Guard kept port 12'));
  t.not(fingerprint('Guard kept port 7'), fingerprint('Guard kept the NIC'));
  t.end();
});
