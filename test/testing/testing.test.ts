import { AssertionError } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { defineExtension, NdisStatus, type OidRequest } from '../../src/sdk/index.ts';
import {
  expectNoFindings,
  expectVeto,
  hex,
  hexDump,
  type TestFinding,
  testSwitch,
  traceText,
  unhex,
} from '../../src/testing/index.ts';

const ID = '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0001';
const FILTER_ID = '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0002';
const LIMIT = '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0003';
const MOF = `
[Dynamic, UUID("${LIMIT}"), ExtensionId("${FILTER_ID}"), Provider("VmmsWmiInstanceAndMethodProvider"),
 InterfaceVersion("1"), InterfaceRevision("0")]
class Test_LimitSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0")] uint32 Limit;
};`;

/** Vetoes a limit of 0 with DATA_NOT_ACCEPTED, of 1 with RESOURCES, holds 2 for a second, holds 3 until told. */
function limiter() {
  const held: OidRequest[] = [];
  const definition = defineExtension({
    id: FILTER_ID,
    name: 'Limiter',
    vendor: 'Test',
    version: '1.0',
    type: 'filter',
    attach: (sw) => ({
      addPortProperty({ settings, request }) {
        switch (settings?.['Limit']) {
          case 0:
            return NdisStatus.DATA_NOT_ACCEPTED;
          case 1:
            return NdisStatus.RESOURCES;
          case 2:
            sw.after(1000, () => request.forward());
            return request.pend();
          case 3:
            held.push(request);
            return request.pend();
          default:
            return 'forward';
        }
      },
    }),
  });
  return { definition, held };
}

const scribbler = defineExtension({
  id: ID,
  name: 'Scribbler',
  vendor: 'Test',
  version: '1.0',
  type: 'capture',
  attach: () => ({
    createPort(_port, request) {
      request.bytes[8] = 0xff;
      return 'forward';
    },
  }),
});

t.test('hex, unhex and hexDump', async (t) => {
  t.equal(hex(Uint8Array.of(0x80, 0x01, 0x28, 0x00)), '80 01 28 00');
  t.equal(hex(new Uint8Array(0)), '');
  t.strictSame(
    unhex(`
      80 01 2800   # header
      00000000     ; flags`),
    Uint8Array.of(0x80, 0x01, 0x28, 0, 0, 0, 0, 0),
  );
  t.strictSame(unhex(''), new Uint8Array(0));
  t.throws(() => unhex('80\n01 2x'), {
    code: 'INVALID_ARGUMENT',
    message: 'line 2: "2x" is no hexadecimal text; expected two digits a byte',
    place: { line: 2, found: '2x' },
  });
  t.throws(() => unhex('801'), { code: 'INVALID_ARGUMENT', place: { found: '801' } });
  const seventeen = Uint8Array.from({ length: 17 }, (_, i) => i);
  t.equal(hexDump(seventeen), '0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n0010  10');
  t.equal(hexDump(new Uint8Array(0)), '');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      t.strictSame(unhex(hex(bytes)), bytes);
    }),
    { numRuns: 50 },
  );
});

t.test(
  'traceText shows issuer, way and result, with names, bytes and fields when asked',
  async (t) => {
    const entry = {
      seq: 7,
      request: 3,
      time: 5,
      switch: 'S',
      oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
      requestType: 'set',
      origin: 'protocolEdge',
      route: [
        { module: ID, verdict: 'pend' },
        { module: ID, verdict: 'forward' },
        { module: FILTER_ID, verdict: 'NDIS_STATUS_RESOURCES' },
      ],
      status: 'NDIS_STATUS_RESOURCES',
      input: Uint8Array.of(0x80, 1),
    } as const;
    const query = {
      ...entry,
      oid: 'OID_SWITCH_PARAMETERS',
      requestType: 'query',
      origin: ID,
      route: [{ module: 'miniportEdge', verdict: 'NDIS_STATUS_SUCCESS' }],
      status: 'NDIS_STATUS_SUCCESS',
      input: new Uint8Array(0),
      output: Uint8Array.of(2),
    } as const;
    t.equal(traceText([]), '');
    t.equal(
      traceText([entry, query], { names: new Map([[ID, 'One']]) }),
      `OID_SWITCH_PORT_PROPERTY_ADD set: protocol edge > One pend > One forward > ${FILTER_ID} => NDIS_STATUS_RESOURCES
OID_SWITCH_PARAMETERS query: One > miniport edge => NDIS_STATUS_SUCCESS
`,
    );
    t.equal(
      traceText([query], {
        bytes: true,
        decode: () => ({
          Header: { Size: 1 },
          Big: 5n,
          List: [1n],
          Raw: Uint8Array.of(1, 2),
          No: undefined,
        }),
      }),
      `OID_SWITCH_PARAMETERS query: ${ID} > miniport edge => NDIS_STATUS_SUCCESS
  Header:
    Size: 1
  Big: "5"
  List: ["1"]
  Raw: 01 02
  No: undefined
  in (nothing)
  out 0000  02
`,
    );
  },
);

