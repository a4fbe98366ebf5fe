import { readFileSync } from 'node:fs';
import t from 'tap';
import { compileMof } from '../../../src/mof/compiler.ts';
import { type Diagnostic, isMofValid } from '../../../src/mof/diagnostic.ts';
import {
  DIAGNOSTIC_CODES,
  type DiagnosticCode,
  type DiagnosticRule,
} from '../../../src/mof/diagnostic-codes.ts';
import { DIAGNOSTIC_SAMPLES } from './diagnostic-samples.ts';
import { featureText } from './feature-text.ts';

const CODES = Object.keys(DIAGNOSTIC_CODES) as DiagnosticCode[];

function marked(diagnostic: Diagnostic): string {
  return diagnostic.lineText.slice(diagnostic.column - 1, diagnostic.endColumn - 1);
}

t.test('a class with everything in place has no finding, also in strict mode', (t) => {
  for (const strict of [false, true]) {
    const result = compileMof(featureText(), { strict });
    t.same(result.diagnostics, []);
    t.equal(result.features.length, 1);
  }
  t.end();
});

t.test('each diagnostic code has a text that gives it and a neighbour that does not', (t) => {
  t.same(Object.keys(DIAGNOSTIC_SAMPLES).sort(), [...CODES].sort());
  for (const code of CODES) {
    const sample = DIAGNOSTIC_SAMPLES[code];
    if (sample === undefined) continue;
    const bad = compileMof(sample.bad, sample.options);
    const found = bad.diagnostics.find((each) => each.code === code);
    t.ok(found, `${code}: is given (${bad.diagnostics.map((each) => each.code)})`);
    if (found === undefined) continue;
    if (sample.at !== undefined) t.equal(marked(found), sample.at, `${code}: its place`);
    const severity = code.startsWith('E-') ? 'error' : 'warning';
    t.equal(found.severity, severity, `${code}: severity`);
    t.equal(isMofValid(bad), severity === 'warning', `${code}: nothing else is an error`);
    const good = compileMof(sample.good, sample.goodOptions);
    const others = good.diagnostics.map((each) => each.code);
    t.notOk(others.includes(code), `${code}: not by its neighbour (${others})`);
  }
  t.end();
});

t.test('a quirk is a warning that keeps the feature; in strict mode it is an error', (t) => {
  for (const code of CODES) {
    const { strict }: DiagnosticRule = DIAGNOSTIC_CODES[code];
    if (!code.startsWith('W-')) {
      t.equal(strict, undefined, `${code} is an error anyway`);
      continue;
    }
    const sample = DIAGNOSTIC_SAMPLES[code];
    if (sample === undefined) continue;
    const result = compileMof(sample.bad, { ...sample.options, strict: true });
    const found = result.diagnostics.find((each) => each.code === code);
    t.equal(found?.severity, strict === 'error' ? 'error' : 'warning', `${code} in strict mode`);
  }
  t.end();
});

t.test('docs/reference/mof.md lists every code with its title, and no other', (t) => {
  const text = readFileSync(new URL('../../../docs/reference/mof.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([EW]-[A-Z0-9-]+)` \| (.+?) \| (.+?) \|/gm)];
  const listed = new Map(rows.map(([, code, title, strict]) => [code, [title, strict]]));
  t.same([...listed.keys()].sort(), [...CODES].sort());
  for (const code of CODES) {
    const { title, strict }: DiagnosticRule = DIAGNOSTIC_CODES[code];
    const severity = code.startsWith('E-') ? 'error' : strict === 'error' ? 'quirk' : 'advice';
    t.same(listed.get(code), [title, severity], code);
  }
  const mentioned = new Set(text.match(/\b[EW]-[A-Z][A-Z0-9-]*[A-Z0-9]\b/g));
  for (const code of mentioned) t.ok(CODES.includes(code as DiagnosticCode), `${code} exists`);
  t.end();
});
