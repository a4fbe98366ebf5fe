import t from 'tap';
import macForward from '../../extensions/mac-forward/extension.ts';
import { MacTable, readMac } from '../../extensions/mac-forward/mac-table.ts';
import {
  defineExtension,
  type ExtensionHandlers,
  NdisStatus,
  type NicParameters,
  type PortProperty,
  type SwitchContext,
  type SwitchProperty,
} from '../../src/sdk/index.ts';
import {
  expectNoFindings,
  expectVeto,
  hex,
  type TestSwitch,
  testSwitch,
  unhex,
} from '../../src/testing/index.ts';

const ADDRESS = 'ExtSwitch_MacForwardAddressSettingData';
const STATUS = 'ExtSwitch_MacForwardStatus';
const VLAN = 'Msvm_EthernetSwitchPortVlanSettingData';
const SECURITY = 'Msvm_EthernetSwitchPortSecuritySettingData';
const MAC_1 = [0x00, 0x15, 0x5d, 0x00, 0x00, 0x01];
const MAC_2 = [0x00, 0x15, 0x5d, 0x00, 0x00, 0x02];

const portIds = async (sw: TestSwitch) => (await sw.switch.status(STATUS)).data['PortIds'];
const allow = (sw: TestSwitch, MacAddress: readonly number[]) =>
  sw.switch.properties.add(ADDRESS, { MacAddress });

t.test(
  'ports with a connected NIC whose address is allowed may send; the status follows',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward] });
    t.teardown(() => sw.close());
    const a = await sw.port('A');
    const b = await sw.port('B');
    t.strictSame(await portIds(sw), []);
    await b.nics.connect({ mac: '00-15-5d-00-00-02' });
    const one = await allow(sw, MAC_1);
    const two = await allow(sw, MAC_2);
    t.strictSame(await portIds(sw), [b.info.portId], 'allowed but not connected does not count');
    await a.nics.connect({ mac: '00-15-5D-00-00-01' });
    t.strictSame(await portIds(sw), [a.info.portId, b.info.portId]);
    await sw.switch.properties.delete(two.id);
    t.strictSame(await portIds(sw), [a.info.portId], 'connected but not allowed does not count');
    await sw.switch.properties.update(one.id, { MacAddress: MAC_2 });
    t.strictSame(await portIds(sw), [b.info.portId]);
    await b.nics.disconnect(0);
    t.strictSame(await portIds(sw), []);
    await b.nics.connect({ mac: '00-15-5d-00-00-02' });
    t.strictSame(await portIds(sw), [b.info.portId]);
    await b.delete();
    t.strictSame(await portIds(sw), []);
    expectNoFindings(sw);
  },
);

t.test(
  'E29: its own properties it completes itself with SUCCESS, nothing below sees them',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward] });
    t.teardown(() => sw.close());
    const { id } = await allow(sw, MAC_1);
    await sw.switch.properties.update(id, { MacAddress: MAC_2 });
    await sw.switch.properties.delete(id);
    t.equal(
      sw.text({ origin: 'protocolEdge' }),
      `OID_SWITCH_PROPERTY_ADD set: protocol edge > MAC Forward => NDIS_STATUS_SUCCESS
OID_SWITCH_PROPERTY_UPDATE set: protocol edge > MAC Forward => NDIS_STATUS_SUCCESS
OID_SWITCH_PROPERTY_DELETE set: protocol edge > MAC Forward => NDIS_STATUS_SUCCESS
`,
    );
    expectNoFindings(sw);
  },
);