t.test('testSwitch opens a world in which nothing depends on the run', async (t) => {
  const text = async (seed?: string) => {
    const sw = await testSwitch({
      extensions: [limiter().definition],
      mof: MOF,
      ...(seed === undefined ? {} : { seed }),
    });
    const port = await sw.port('A');
    await port.nics.connect();
    await port.properties.add('Test_LimitSettingData', { Limit: 9 });
    const result = sw.text({}, { bytes: true });
    await sw.close();
    return result;
  };
  const first = await text();
  t.equal(await text(), first);
  t.not(await text('other'), first);
});

t.test('testSwitch: ports by name, profile, name and type', async (t) => {
  const sw = await testSwitch({ profile: 'ws2012', name: 'Edge', type: 'external' });
  t.teardown(() => sw.close());
  t.equal(sw.fabric.profile, 'ws2012');
  t.match(sw.switch.info, { name: 'Edge', type: 'external', isActive: true });
  const a = await sw.port('A');
  const b = await sw.port('B', 'external');
  t.equal((await sw.port('A')).info.id, a.info.id, 'the same port');
  t.not(b.info.id, a.info.id);
  t.equal(a.info.type, 'synthetic');
  t.equal(b.info.type, 'external');
  t.equal(sw.switch.info.portCount, 2);
});

t.test('testSwitch closes the world when it cannot be opened as asked', async (t) => {
  await t.rejects(testSwitch({ mof: 'class {' }), { code: 'MOF_INVALID' });
});

t.test('oids are found by name, status, issuer and module', async (t) => {
  const { definition } = limiter();
  const sw = await testSwitch({ extensions: [definition], mof: MOF });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  await port.properties.add('Test_LimitSettingData', { Limit: 9 });
  const place = await expectVeto(port.properties.add('Test_LimitSettingData', { Limit: 0 }));
  t.match(place, { extensionId: FILTER_ID, oid: 'OID_SWITCH_PORT_PROPERTY_ADD' });
  t.equal(sw.oids({ oid: 'OID_SWITCH_PORT_PROPERTY_ADD' }).length, 2);
  t.equal(sw.oids({ oid: 'PORT_PROPERTY_ADD' }).length, 2);
  t.equal(sw.oids({ oid: 'PORT_PROPERTY_ADD', status: 'DATA_NOT_ACCEPTED' }).length, 1);
  t.equal(sw.oids({ status: 'NDIS_STATUS_DATA_NOT_ACCEPTED' }).length, 1);
  t.equal(sw.oids({ seenBy: 'miniportEdge', oid: 'PORT_PROPERTY_ADD' }).length, 1);
  t.equal(sw.oids({ seenBy: 'Limiter' }).length, 3, 'by name');
  t.equal(sw.oids({ origin: 'protocolEdge' }).length, 3);
  t.equal(sw.oids({ origin: FILTER_ID }).length, 0, 'by id');
  t.throws(() => sw.oids({ seenBy: 'Nobody' }), { code: 'NOT_FOUND' });
  t.equal(
    sw.text({ status: 'DATA_NOT_ACCEPTED' }),
    'OID_SWITCH_PORT_PROPERTY_ADD set: protocol edge > Limiter => NDIS_STATUS_DATA_NOT_ACCEPTED\n',
  );
});

