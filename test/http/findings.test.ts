import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { FindingLog } from '../../src/policy/finding-log.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import { openPlane } from './plane.ts';

const ID = 'c0ffee00-5055-47cd-9055-a76b2b4e369e';
const OTHER = 'c0ffee01-5055-47cd-9055-a76b2b4e369e';

/** Changes PortType of NDIS_SWITCH_PORT_PARAMETERS, u32 at 1044 (ndis-switch-abi.md): rule B26. */
const scribbler = defineExtension({
  id: ID,
  name: 'Scribbler',
  vendor: 'Fabrikam',
  version: '1.0',
  type: 'filter',
  attach: () => ({
    createPort(_port, request) {
      request.bytes[1044] = 9;
      return 'forward';
    },
  }),
});

t.test('findings of a world with a verifier: list, filters, metrics', async (t) => {
  const { call, app } = await openPlane(t, { fabric: { extensions: [scribbler] } });
  const worlds = await call('GET', '/v1/worlds');
  t.match(worlds.body.items, [{ name: 'default', verifier: 'off', isolate: undefined }]);
  const refused = await call('POST', '/v1/worlds', { name: 'w', verifier: 'on' });
  t.equal(refused.status, 422);
  for (const mode of ['off', 'observe', 'enforce']) {
    const base = `/worlds/${mode}/v1`;
    const made = await call('POST', '/v1/worlds', { name: mode, verifier: mode });
    t.match(made.body, { verifier: mode });
    await call('POST', `${base}/switches`, { name: 'S' });
    await call('PATCH', `${base}/switches/S/extensions/${ID}`, { enabled: true });
    const port = await call('POST', `${base}/switches/S/ports`, { name: 'A' });
    t.equal(port.status, mode === 'enforce' ? 409 : 201, `${mode}: PORT_CREATE`);
    const { body } = await call('GET', `${base}/findings?limit=1&rule=B26&extension=Scribbler`);
    const [found, ...more] = body.items;
    t.same(more, []);
    t.match(found, {
      rule: 'B26',
      severity: 'error',
      switch: 'S',
      extensionId: ID,
      oid: 'OID_SWITCH_PORT_CREATE',
      offset: 1044,
    });
    const bytes = Buffer.from(found.bytes ?? '', 'base64');
    t.equal(bytes[1044], mode === 'off' ? undefined : 9, `${mode}: bytes`);
    t.same(found.route, mode === 'off' ? undefined : [ID], `${mode}: route`);
    const member = mode === 'off' ? undefined : 'NDIS_SWITCH_PORT_PARAMETERS.PortType';
    t.equal(found.member, member, `${mode}: member`);
    t.same((await call('GET', `${base}/findings?rule=B27`)).body.items, []);
  }
  t.equal((await call('GET', '/v1/findings?extension=nobody')).status, 404);
  const { payload } = await app.inject('/metrics');
  t.match(payload, /\nextswitch_findings_total\{world="observe",rule="B26",severity="error"\} 1\n/);
  const fork = await call('POST', '/worlds/observe/v1/sim/snapshots', { name: 's' });
  t.equal(fork.status, 201);
  const forked = await call('POST', '/worlds/observe/v1/sim/snapshots/s/fork', { name: 'f' });
  t.match(forked.body, { name: 'f', verifier: 'observe' });
});

t.test(
  'a flood of findings: the first and the newest are kept, all are counted, few are logged',
  async (t) => {
    const log: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] =
      [];
    const fabric = await Fabric.open({
      clock: 'manual',
      seed: 'flood',
      extensions: [scribbler],
      log: (_level, message, fields = {}) => void log.push({ message, fields }),
    });
    const sw = await fabric.switches.create({ name: 'S', extensions: [scribbler] });
    for (let i = 0; i < 1_100; i += 1) await (await sw.ports.create({ name: 'A' })).delete();
    const lines = log.filter(({ fields }) => fields['rule'] === 'B26');
    t.equal(lines.length, 10);
    t.match(lines[0]?.fields, { severity: 'error', switch: 'S', extension: ID });
    t.match(lines[9]?.message, /more of B26 within 60 s are only counted$/);
    const kept = fabric.findings.entries();
    t.equal(kept.length, 100);
    const messages = kept.map(({ request = 0 }) => request);
    t.strictSame(messages.slice(0, 10), nthRequests(kept[0]?.request ?? 0, 10), 'the first ten');
    t.strictSame(
      fabric.findings.groups().map(({ firstSeq, ...group }) => [group, firstSeq === kept[0]?.seq]),
      [[{ rule: 'B26', severity: 'error', extensionId: ID, count: 1_100, kept: 100 }, true]],
    );
    t.same(fabric.findings.counts(), [{ rule: 'B26', severity: 'error', count: 1_100 }]);
    t.equal(kept.at(-1)?.seq, fabric.findings.entries({ limit: 1 })[0]?.seq, 'newest last');
    fabric.clock.advance(60_000);
    await sw.ports.create({ name: 'B' });
    t.equal(log.at(-1)?.fields['unlogged'], 1_090);
    await fabric.reset();
    t.same(fabric.findings.entries(), []);
    t.equal(fabric.findings.counts()[0]?.count, 1_101, 'counters only grow');
    await fabric.close();
  },
);