t.test(
  'the bytes are those of the sample: 12 in the property, ports at 8 in the status',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    await port.nics.connect({ mac: '00-15-5d-00-00-01' });
    await allow(sw, MAC_1);
    const [added] = sw.oids({ oid: 'PROPERTY_ADD' });
    // management.md 2.3: {UINT32 count @0; UINT8[6] @4}, sizeof 12; the vendor data ends the buffer.
    t.equal(
      hex(added?.input.subarray(-12) ?? new Uint8Array(0)),
      '06 00 00 00 00 15 5d 00 00 01 00 00',
    );
    const { raw, version, extensionId } = await sw.switch.status(STATUS);
    // {UINT32 count @0; UINT32 offset @4}, NDIS_SWITCH_PORT_ID at 8.
    t.strictSame(
      new Uint8Array(raw),
      unhex(`01000000  # one element
           08000000  # at offset 8
           01000000  # port 1`),
    );
    t.equal(version, 0x0100);
    t.equal(extensionId, macForward.id);
  },
);

t.test('addresses of a wrong length, group addresses and duplicates are vetoed', async (t) => {
  const sw = await testSwitch({ extensions: [macForward] });
  t.teardown(() => sw.close());
  const first = await allow(sw, MAC_1);
  const second = await allow(sw, MAC_2);
  for (const wrong of [
    [],
    [1, 2, 3, 4, 5],
    [0x01, 0, 0x5e, 0, 0, 1],
    [255, 255, 255, 255, 255, 255],
    MAC_1,
  ]) {
    t.match(
      await expectVeto(allow(sw, wrong)),
      { oid: 'OID_SWITCH_PROPERTY_ADD' },
      hex(Uint8Array.from(wrong)),
    );
    await expectVeto(sw.switch.properties.update(second.id, { MacAddress: wrong }));
  }
  t.strictSame(sw.switch.properties.get(second.id), second, 'nothing changed');
  await sw.switch.properties.update(first.id, { MacAddress: MAC_1 });
  await sw.switch.properties.delete(second.id);
  t.ok(await allow(sw, MAC_2), 'free again');
  expectNoFindings(sw);
});

t.test(
  'E31, E32: VLAN is refused on ADD and UPDATE, Security and everything else passes',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    t.match(await expectVeto(port.properties.add(VLAN, { OperationMode: 1, AccessVlanId: 7 })), {
      ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
      extensionId: macForward.id,
    });
    const security = await port.properties.add(SECURITY, { AllowMacSpoofing: true });
    await port.properties.update(security.id, { AllowMacSpoofing: false });
    await port.properties.delete(security.id);
    t.equal(sw.oids({ oid: 'PORT_PROPERTY_ADD', seenBy: 'miniportEdge' }).length, 1);
    t.equal(sw.oids({ oid: 'PORT_PROPERTY_UPDATE', seenBy: 'miniportEdge' }).length, 1);
    expectNoFindings(sw);
  },
);

t.test(
  'OP-31: it refuses to run where a VLAN is in force or a malformed address is set',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward] });
    t.teardown(() => sw.close());
    await sw.disable(macForward);
    const port = await sw.port('A');
    const vlan = await port.properties.add(VLAN, { OperationMode: 1, AccessVlanId: 7 });
    await t.rejects(sw.enable(macForward), {
      code: 'EXTENSION_FAILED',
      message: /cannot serve the switch: port 1 has a VLAN/,
    });
    await port.properties.update(vlan.id, { OperationMode: 2, AccessVlanId: 0 });
    await t.rejects(sw.enable(macForward), { message: /port 1 has a VLAN/ }, 'trunk mode');
    await port.properties.delete(vlan.id);
    const bad = await allow(sw, [1, 2]);
    await t.rejects(sw.enable(macForward), {
      message: new RegExp(`${bad.id}: MacAddress has 2 bytes`),
    });
    t.match(sw.switch.extensions.get(macForward.id), { enabled: false, running: false });
    await sw.switch.properties.delete(bad.id);
    t.match(
      await sw.enable(macForward),
      { running: true },
      'the default VLAN setting is none (E45)',
    );
    expectNoFindings(sw);
  },
);

