import type {
  RuleOutcome,
  VerifyFinding,
  VerifyReport,
} from '../../src/testing/verify/verify-report.ts';

/** Everything a name or a message can hold that would end, open or hide something in one of the formats. */
export const HOSTILE =
  'a <b> & "c" \'d\' ]]> --> # TODO x\n  ...\nnot ok 9\n1..0\n\u001b[31mred\u0000\t\ud800 \u202e[text](http://x) \\# {';

/** NDIS_SWITCH_PORT_PARAMETERS, 1,056 bytes, with the least byte of its PortId (8) changed. */
function portParameters(): Uint8Array {
  const bytes = new Uint8Array(1056);
  bytes.set([0x80, 1, 0x20, 4, 0, 0, 0, 0, 0x07]);
  return bytes;
}

export const CHANGED_BYTE: VerifyFinding = {
  rule: 'B26',
  severity: 'error',
  message: 'Guard changed byte 8 of OID_SWITCH_PORT_CREATE',
  stage: 'whole-life',
  seed: 'life-cycle-1',
  times: 3,
  oid: 'OID_SWITCH_PORT_CREATE',
  bytes: portParameters(),
  offset: 8,
  route: ['Witness above', 'Guard'],
  consequences: [],
};

export const RULE_OUTCOMES: readonly RuleOutcome[] = [
  {
    rule: 'B26',
    force: 'MUST NOT',
    text: 'MUST NOT modify the parameters.',
    sources: ['oid-switch-port-create.md'],
    what: 'It changes a port.',
    why: 'Others see another port.',
    mend: 'Read it only.',
    outcome: 'broken',
  },
  {
    rule: 'D6',
    name: 'NdisOidComplete',
    force: 'MUST',
    text: 'MUST complete each request.',
    sources: ['oid.md'],
    what: 'It holds a request.',
    why: 'The switch waits.',
    mend: 'Complete it.',
    outcome: 'broken',
  },
  {
    rule: 'B24',
    force: 'SHOULD',
    text: 'SHOULD forward.',
    sources: ['a.md', 'b.md'],
    what: 'w',
    why: 'y',
    mend: 'm',
    outcome: 'broken',
  },
  {
    rule: 'B25',
    force: 'MUST NOT',
    text: 'MUST NOT issue port OIDs.',
    sources: ['a.md'],
    what: 'w',
    why: 'y',
    mend: 'm',
    outcome: 'kept',
  },
  {
    rule: 'B42',
    force: 'MUST NOT',
    text: 'MUST NOT keep a reference.',
    sources: ['a.md'],
    what: 'w',
    why: 'y',
    mend: 'm',
    outcome: 'notExercised',
    reason: 'reference a port, then delete it',
  },
  {
    rule: 'B31',
    force: 'MUST',
    text: 'MUST stop sending.',
    sources: ['a.md'],
    outcome: 'unseen',
    because: 'packets',
    reason: 'no packets move in this version',
  },
  {
    rule: 'B41',
    force: 'MAY',
    text: 'A reference MAY race.',
    sources: ['a.md'],
    outcome: 'unseen',
    because: 'may',
    reason: 'a permission',
  },
  {
    rule: 'H10',
    force: 'MUST',
    text: 'MUST carry its handle.',
    sources: ['a.md'],
    outcome: 'unchecked',
    reason: 'this version has no check for it',
  },
];

/** A report with a finding of every kind; those that can carry text of an extension carry {@link HOSTILE}. */
export function sampleReport(text = HOSTILE): VerifyReport {
  const at = { stage: 'whole-life', seed: text, times: 1, consequences: [] };
  return {
    extension: {
      id: '7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e10',
      name: text,
      version: '1.0',
      type: 'filter',
    },
    profile: 'ws2022',
    ok: false,
    findings: [
      CHANGED_BYTE,
      {
        ...at,
        rule: 'NdisOidComplete',
        severity: 'error',
        message: text,
        route: [text],
        oid: text,
      },
      { ...at, rule: undefined, severity: 'error', message: text },
      // A rule of the switch that the extension made it break.
      { ...at, rule: 'B16', severity: 'error', message: 'the port is not there' },
      { ...at, rule: 'B24', severity: 'warning', message: text },
      { ...at, rule: 'H10', severity: 'info', message: 'for the record' },
    ],
    rules: RULE_OUTCOMES,
    stages: [
      {
        name: 'whole-life',
        title: 'A whole life',
        ok: false,
        seed: text,
        seeds: 1,
        notes: ['no class of its own', text],
      },
      {
        name: 'late-oids',
        title: 'Late OIDs',
        ok: true,
        seed: 'life-cycle-1',
        seeds: 2,
        notes: [],
      },
    ],
  };
}

/** The same extension without a mistake. */
export function cleanReport(): VerifyReport {
  const rules = RULE_OUTCOMES.filter(({ outcome }) => outcome !== 'broken');
  const extension = { ...sampleReport().extension, name: 'Guard' };
  return { ...sampleReport('x'), extension, ok: true, findings: [], rules };
}
