import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import type { ExtensionHandlers, ExtensionType, SwitchContext } from '../../src/sdk/extension.ts';
import { verifyExtension } from '../../src/testing/verify/verify-extension.ts';
import { SAMPLE_ID } from '../../src/verifier/rule-check.ts';
import { LIMIT_MOF } from '../../src/verifier/sample-classes.ts';

/** What one stage finds, as `severity rule`, and its notes. */
async function found(
  stage: string,
  type: ExtensionType,
  attach: (sw: SwitchContext) => ExtensionHandlers,
  mof?: string,
) {
  const extension = defineExtension({
    id: SAMPLE_ID,
    name: 'Sample',
    vendor: 'extswitch',
    version: '1.0',
    type,
    attach,
  });
  const options = { stages: [stage], seeds: 1, ...(mof === undefined ? {} : { mof }) };
  const { findings, stages, rules } = await verifyExtension(extension, options);
  return {
    found: findings.map(({ severity, rule }) => `${severity} ${rule}`),
    messages: findings.map(({ message }) => message),
    notes: stages.flatMap(({ notes }) => notes),
    outcome: (wanted: string) => rules.find(({ rule }) => rule === wanted)?.outcome,
  };
}

t.test('an extension that reads a malformed property without a look throws: D11, D6', async (t) => {
  const { found: all, messages } = await found(
    'malformed-properties',
    'filter',
    () => ({
      addPortProperty({ feature, settings }) {
        if (feature === undefined || settings !== undefined) return 'forward';
        throw new TypeError('Limit of nothing');
      },
    }),
    LIMIT_MOF,
  );
  t.same(new Set(all), new Set(['error D6', 'error D11']));
  for (const what of ['Header.Type 0', 'Header.Revision 0', 'Header.Size 4']) {
    t.ok(
      messages.includes(`threw for Sample_LimitSettingData with ${what}; expected it to refuse it`),
      what,
    );
  }
});

t.test('a generic handler that reads the head of an empty set: D12 beside D6', async (t) => {
  const { found: all } = await found('malformed-properties', 'filter', () => ({
    oidRequest({ bytes, requestType }) {
      if (requestType === 'set')
        new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint8(0);
      return 'forward';
    },
  }));
  t.same(new Set(all), new Set(['error D6', 'warning D12']));
});

t.test(
  'with no class of its own it gets standard properties: D11 is exercised, and kept',
  async (t) => {
    const { found: all, outcome } = await found('malformed-properties', 'capture', () => ({}));
    t.same(all, []);
    t.equal(outcome('D11'), 'kept');
    t.equal(outcome('D12'), 'kept');
  },
);

t.test(
  'a query, a set and a method that nobody knows: each one that is answered is D13',
  async (t) => {
    const { messages } = await found('unknown-oids', 'filter', () => ({
      oidRequest: ({ oid }) => (oid === 0xff0102fe ? NdisStatus.INVALID_OID : 'forward'),
    }));
    t.same(
      messages.filter((message) => message.startsWith('Sample completed')),
      ['Sample completed 0xFF0102FE with NDIS_STATUS_INVALID_OID; it must forward it'],
      'told once for the three',
    );
  },
);

t.test(
  'hardware that is refused by who may is a note, and what needs it is not exercised',
  async (t) => {
    const {
      found: all,
      notes,
      outcome,
    } = await found('hardware', 'forward', () => ({
      nicRequest: ({ oidName }) =>
        /ALLOCATE_VF|ALLOCATE_QUEUE/.test(oidName) ? NdisStatus.RESOURCES : 'forward',
    }));
    t.same(all, []);
    t.same(notes, ['no virtual function was used: ALLOCATE_VF or CREATE_VPORT fails']);
    t.equal(outcome('D41'), 'kept');
    t.equal(outcome('D40'), 'notExercised');
    t.equal(outcome('H12'), 'notExercised');
  },
);

t.test(
  'REMOVE_VF for each virtual function: they go, and the VM gets another one (H12, H14)',
  async (t) => {
    const { found: all, outcome } = await found('hardware', 'forward', (sw) => ({
      restart: () => void sw.parameters(),
      nicStatus() {
        for (const { portId, index, vfAssigned, state } of sw.nics()) {
          if (!vfAssigned || state !== 'connected') continue;
          if (sw.referenceNic(portId, index) !== NdisStatus.SUCCESS) continue;
          const destination = { portId, nicIndex: index };
          sw.indicateNicStatus({ destination, statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF });
          sw.dereferenceNic(portId, index);
        }
      },
    }));
    t.same(all, []);
    for (const rule of ['H9', 'H11', 'H12', 'H13', 'D40']) t.equal(outcome(rule), 'kept', rule);
  },
);

t.test(
  'an extension that asks more than a trace keeps is not held against what the trace has lost (E20, C23, B22)',
  async (t) => {
    const id = 'a1000000-0000-4000-8000-0000000000b1';
    const curious = defineExtension({
      id,
      name: 'Curious',
      vendor: 'extswitch',
      version: '1.0',
      type: 'filter',
      attach(sw) {
        let asked = 0;
        return {
          connectNic() {
            // A trace keeps 10,000 entries.
            for (; asked < 10_500; asked++) sw.parameters();
            return 'forward';
          },
        };
      },
    });
    const report = await verifyExtension(curious, { stages: ['whole-life'] });
    t.same(report.findings, []);
  },
);