t.test(
  'J11: enabled on a live switch it learns addresses and connected NICs, duplicates included',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward] });
    t.teardown(() => sw.close());
    const port = await sw.port('A');
    await port.nics.connect({ mac: '00-15-5d-00-00-01' });
    const first = await allow(sw, MAC_1);
    await sw.disable(macForward);
    await t.rejects(sw.switch.status(STATUS), { code: 'NO_FEATURE_STATUS' });
    const twin = await allow(sw, MAC_1);
    const b = await sw.port('B');
    await b.nics.connect({ mac: '00-15-5d-00-00-02' });
    await allow(sw, MAC_2);
    await sw.enable(macForward);
    t.strictSame(await portIds(sw), [port.info.portId, b.info.portId]);
    await sw.switch.properties.delete(first.id);
    t.strictSame(
      await portIds(sw),
      [port.info.portId, b.info.portId],
      'the other one still allows it',
    );
    await expectVeto(allow(sw, MAC_1));
    await sw.switch.properties.delete(twin.id);
    t.strictSame(await portIds(sw), [b.info.portId]);
    expectNoFindings(sw);
  },
);

t.test('another extension toggled while ports exist changes nothing', async (t) => {
  const other = defineExtension({
    id: '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0021',
    name: 'Other',
    vendor: 'Test',
    version: '1.0',
    type: 'filter',
    attach: () => ({}),
  });
  const sw = await testSwitch({ extensions: [macForward] });
  t.teardown(() => sw.close());
  const port = await sw.port('A');
  await port.nics.connect({ mac: '00-15-5d-00-00-01' });
  const { id } = await allow(sw, MAC_1);
  await sw.enable(other);
  t.strictSame(await portIds(sw), [port.info.portId]);
  await sw.disable(other);
  await sw.switch.properties.update(id, { MacAddress: MAC_2 });
  t.strictSame(await portIds(sw), []);
  expectNoFindings(sw);
});

t.test(
  'a restart of the fabric on an LMDB folder gives addresses, NICs and status back',
  async (t) => {
    const store = t.testdir({});
    const before = await testSwitch({ extensions: [macForward], store });
    const port = await before.port('A');
    await port.nics.connect({ mac: '00-15-5d-00-00-01' });
    const { id } = await allow(before, MAC_1);
    await before.close();
    const after = await testSwitch({ extensions: [macForward], store });
    t.teardown(() => after.close());
    t.strictSame(await portIds(after), [1]);
    await expectVeto(allow(after, MAC_1));
    await after.switch.properties.delete(id);
    t.strictSame(await portIds(after), []);
    expectNoFindings(after);
  },
);

t.test(
  'the external port comes first, once an adapter below its NIC is connected (rule C53)',
  async (t) => {
    const sw = await testSwitch({ extensions: [macForward], type: 'external' });
    t.teardown(() => sw.close());
    const vm = await sw.port('VM');
    await vm.nics.connect({ mac: '00-15-5d-00-00-01' });
    await allow(sw, MAC_1);
    const external = await sw.port('External', 'external');
    await external.nics.connect({ index: 0 });
    t.strictSame(await portIds(sw), [vm.info.portId], 'index 0 alone is not operational');
    await external.nics.connect({ index: 1 });
    t.strictSame(await portIds(sw), [external.info.portId, vm.info.portId]);
    await external.nics.disconnect(1);
    t.strictSame(await portIds(sw), [vm.info.portId]);
    expectNoFindings(sw);
  },
);

const NEWER = `
[Dynamic, UUID("6A8C0F7D-1E43-4B92-AD58-E2B7F0936202"), ExtensionId("6A8C0F7D-1E43-4B92-AD58-E2B7F0936201"),
 Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1.1"), InterfaceRevision("0")]
class ExtSwitch_MacForwardAddressSettingData : Msvm_EthernetSwitchFeatureSettingData {
  [WmiDataId(1), Max(6), InterfaceVersion("1"), InterfaceRevision("0")] uint8 MacAddress[] = {};
  [WmiDataId(2), InterfaceVersion("1.1"), InterfaceRevision("0")] uint32 RateLimit;
};`;

