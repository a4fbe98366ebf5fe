import t from 'tap';
import { rulesKeptIn, rulesNamedIn, testsIn } from '../../scripts/rule-citations.ts';
import { CHAPTERS, findRule, OPEN_POINTS, RULES } from '../../src/rules/rule-book.ts';

/** Counted in the rule book. */
const PER_CHAPTER = {
  A: 75,
  B: 52,
  C: 62,
  D: 44,
  E: 62,
  F: 15,
  G: 46,
  H: 16,
  I: 100,
  J: 15,
  K: 20,
};

t.test('the book has 507 rules: 233 of the switch, 250 of extensions, 24 of management', (t) => {
  t.equal(RULES.length, 507);
  const count = (kind: string): number => RULES.filter((rule) => rule.kind === kind).length;
  t.same([count('switch'), count('ext'), count('mgmt')], [233, 250, 24]);
  t.same(
    Object.fromEntries(CHAPTERS.map(({ letter, rules }) => [letter, rules.length])),
    PER_CHAPTER,
  );
  t.end();
});

t.test('rules are numbered without a gap in each chapter, and found by id', (t) => {
  for (const { letter, rules } of CHAPTERS) {
    t.same(
      rules.map((rule) => rule.id),
      rules.map((_rule, i) => `${letter}${i + 1}`),
    );
  }
  t.equal(findRule('E16')?.kind, 'switch');
  t.equal(findRule('A76'), undefined);
  t.end();
});

t.test('every rule has its force in its text, a source, and open points that exist', (t) => {
  for (const rule of RULES) {
    t.match(rule.text, new RegExp(`\\b${rule.force}\\b`), rule.id);
    t.notMatch(rule.text, /\*\*|→ OP-/, rule.id);
    t.ok(rule.sources.length > 0, rule.id);
    for (const point of rule.openPoints) t.ok(point >= 1 && point <= 57, rule.id);
  }
  t.end();
});

t.test('three rules read as in the book', (t) => {
  t.same(findRule('B1'), {
    id: 'B1',
    kind: 'switch',
    force: 'MUST',
    text: 'MUST give every port a PortId unique on the switch and greater than NDIS_SWITCH_DEFAULT_PORT_ID (0).',
    sources: ['overview-of-hyper-v-extensible-switch-ports.md'],
    openPoints: [],
  });
  t.same(findRule('A13'), {
    id: 'A13',
    kind: 'ext',
    force: 'MUST',
    text: 'A capturing extension MUST forward every packet, OID and status indication it receives, unmodified.',
    sources: ['capturing-extensions.md'],
    openPoints: [2],
  });
  t.match(findRule('K3'), { kind: 'mgmt', force: 'MUST NOT', openPoints: [] });
  t.end();
});

t.test('there are 57 open points, each with a topic, what is unclear and a reading', (t) => {
  t.equal(OPEN_POINTS.length, 57);
  OPEN_POINTS.forEach((point, i) => {
    t.equal(point.number, i + 1);
    t.ok(point.topic.length > 2 && point.unclear.length > 10 && point.reading.length > 10);
  });
  t.equal(OPEN_POINTS[23]?.topic, 'ref-created');
  t.match(OPEN_POINTS[28]?.reading, /default 0 automatic retries/);
  // Points that a rule names; the rest qualify structures, sequences or the data path as a whole.
  const named = new Set(RULES.flatMap((rule) => rule.openPoints));
  t.ok(named.has(1) && named.has(39) && named.size > 40);
  t.end();
});

t.test(
  'ranges are written out; sequences, open points and numbers no rule has are left out',
  (t) => {
    t.same(rulesNamedIn('A46-A49, S13 and E14; OP-4, K21, B20–22'), [
      ...['A46', 'A47', 'A48', 'A49', 'E14', 'B20', 'B21', 'B22'],
    ]);
    t.same(rulesNamedIn('NDIS 6.85, quirk 10, E2E, R5'), []);
    t.end();
  },
);

t.test('a source keeps what it names after the word rule, or as a whole string', (t) => {
  const source = `
/** Queries (rules F1-F3, S7 and
 * E14). Rule B20: later. The rule book (B.5) and E15 alone name none. */
const row = { to: 'created', rule: 'B16' }; // rules: C1/C2
const other = 'B17 is told';`;
  t.same([...rulesKeptIn(source)].sort(), ['B16', 'B20', 'C1', 'C2', 'E14', 'F1', 'F2', 'F3']);
  t.end();
});

t.test('only titles of tests that run prove a rule', (t) => {
  const source = `
// t.test('B1 in a comment', () => {});
/* t.test('B2 in a comment', () => {}); */
t.test('a port gets an id (B3)', (t) => { t.ok(true, 'B4 in an assertion'); });
t.test('left out (B5)', { skip: true }, () => {});
t.test('for later (B6)', { todo: 'soon' }, () => {});
t.test('slow (B7)', { timeout: 5 }, () => {});
t.test(
  \`made by hand (B8)\`,
  () => {},
);
t.test("it's quoted (B9)", () => {});`;
  t.same(
    testsIn('x.test.ts', source).map(({ title, rules }) => [title, ...rules]),
    [
      ['a port gets an id (B3)', 'B3'],
      ['slow (B7)', 'B7'],
      ['made by hand (B8)', 'B8'],
      ["it's quoted (B9)", 'B9'],
    ],
  );
  t.end();
});