/** Requests of ports that are created, torn down and deleted one after the other. */
const nthRequests = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i * 3);

const E22 = { rule: 'E22', severity: 'error', message: 'm', switch: 'S', time: 0 } as const;

t.test('a finding that is rare is there however many of another rule come after it', async (t) => {
  const log = new FindingLog();
  const rare = { ...E22, rule: 'B39', extensionId: ID };
  log.add({ ...E22, extensionId: ID, seq: 1 });
  log.add({ ...rare, seq: 2 });
  for (let seq = 3; seq <= 20_000; seq += 1) log.add({ ...E22, extensionId: ID, seq });
  log.add({ ...E22, extensionId: OTHER, seq: 20_001 });
  log.add({ ...E22, extensionId: ID, injected: true, seq: 20_002 });
  const seqs = (limit: number): number[] => log.entries({ limit }).map(({ seq }) => seq);
  t.same(log.entries({ rule: 'B39' }), [{ ...rare, seq: 2 }]);
  t.strictSame(seqs(1), [20_002], 'the newest of all');
  t.strictSame(seqs(4), [2, 20_000, 20_001, 20_002], 'the newest of each');
  t.strictSame(seqs(6), [2, 19_998, 19_999, 20_000, 20_001, 20_002], 'then the next of each');
  const group = { rule: 'E22', severity: 'error' };
  t.strictSame(log.groups(), [
    { ...group, extensionId: ID, count: 19_999, kept: 100, firstSeq: 1 },
    { ...group, rule: 'B39', extensionId: ID, count: 1, kept: 1, firstSeq: 2 },
    { ...group, extensionId: OTHER, count: 1, kept: 1, firstSeq: 20_001 },
    { ...group, extensionId: ID, injected: true, count: 1, kept: 1, firstSeq: 20_002 },
  ]);
  t.strictSame(log.groups({ extensionId: OTHER }).length, 1);
  t.strictSame(log.entries({ rule: 'E22', extensionId: ID }).length, 101);
});

t.test('bytes of findings are bounded: 64 KiB of one request, 4 MiB of all', async (t) => {
  const log = new FindingLog();
  const one = FindingLog.keepable({ ...E22, bytes: new Uint8Array(1 << 20) });
  t.equal(one.bytes?.length, 65_536);
  t.equal(one.length, 1 << 20);
  log.add({ ...E22, rule: 'B39', seq: 0, bytes: new Uint8Array(60_000) });
  for (let seq = 1; seq <= 100; seq += 1) log.add({ ...one, ...E22, seq });
  const kept = log.entries();
  const bytes = kept.reduce((sum, entry) => sum + (entry.bytes?.length ?? 0), 0);
  t.equal(bytes, 60_000 + 63 * 65_536, '4 MiB, full');
  t.strictSame(
    kept.map(({ seq }) => seq),
    [...Array(11).keys(), ...Array.from({ length: 53 }, (_, i) => 48 + i)],
    'the first ten, and the newest that there is room for',
  );
  t.equal(log.counts()[1]?.count, 100);
});

t.test('rules with little room each keep their findings, without the bytes', async (t) => {
  const log = new FindingLog();
  for (let seq = 1; seq <= 200; seq += 1) {
    log.add({ ...E22, rule: `X${seq}`, seq, bytes: new Uint8Array(65_536) });
  }
  const kept = log.entries();
  t.equal(kept.length, 200, 'none is gone');
  t.equal(kept.filter(({ bytes }) => bytes !== undefined).length, 64);
  t.ok(kept.every(({ bytes, length }) => bytes !== undefined || length === 65_536));
});