t.test('E51: properties of a newer class version are read as far as they are known', async (t) => {
  const sw = await testSwitch({ extensions: [macForward], mof: NEWER });
  t.teardown(() => sw.close());
  const property = await sw.switch.properties.add(ADDRESS, { MacAddress: MAC_1, RateLimit: 5 });
  t.equal(property.version, 0x0101);
  await (await sw.port('A')).nics.connect({ mac: '00-15-5d-00-00-01' });
  t.strictSame(await portIds(sw), [1]);
  expectNoFindings(sw);
});

/** The handlers on a context made by hand, for what this switch never sends. */
function attached(context: Partial<SwitchContext> = {}) {
  const log: string[] = [];
  const sw = {
    log: (message: string) => log.push(message),
    ...context,
  } as unknown as SwitchContext;
  const handlers: ExtensionHandlers = macForward.attach(sw);
  const property = (more: Partial<SwitchProperty> = {}) =>
    ({
      propertyType: 'custom',
      propertyId: '6a8c0f7d-1e43-4b92-ad58-e2b7f0936202',
      propertyInstanceId: 'a',
      propertyVersion: 0x0100,
      serializationVersion: 1,
      settings: { MacAddress: MAC_1 },
      ...more,
    }) as SwitchProperty;
  return { handlers, property, log };
}

t.test('E27: UPDATE and DELETE of what it does not hold end with INVALID_PARAMETER', async (t) => {
  const { handlers, property } = attached();
  t.equal(handlers.updateSwitchProperty?.(property()), NdisStatus.INVALID_PARAMETER);
  t.equal(handlers.deleteSwitchProperty?.(property()), NdisStatus.INVALID_PARAMETER);
  t.equal(handlers.addSwitchProperty?.(property()), NdisStatus.SUCCESS);
  t.equal(
    handlers.updateSwitchProperty?.(property({ propertyVersion: 0x00ff })),
    NdisStatus.INVALID_PARAMETER,
    'a version it does not hold',
  );
  t.equal(
    handlers.updateSwitchProperty?.(property({ settings: undefined })),
    NdisStatus.DATA_NOT_ACCEPTED,
  );
  t.equal(handlers.deleteSwitchProperty?.(property({ propertyVersion: 0 })), NdisStatus.SUCCESS);
});

t.test('other versions on ADD and foreign ids pass, as in the sample', async (t) => {
  const { handlers, property } = attached();
  t.equal(handlers.addSwitchProperty?.(property({ propertyVersion: 0x00ff })), 'forward');
  t.equal(handlers.addSwitchProperty?.(property({ serializationVersion: 2 })), 'forward');
  const foreign = property({ propertyId: 'ffffffff-0000-0000-0000-000000000001' });
  t.equal(handlers.addSwitchProperty?.(foreign), 'forward');
  t.equal(handlers.updateSwitchProperty?.(foreign), 'forward');
  t.equal(handlers.deleteSwitchProperty?.(foreign), 'forward');
  const query = { featureStatusId: foreign.propertyId } as Parameters<
    NonNullable<ExtensionHandlers['querySwitchFeatureStatus']>
  >[0];
  t.equal(handlers.querySwitchFeatureStatus?.(query), 'forward', 'rule F7');
  const vlan = { propertyType: 'vlan' } as PortProperty;
  t.equal(handlers.updatePortProperty?.(vlan), NdisStatus.DATA_NOT_ACCEPTED, 'rule E31');
});