t.test('advance moves virtual time; pending shows what an extension holds', async (t) => {
  const { definition, held } = limiter();
  const sw = await testSwitch({ extensions: [definition], mof: MOF, oidTimeoutMs: 5000 });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  const added = port.properties.add('Test_LimitSettingData', { Limit: 2 });
  await sw.advance(999);
  t.match(sw.pending(), [{ heldBy: FILTER_ID, pendingForMs: 999, queued: 0 }]);
  await sw.advance(1);
  t.strictSame(sw.pending(), []);
  t.match(await added, { feature: 'Test_LimitSettingData' });
  expectNoFindings(sw);

  const lost = port.properties.add('Test_LimitSettingData', { Limit: 3 });
  const vetoed = expectVeto(lost, 'REQUEST_ABORTED');
  await sw.advance(5000);
  await vetoed;
  t.equal(held.length, 1);
  t.match(sw.findings(), [
    { rule: 'NdisTimedOidComplete', severity: 'error', extensionId: FILTER_ID },
  ]);
  t.throws(() => expectNoFindings(sw), {
    message: /^1 finding:\n {2}error NdisTimedOidComplete: Limiter held/,
  });
  expectNoFindings(sw, { except: ['NdisTimedOidComplete'] });
});

t.test(
  'expectVeto fails when the change is accepted, fails otherwise, or is refused with another status',
  async (t) => {
    const { definition } = limiter();
    const sw = await testSwitch({ extensions: [definition], mof: MOF });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    const add = (limit: unknown) => port.properties.add('Test_LimitSettingData', { Limit: limit });
    t.match(await expectVeto(add(1), 'NDIS_STATUS_RESOURCES'), {
      ndisStatus: 'NDIS_STATUS_RESOURCES',
    });
    const cases: readonly [Promise<unknown>, RegExp][] = [
      [add(9), /^expected a veto with NDIS_STATUS_DATA_NOT_ACCEPTED, but it was accepted$/],
      [add(1), /^refused with NDIS_STATUS_RESOURCES, not NDIS_STATUS_DATA_NOT_ACCEPTED$/],
      [
        add('x'),
        /^expected a veto with NDIS_STATUS_DATA_NOT_ACCEPTED, but it failed otherwise: .*Limit/,
      ],
      [Promise.reject('thrown'), /failed otherwise: thrown$/],
    ];
    for (const [change, message] of cases) {
      const error: unknown = await expectVeto(change).catch((caught: unknown) => caught);
      t.ok(error instanceof AssertionError);
      t.match((error as Error).message, message);
    }
  },
);

t.test('expectNoFindings lists what an extension did wrong', async (t) => {
  const sw = await testSwitch({ extensions: [scribbler] });
  t.teardown(() => sw.close());
  expectNoFindings(sw);
  await sw.port('A');
  await sw.port('B');
  t.equal(sw.findings().length, 2);
  t.match(sw.findings()[0], { rule: 'B26', oid: 'OID_SWITCH_PORT_CREATE', extensionId: ID });
  const error = t.throws(() => expectNoFindings(sw)) as unknown as AssertionError;
  t.ok(error instanceof AssertionError);
  t.match(
    error.message,
    /^2 findings:\n {2}error B26: Scribbler changed byte 8 of OID_SWITCH_PORT_CREATE/,
  );
  t.equal((error.actual as TestFinding[]).length, 2);
  const info = { findings: () => [{ rule: 'D13', severity: 'info', message: 'm' } as const] };
  expectNoFindings(info);
  t.throws(() => expectNoFindings(info, { info: true }), { message: /info D13: m/ });
});

t.test(
  'disable and enable act on the running stack, also for what was not installed before',
  async (t) => {
    const { definition } = limiter();
    const sw = await testSwitch({ mof: MOF });
    t.teardown(() => sw.close());
    t.match(await sw.enable(definition), { enabled: true, running: true });
    const port = await sw.port('A');
    await expectVeto(port.properties.add('Test_LimitSettingData', { Limit: 0 }));
    t.match(await sw.disable(definition), { enabled: false, running: false });
    await port.properties.add('Test_LimitSettingData', { Limit: 0 });
    t.match(await sw.enable(definition), { enabled: true, running: true });
    t.match(sw.text({ seenBy: 'Limiter', oid: 'PORT_PROPERTY_ADD' }), / > Limiter => /);
  },
);

t.test('a switch opened again on the same folder is the one it was', async (t) => {
  const { definition } = limiter();
  const options = { extensions: [definition], mof: MOF, store: t.testdir({}) };
  const before = await testSwitch(options);
  await (await before.port('A')).properties.add('Test_LimitSettingData', { Limit: 9 });
  const { id } = before.switch.info;
  await before.close();
  const after = await testSwitch(options);
  t.teardown(() => after.close());
  t.equal(after.switch.info.id, id);
  t.equal([...(await after.port('A')).properties.list()].length, 1);
});
