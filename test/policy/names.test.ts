import t from 'tap';
import {
  adapterId,
  adapterNames,
  connectionId,
  featureInstanceId,
  hostConnectionId,
  portDeviceId,
  portNames,
  vmConnectionId,
} from '../../src/policy/names.ts';
import type { SwitchEntry } from '../../src/policy/world.ts';
import { Port } from '../../switch/ports.ts';
import { FABRIKAM_MOF } from '../support/fabrikam.ts';
import { hostWorld, one } from './host-world.ts';
import { openWorld, PORT_SETTING, SWITCH_SETTING } from './open-world.ts';

const VM = 'f28e3c2a-0000-4000-8000-00000000000a';
const NIC = '9a4b0c1d-0000-4000-8000-00000000000b';
const SWITCH = '5a5a5a5a-0000-4000-8000-00000000000c';
const PORT = 'abcdefab-0000-4000-8000-00000000000d';
const FEATURE = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb';
const INSTANCE = '01020304-0506-0708-090a-0b0c0d0e0f10';

t.test('InstanceID formats of management.md 3.8, GUIDs upper case', (t) => {
  const vm = 'Microsoft:F28E3C2A-0000-4000-8000-00000000000A\\9A4B0C1D-0000-4000-8000-00000000000B';
  t.equal(adapterId(VM, NIC), vm);
  t.equal(vmConnectionId(VM, NIC), `${vm}\\C`);
  const host =
    'Microsoft:5A5A5A5A-0000-4000-8000-00000000000C\\ABCDEFAB-0000-4000-8000-00000000000D';
  t.equal(hostConnectionId(SWITCH, PORT), host);
  t.equal(portDeviceId(PORT), 'Microsoft:ABCDEFAB-0000-4000-8000-00000000000D');
  const feature = '\\EB29F0F2-F5DC-45C6-81BB-3CD9F219BBBB\\01020304-0506-0708-090A-0B0C0D0E0F10';
  const entry = { id: SWITCH, name: 'S', refusedPorts: new Map() } as unknown as SwitchEntry;
  const options = { id: PORT, name: PORT, friendlyName: 'P', type: 'synthetic' } as const;
  const plain = new Port(options, 7);
  const owner = { vmId: VM, vmName: 'web', adapterId: NIC };
  const ofVm = new Port({ ...options, owner }, 8);
  t.equal(connectionId(entry, plain), host);
  t.equal(connectionId(entry, ofVm), `${vm}\\C`);
  t.equal(featureInstanceId(entry, plain, FEATURE, INSTANCE), host + feature);
  t.equal(featureInstanceId(entry, ofVm, FEATURE, INSTANCE), `${vm}\\C${feature}`);
  t.equal(
    featureInstanceId(entry, undefined, FEATURE, INSTANCE),
    `Microsoft:5A5A5A5A-0000-4000-8000-00000000000C${feature}`,
  );
  const place = {
    portId: 8,
    portName: PORT,
    portFriendlyName: 'P',
    switchId: SWITCH,
    switchName: 'S',
  };
  const adapter = { vmId: VM, vmName: 'web', adapterId: NIC, instanceId: `${vm}\\C` };
  t.same(portNames(entry, ofVm), { ...place, ...adapter }, 'without a NIC');
  t.same(adapterNames(owner), adapter, 'not connected: no names of a port');
  t.same(portNames(entry, plain), { ...place, portId: 7, instanceId: host });
  t.end();
});

t.test('a port shows the names of its NIC; features begin with the connection id', async (t) => {
  const { fabric, sw, port } = await openWorld();
  const nic = await port.nics.connect({ name: 'Front' });
  t.match(port.info.names, { nicName: nic.name, nicFriendlyName: 'Front', vmId: undefined });
  const property = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  t.ok(property.instanceId.startsWith(`${port.info.names.instanceId}\\`), "LIKE '<connection>%'");
  const own = await sw.properties.add(SWITCH_SETTING, { SettingIntA: 1 });
  t.equal(
    own.instanceId,
    `Microsoft:${[sw.info.id, own.featureId, own.id].join('\\').toUpperCase()}`,
  );
  await fabric.close();
});

t.test('the external port shows the names of its NIC with index 0 (C2)', async (t) => {
  const { fabric } = await hostWorld();
  await fabric.features.register(FABRIKAM_MOF);
  const sw = await fabric.switches.create({ name: 'S', uplink: one });
  const { names, id } = sw.ports.get('S_External').info;
  t.match(names, {
    portId: 1,
    portName: id,
    portFriendlyName: 'S_External',
    nicName: /^PCI\\VEN_/,
    nicFriendlyName: 'Ethernet',
    switchId: sw.info.id,
    switchName: 'S',
    instanceId: `Microsoft:${sw.info.id.toUpperCase()}\\${id.toUpperCase()}`,
  });
  await fabric.close();
});