t.test(
  'an inactive switch is not asked; on activation problems are logged (rules A70, J12, A72)',
  async (t) => {
    let asked = 0;
    const port = {
      portId: 1,
      name: '',
      friendlyName: '',
      type: 'synthetic',
      isValidationPort: false,
    } as const;
    const { handlers, log } = attached({
      parameters: () => ({ name: '', friendlyName: '', numSwitchPorts: 1, isActive: false }),
      nics: () => [],
      ports: () => [
        { ...port, state: 'created' },
        { ...port, portId: 2, state: 'teardown' },
      ],
      switchProperties: () => {
        asked += 1;
        return [];
      },
      portProperties: (portId) => {
        t.equal(portId, 1, 'rule E48: not the port in teardown');
        return [
          {
            propertyInstanceId: 'v',
            propertyVersion: 0,
            raw: new Uint8Array(0),
            settings: undefined,
          },
        ];
      },
    });
    await handlers.restart?.();
    t.equal(asked, 0);
    handlers.activate?.();
    t.equal(asked, 1);
    t.match(log, [/not enforced: port 1 has a VLAN/]);
  },
);

t.test(
  'C29, J13: an updated NIC counts with its new address; created NICs do not count',
  async (t) => {
    const nic = (more: Partial<NicParameters>) =>
      ({
        portId: 4,
        index: 0,
        type: 'synthetic',
        state: 'connected',
        currentMacAddress: '00-15-5d-00-00-01',
        ...more,
      }) as NicParameters;
    const answers: unknown[] = [];
    const { handlers, property } = attached({
      nics: () => [nic({}), nic({ portId: 5, state: 'created' }), nic({ portId: 3 })],
      ports: () => [],
      switchProperties: () => [
        {
          propertyInstanceId: 'a',
          propertyVersion: 0x0100,
          raw: new Uint8Array(0),
          settings: { MacAddress: MAC_1 },
        },
      ],
    });
    const ask = () => {
      void handlers.querySwitchFeatureStatus?.({
        featureStatusId: '6a8c0f7d-1e43-4b92-ad58-e2b7f0936203',
        respond: (values: unknown) => answers.push(values),
      } as never);
      return answers.at(-1);
    };
    handlers.activate?.();
    t.strictSame(ask(), { PortIds: [3, 4] });
    const request = property().request;
    t.equal(
      handlers.updateNic?.(nic({ currentMacAddress: '00-15-5d-00-00-02' }), request),
      'forward',
    );
    t.strictSame(ask(), { PortIds: [3] });
    t.equal(handlers.disconnectNic?.(nic({ portId: 3 }), request), 'forward');
    t.strictSame(ask(), { PortIds: [] });
    handlers.detach?.();
  },
);

t.test('readMac and MacTable', async (t) => {
  t.strictSame(readMac({ MacAddress: MAC_1 }), { mac: '00-15-5d-00-00-01' });
  t.match(readMac({}), { malformed: /do not fit/ });
  t.match(readMac({ MacAddress: [0xff, 0, 0, 0, 0, 0] }), { malformed: /group address/ });
  const table = new MacTable();
  table.disallow('nothing');
  table.allow('a', 'm');
  table.allow('a', 'n');
  t.notOk(table.isTaken('m', 'b'));
  t.ok(table.isTaken('n', 'b'));
  t.notOk(table.isTaken('n', 'a'));
  table.disallow('a');
  t.notOk(table.has('a'));
});

t.test(
  'D43, H15, S17: no virtual function gets past it; one that was there before is removed',
  async (t) => {
    const sw = await testSwitch({ type: 'external', extensions: [macForward] });
    t.teardown(() => sw.close());
    await sw.switch.host.connectUplink({ adapters: [{ name: 'pNIC', virtualFunctions: 2 }] });
    const used = () => sw.switch.host.uplink?.adapters[0]?.virtualFunctionsUsed;
    const vm = await sw.vm('VM');
    const adapter = vm.adapter(vm.info.adapters[0]?.id ?? '');
    await t.rejects(adapter.assignVf(), {
      code: 'VETOED',
      place: { ndisStatus: 'NDIS_STATUS_FAILURE', extensionId: macForward.id },
    });
    t.equal(used(), 0);
    await sw.disable(macForward);
    await adapter.assignVf();
    t.equal(used(), 1);
    await sw.enable(macForward);
    await sw.settle();
    t.equal(adapter.info.vfAssigned, false);
    t.equal(used(), 0);
    expectNoFindings(sw);
  },
);
