import t from 'tap';
import { verifyReport } from '../../src/testing/verify/reports/report.ts';
import { cleanReport, HOSTILE, sampleReport } from './verify-report-sample.ts';

/*
 * What the schema of SARIF 2.1.0 (OASIS, errata 01) says about the objects we write: members that must be there, and all that may.
 * Every object of it but property bags forbids others.
 */
interface Shape {
  readonly required: readonly string[];
  /** Members that are objects, or arrays of them, by the shape they have; `plain` for all else. */
  readonly members: Readonly<Record<string, string>>;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  log: {
    required: ['version', 'runs'],
    members: { $schema: 'plain', version: 'plain', runs: 'run' },
  },
  run: {
    required: ['tool'],
    members: { tool: 'tool', invocations: 'invocation', results: 'result', properties: 'bag' },
  },
  tool: { required: ['driver'], members: { driver: 'toolComponent' } },
  toolComponent: {
    required: ['name'],
    members: { name: 'plain', semanticVersion: 'plain', rules: 'reportingDescriptor' },
  },
  reportingDescriptor: {
    required: ['id'],
    members: {
      id: 'plain',
      shortDescription: 'text',
      fullDescription: 'text',
      help: 'text',
      defaultConfiguration: 'reportingConfiguration',
      properties: 'bag',
    },
  },
  reportingConfiguration: { required: [], members: { level: 'plain' } },
  text: { required: ['text'], members: { text: 'plain' } },
  invocation: {
    required: ['executionSuccessful'],
    members: {
      executionSuccessful: 'plain',
      commandLine: 'plain',
      toolExecutionNotifications: 'notification',
    },
  },
  notification: { required: ['message'], members: { message: 'text', level: 'plain' } },
  result: {
    required: ['message'],
    members: {
      ruleId: 'plain',
      ruleIndex: 'plain',
      level: 'plain',
      message: 'text',
      locations: 'location',
      occurrenceCount: 'plain',
      partialFingerprints: 'bag',
      properties: 'bag',
    },
  },
  location: { required: [], members: { physicalLocation: 'physicalLocation' } },
  physicalLocation: {
    required: ['artifactLocation'],
    members: { artifactLocation: 'artifactLocation', region: 'region' },
  },
  artifactLocation: { required: ['uri'], members: { uri: 'plain', uriBaseId: 'plain' } },
  region: { required: ['startLine'], members: { startLine: 'plain' } },
};

/** What is wrong with a value of a shape, with the place. */
function wrong(value: unknown, shape: string, at = '$'): string[] {
  if (shape === 'plain') return typeof value === 'object' ? [`${at} is no plain value`] : [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`${at} is no object`];
  }
  if (shape === 'bag') return [];
  const { required, members } = SHAPES[shape] ?? { required: ['?'], members: {} };
  const missing = required.filter((name) => !(name in value)).map((name) => `${at} has no ${name}`);
  const inside = Object.entries(value).flatMap(([name, member]) => {
    const wanted = members[name];
    if (wanted === undefined) return [`${at} may not have ${name}`];
    const all: unknown[] = Array.isArray(member) ? member : [member];
    return all.flatMap((one, i) => wrong(one, wanted, `${at}.${name}[${i}]`));
  });
  return [...missing, ...inside];
}

const LEVELS = ['none', 'note', 'warning', 'error'];

const sarif = (file = 'src/guard.ts', report = sampleReport()) =>
  JSON.parse(
    verifyReport(report, 'sarif', { file, toolVersion: '1.2.3', command: 'extswitch verify x' }),
  );

t.test('SARIF: every object has what the schema requires, and nothing it forbids', async (t) => {
  for (const document of [sarif(), sarif('src/guard.ts', cleanReport())]) {
    t.strictSame(wrong(document, 'log'), []);
    t.equal(document.version, '2.1.0');
    const [run] = document.runs;
    const { rules } = run.tool.driver;
    t.equal(run.tool.driver.semanticVersion, '1.2.3');
    t.equal(new Set(rules.map(({ id }: { id: string }) => id)).size, rules.length, 'ids once');
    for (const { defaultConfiguration } of rules) {
      if (defaultConfiguration !== undefined) t.ok(LEVELS.includes(defaultConfiguration.level));
    }
    for (const { ruleId, ruleIndex, level, locations, occurrenceCount, message } of run.results) {
      t.equal(rules[ruleIndex]?.id, ruleId, 'ruleIndex leads to the descriptor of ruleId');
      t.ok(LEVELS.includes(level));
      t.ok(Number.isInteger(occurrenceCount) && occurrenceCount >= 1);
      t.equal(locations[0].physicalLocation.region.startLine, 1);
      t.not(message.text, '');
    }
  }
});

t.test('SARIF: a check of ours that forgets a member, or has one too many, is seen', async (t) => {
  const document = sarif();
  delete document.runs[0].results[0].message;
  document.runs[0].tool.driver.extra = 1;
  t.strictSame(wrong(document, 'log'), [
    '$.runs[0].tool[0].driver[0] may not have extra',
    '$.runs[0].results[0] has no message',
  ]);
});

t.test(
  'SARIF: results by level, under their own ids, each with a fingerprint of its own',
  async (t) => {
    const [run] = sarif().runs;
    const { results } = run;
    t.strictSame(
      results.map(({ ruleId, level }: { ruleId: string; level: string }) => `${level} ${ruleId}`),
      [
        'error B26',
        'error NdisOidComplete',
        'error behaviour',
        'error B16',
        'warning B24',
        'note H10',
      ],
    );
    const prints = results.map((one: { partialFingerprints: object }) =>
      JSON.stringify(one.partialFingerprints),
    );
    t.equal(new Set(prints).size, 6);
    t.match(results[0], {
      occurrenceCount: 3,
      properties: {
        oid: 'OID_SWITCH_PORT_CREATE',
        offset: 8,
        member: 'NDIS_SWITCH_PORT_PARAMETERS.PortId',
        bytes: /^0000 {2}80 01 20 04/,
        details: /again extswitch verify x --stage whole-life --seed life-cycle-1$/,
      },
    });
    t.match(results[2].message.text, /^a <b> & "c" 'd' \]\]> --> # TODO x\n/);
    // SARIF 2.1.0, 3.11.6: `[text](target)` would be a link.
    t.match(results[2].message.text, '[text\\](http://x)');
  },
);

t.test('SARIF: how each rule came out is with its descriptor, not a result', async (t) => {
  const [run] = sarif('x', cleanReport()).runs;
  t.strictSame(run.results, []);
  const outcomes = run.tool.driver.rules.map(
    ({ id, properties }: { id: string; properties: { outcome: string; reason?: string } }) =>
      `${id} ${properties.outcome}: ${properties.reason ?? ''}`,
  );
  t.strictSame(outcomes, [
    'B25 kept: ',
    'B42 notExercised: reference a port, then delete it',
    'B31 unseen: no packets move in this version',
    'B41 unseen: a permission',
    'H10 unchecked: this version has no check for it',
  ]);
});

t.test('SARIF: the path of the extension is a valid URI reference', async (t) => {
  const uri = (file: string) =>
    sarif(file).runs[0].results[0].locations[0].physicalLocation.artifactLocation;
  t.strictSame(uri('my folder/50% #1?.ts'), {
    uri: 'my%20folder/50%25%20%231%3F.ts',
    uriBaseId: '%SRCROOT%',
  });
  t.strictSame(uri('file:///a/b.ts'), { uri: 'file:///a/b.ts' });
  t.doesNotThrow(() => new URL(uri(HOSTILE.replace('\ud800', '')).uri, 'file:///'));
});
