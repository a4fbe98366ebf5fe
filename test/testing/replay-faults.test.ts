import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { FaultRuleOptions } from '../../src/policy/faults-api.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import type { ExtensionDefinition, ExtensionHandlers } from '../../src/sdk/extension.ts';
import { replayText, replayTrace } from '../../src/testing/index.ts';

const ID = 'c0ffee00-5055-47cd-9055-a76b2b4e369e';
const BELOW = 'c0ffee01-5055-47cd-9055-a76b2b4e369e';

const guard = (handlers: ExtensionHandlers = {}, type: ExtensionDefinition['type'] = 'filter') =>
  defineExtension({
    id: ID,
    name: 'Guard',
    vendor: 'Contoso',
    version: '1.0',
    type,
    attach: () => handlers,
  });

const below = defineExtension({ ...guard(), id: BELOW, name: 'Below' });

/** A port that is made while `rule` holds, and one that is made without it. */
async function record(
  rule: FaultRuleOptions,
  extension: ExtensionDefinition = guard(),
): Promise<string> {
  const extensions = extension.type === 'forward' ? [extension] : [extension, below];
  const fabric = await Fabric.open({ clock: 'manual', seed: 'faults', extensions });
  const sw = await fabric.switches.create({ name: 'S', extensions });
  fabric.faults.add({ oid: 'OID_SWITCH_PORT_CREATE', times: 1, ...rule });
  const made = sw.ports.create({ name: 'A' }).catch(() => undefined);
  for (let s = 0; s < 20; s += 1) {
    await new Promise((done) => setImmediate(done));
    fabric.clock.advance(1000);
  }
  await made;
  await sw.ports.create({ name: 'B' });
  const text = fabric.recording();
  await fabric.close();
  return text;
}

for (const [what, rule] of [
  ['refused by a fault', { effect: 'status', status: 'NDIS_STATUS_RESOURCES' }],
  ['a fault threw in', { effect: 'throw' }],
  ['a fault held', { effect: 'hang' }],
  ['a fault completed twice', { effect: 'twice' }],
] as const) {
  for (const type of ['filter', 'forward'] as const) {
    t.test(
      `a request that was ${what} at the ${type} extension under test: the same is injected again, nothing differs`,
      async (t) => {
        const text = await record({ at: 'oid', extension: ID, ...rule }, guard({}, type));
        t.match(text, /"faults":\[/, 'the fault was met');
        const report = await replayTrace(text, guard({}, type));
        t.strictSame([report.differences, report.skipped], [[], []], replayText(report));
        t.strictSame(report.findings, [], 'what the fault broke is not held against it');
      },
    );
  }
}

t.test('a status that was injected at the miniport edge comes from it again', async (t) => {
  for (const type of ['filter', 'forward'] as const) {
    const seen: string[] = [];
    const watching = guard(
      { oidRequestComplete: ({ status }) => void seen.push(String(status)) },
      type,
    );
    const text = await record(
      { at: 'oid', extension: 'miniportEdge', effect: 'status', status: 'NDIS_STATUS_RESOURCES' },
      watching,
    );
    t.match(text, /"module":"miniportEdge","effect":"status"/);
    const before = seen.splice(0);
    const report = await replayTrace(text, watching);
    t.strictSame([report.differences, report.skipped], [[], []], replayText(report));
    t.ok(before.includes(String(NdisStatus.RESOURCES)));
    t.ok(seen.includes(String(NdisStatus.RESOURCES)), 'it sees the same failure');
  }
});

t.test(
  'a status that was injected below the extension under test comes from below again',
  async (t) => {
    const text = await record({
      at: 'oid',
      extension: BELOW,
      effect: 'status',
      status: 'NDIS_STATUS_RESOURCES',
    });
    const report = await replayTrace(text, guard());
    t.strictSame([report.differences, report.skipped], [[], []], replayText(report));
  },
);

t.test(
  'a request that a fault delayed is done at once, left out of the comparison, and counted',
  async (t) => {
    const text = await record({ at: 'oid', extension: ID, effect: 'delay', delayMs: 5000 });
    const report = await replayTrace(text, guard());
    t.strictSame(report.differences, []);
    t.match(report.skipped, [
      { count: 1, reason: /^a fault was injected that the recording does not say enough about/ },
    ]);
    t.match(replayText(report), /\n1 left out: a fault was injected/);
    const refusing = await replayTrace(
      text,
      guard({ createPort: () => NdisStatus.DATA_NOT_ACCEPTED }),
    );
    t.equal(refusing.differences.length > 0, true, 'all others are compared');
    t.notOk(
      refusing.differences.some(
        ({ seq }) => text.includes(`"seq":${seq},`) && isDelayed(text, seq),
      ),
    );
  },
);

/** Whether the recorded entry with this number met a fault. */
const isDelayed = (text: string, seq: number): boolean =>
  text.split('\n').some((line) => line.includes(`"seq":${seq},`) && line.includes('"faults"'));

t.test(
  'a changed extension differs at a request that met no fault, and at none that did',
  async (t) => {
    const text = await record({
      at: 'oid',
      extension: ID,
      effect: 'status',
      status: 'NDIS_STATUS_RESOURCES',
    });
    const report = await replayTrace(
      text,
      guard({ createPort: () => NdisStatus.DATA_NOT_ACCEPTED }),
    );
    t.ok(report.differences.length > 0);
    t.notOk(
      report.differences.some(({ seq }) => isDelayed(text, seq)),
      'the fault stood in for its handler',
    );
  },
);

t.test(
  'a recording of a profile this version does not know is refused, and says which it knows',
  async (t) => {
    const text = await record({ at: 'oid', extension: ID, effect: 'throw' });
    const other = text.replace('"profile":"ws2022"', '"profile":"ws2031"');
    await t.rejects(replayTrace(other, guard()), {
      code: 'MALFORMED',
      message:
        /line 1 of the recording: expected a profile this version knows: ws2012, .*, found "ws2031"/,
    });
    const extensions = [guard()];
    for (const profile of ['ws2012', 'ws2025'] as const) {
      const fabric = await Fabric.open({
        clock: 'manual',
        seed: 'p',
        profile,
        extensions,
      });
      await fabric.switches.create({ name: 'S', extensions });
      const report = await replayTrace(fabric.recording(), guard());
      t.equal(report.profile, profile);
      t.strictSame(report.differences, []);
      await fabric.close();
    }
  },
);
