import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionType } from '../../src/sdk/extension.ts';
import { PropertyInstance } from '../../switch/ports.ts';
import {
  extension,
  fromHex,
  hex,
  INSTANCE,
  makePort,
  nicOptions,
  now,
  PORT_FEATURE,
  portProperty,
  SWITCH_FEATURE,
  standardProperty,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

const PORT_ID_BYTES = '22 22 11 11 33 33 44 44 55 55 66 66 77 77 88 88';
const SWITCH_ID_BYTES = 'bb bb aa aa cc cc dd dd ee ee ff ff 00 00 11 11';
const INSTANCE_BYTES = '04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10';

/** Bytes of the last OID, and the expected ones, as text. */
function lastBytes(world: ReturnType<typeof switchWorld>): string {
  return hex(world.trace.entries({ limit: 1 })[0]?.input ?? new Uint8Array());
}

t.test(
  'OID_SWITCH_PORT_PROPERTY_ADD, UPDATE and DELETE of a custom property carry exactly these bytes (E7, E9-E12, E14)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    const property = portProperty(world, { A: 0x01020304, B: 0x1122334455667788n });
    now(machine.addProperty(port, property));
    const parameters = `80 01 40 00 00 00 00 00  ; header 64 bytes, Flags
    01 00 00 00 01 00 00 00                    ; PortId 1, PropertyType Custom
    ${PORT_ID_BYTES}                           ; PropertyId
    02 01 01 00                                ; PropertyVersion 1.2, SerializationVersion 1
    ${INSTANCE_BYTES}                          ; PropertyInstanceId
    20 00 00 00 40 00 00 00 00 00 00 00        ; length 16 + 16, offset 64, Reserved
    80 01 10 00 00 00 00 00                    ; custom: header 16 bytes, Flags
    10 00 00 00 10 00 00 00                    ; length 16, offset 16`;
    t.equal(
      lastBytes(world),
      hex(
        fromHex(`${parameters}
    04 03 02 01 00 00 00 00 88 77 66 55 44 33 22 11`),
      ),
    );
    now(machine.updateProperty(port, property, { A: 9, B: 0n }));
    t.equal(
      lastBytes(world),
      hex(
        fromHex(`${parameters}
    09 00 00 00 00 00 00 00 8*00`),
      ),
    );
    t.equal(property.revision, 2);
    now(machine.deleteProperty(port, property));
    t.equal(
      lastBytes(world),
      hex(
        fromHex(
          `80 01 30 00 00 00 00 00 01 00 00 00 01 00 00 00 ${PORT_ID_BYTES} ${INSTANCE_BYTES}`,
        ),
      ),
    );
    t.same(
      world.trace.entries().map(({ oid, requestType }) => `${requestType} ${oid}`),
      [
        'set OID_SWITCH_PORT_CREATE',
        'set OID_SWITCH_PORT_PROPERTY_ADD',
        'set OID_SWITCH_PORT_PROPERTY_UPDATE',
        'set OID_SWITCH_PORT_PROPERTY_DELETE',
      ],
    );
    t.equal(port.properties.size, 0);
    t.end();
  },
);

t.test(
  'OID_SWITCH_PROPERTY_ADD, UPDATE and DELETE carry exactly these bytes; custom is the only type (E2, E15)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const property = switchProperty(world, { Limit: 258 });
    const head = `80 01 38 00 00 00 00 00      ; header 56 bytes, Flags
    01 00 00 00                                ; PropertyType Custom
    ${SWITCH_ID_BYTES}
    00 01 01 00                                ; PropertyVersion 1.0, SerializationVersion 1
    ${INSTANCE_BYTES}
    14 00 00 00 38 00 00 00                    ; length 16 + 4, offset 56
    80 01 10 00 00 00 00 00 04 00 00 00 10 00 00 00`;
    now(machine.addProperty(machine.state, property));
    t.equal(lastBytes(world), hex(fromHex(`${head} 02 01 00 00`)));
    now(machine.updateProperty(machine.state, property, { Limit: 1 }));
    t.equal(lastBytes(world), hex(fromHex(`${head} 01 00 00 00`)));
    now(machine.deleteProperty(machine.state, property));
    t.equal(
      lastBytes(world),
      hex(fromHex(`80 01 2c 00 00 00 00 00 01 00 00 00 ${SWITCH_ID_BYTES} ${INSTANCE_BYTES}`)),
    );
    t.same(
      world.trace.entries().map(({ oid }) => oid),
      ['OID_SWITCH_PROPERTY_ADD', 'OID_SWITCH_PROPERTY_UPDATE', 'OID_SWITCH_PROPERTY_DELETE'],
    );
    t.equal(machine.state.properties.size, 0);
    t.end();
  },
);

t.test(
  'a VLAN and a security property carry their NDIS structure and no PropertyId (E1, E11, E24)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    const vlan = standardProperty(world, 3, { OperationMode: 1, AccessVlanId: 5 });
    now(machine.addProperty(port, vlan));
    t.equal(
      lastBytes(world),
      hex(
        fromHex(`80 01 40 00 00 00 00 00 01 00 00 00 03 00 00 00 ; PortId 1, type Vlan
      16*00 00 01 01 00 ${INSTANCE_BYTES}
      18 04 00 00 40 00 00 00 00 00 00 00              ; length 1048, offset 64
      80 01 18 04 00 00 00 00 01 00 00 00 00 00 00 00  ; VLAN: header 1048, OperationMode Access, pad
      05 00 00 00 00 00 00 00 512*00 512*00            ; AccessVlanId 5, NativeVlanId 0, pad, two bitmaps`),
      ),
    );
    const security = standardProperty(
      world,
      2,
      { AllowMacSpoofing: true, VirtualSubnetId: 5001 },
      PORT_FEATURE,
    );
    now(machine.addProperty(port, security));
    t.equal(
      lastBytes(world),
      hex(
        fromHex(`80 01 40 00 00 00 00 00 01 00 00 00 02 00 00 00 ; type Security; class version 3.0 (management.md 1.4)
      16*00 00 03 01 00 ${PORT_ID_BYTES}
      18 00 00 00 40 00 00 00 00 00 00 00              ; length 24
      80 02 18 00 00 00 00 00 01 00 00 00 89 13 00 00  ; revision 2, AllowMacSpoofing, subnet 5001
      00 00 00 00 00 00 00 00                          ; AllowTeaming, DynamicIPAddressLimit`),
      ),
    );
    now(machine.deleteProperty(port, vlan));
    t.equal(
      lastBytes(world),
      hex(fromHex(`80 01 30 00 00 00 00 00 01 00 00 00 03 00 00 00 16*00 ${INSTANCE_BYTES}`)),
    );
    t.end();
  },
);

t.test('a profile passes through without interpretation (E13)', (t) => {
  const world = switchWorld();
  const seen: unknown[] = [];
  const machine = startSwitch(world, [
    extension('forward', { addPortProperty: ({ settings }) => void seen.push(settings) }),
  ]);
  const port = makePort(machine);
  const settings = {
    ProfileName: 'p',
    ProfileId: PORT_FEATURE,
    VendorName: 'v',
    VendorId: SWITCH_FEATURE,
    ProfileData: 7,
    CdnLabelId: 9,
    CdnLabelString: 'c',
  };
  now(machine.addProperty(port, standardProperty(world, 4, settings)));
  t.equal(
    lastBytes(world).slice(64 * 3),
    hex(
      fromHex(`80 01 50 06 00 00 00 00  ; header 1616 bytes, Flags
      02 00 70 00 512*00                ; ProfileName
      ${PORT_ID_BYTES}                  ; ProfileId
      02 00 76 00 512*00                ; VendorName
      ${SWITCH_ID_BYTES}                ; VendorId
      07 00 00 00 16*00 00 00 00 00     ; ProfileData, NetCfgInstanceId, PciLocation
      09 00 00 00 02 00 63 00 512*00    ; CdnLabelId, CdnLabel`),
    ),
  );
  t.match(seen, [settings]);
  t.end();
});

t.test('a standard value that nobody configured is told to nobody (E6)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, [extension('forward', {})]);
  const port = makePort(machine);
  now(machine.connectNic(port, nicOptions()));
  now(machine.deletePort(port));
  t.same(
    world.trace.entries().filter(({ oid }) => oid.includes('PROPERTY')),
    [],
  );
  t.end();
});

t.test('a built-in policy is stored and told to nobody (E3)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const port = makePort(machine);
  const acl = world.registry.find('Msvm_EthernetSwitchPortAclSettingData');
  t.equal(acl?.codec.propertyType, 0);
  const property = new PropertyInstance(INSTANCE, acl?.codec as never, {});
  const accepted: string[] = [];
  const turn = { accepted: () => accepted.push('yes') };
  t.equal(now(machine.addProperty(port, property, turn)), undefined);
  t.equal(port.properties.size, 1);
  t.equal(now(machine.updateProperty(port, property, {}, turn)), undefined);
  t.equal(property.revision, 2);
  t.equal(now(machine.deleteProperty(port, property, turn)), undefined);
  t.equal(port.properties.size, 0);
  t.equal(accepted.length, 3);
  t.equal(world.trace.entries().length, 1, 'PORT_CREATE only');
  t.end();
});

t.test(
  'a veto of ADD, UPDATE or DELETE changes nothing; filter and forward may (A22, D20, E16, E17, E36, OP-4)',
  (t) => {
    for (const type of ['filter', 'forward'] as ExtensionType[]) {
      const world = switchWorld();
      let veto = false;
      const verdict = () => (veto ? NdisStatus.DATA_NOT_ACCEPTED : 'forward');
      const machine = startSwitch(world, [
        extension(type, {
          addPortProperty: verdict,
          updatePortProperty: verdict,
          deletePortProperty: verdict,
          addSwitchProperty: verdict,
          updateSwitchProperty: verdict,
          deleteSwitchProperty: verdict,
        }),
      ]);
      const port = makePort(machine);
      for (const [owner, property, other] of [
        [port, portProperty(world), { A: 5, B: 6n }],
        [machine.state, switchProperty(world), { Limit: 8 }],
      ] as const) {
        const before = property.settings;
        veto = true;
        t.equal(now(machine.addProperty(owner, property))?.status, NdisStatus.DATA_NOT_ACCEPTED);
        t.equal(owner.properties.size, 0);
        veto = false;
        now(machine.addProperty(owner, property));
        veto = true;
        t.equal(now(machine.updateProperty(owner, property, other))?.status, 0xc000021b);
        t.equal(property.settings, before);
        t.equal(property.revision, 1);
        t.equal(now(machine.deleteProperty(owner, property))?.status, 0xc000021b);
        t.equal(owner.properties.get(INSTANCE), property);
      }
      t.same(world.findings, []);
    }
    t.end();
  },
);

t.test('several instances of one PropertyId stand side by side (E8)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const port = makePort(machine);
  const other = '99999999-0000-0000-0000-000000000001';
  now(machine.addProperty(port, portProperty(world, { A: 1, B: 0n })));
  now(machine.addProperty(port, portProperty(world, { A: 2, B: 0n }, other)));
  t.same(
    [...port.properties.values()].map(({ id, settings }) => [id, settings['A']]),
    [
      [INSTANCE, 1],
      [other, 2],
    ],
  );
  t.end();
});

t.test(
  'a property refused at re-issue is unknown to the extensions: it goes without an OID',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    const property = portProperty(world);
    property.refused = 'NDIS_STATUS_RESOURCES';
    port.properties.set(property.id, property);
    now(machine.deleteProperty(port, property));
    t.equal(port.properties.size, 0);
    t.equal(world.trace.entries({ oid: 'OID_SWITCH_PORT_PROPERTY_DELETE' }).length, 0);
    const again = portProperty(world);
    again.refused = 'NDIS_STATUS_RESOURCES';
    port.properties.set(again.id, again);
    now(machine.updateProperty(port, again, { A: 2, B: 2n }));
    t.equal(again.refused, undefined, 'accepted with other values');
    t.end();
  },
);

t.test(
  'properties of a port end with it: no PROPERTY_DELETE before PORT_TEARDOWN (E38, OP-7)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    now(machine.addProperty(port, portProperty(world)));
    world.trace.clear();
    now(machine.deletePort(port));
    t.same(
      world.trace.entries().map(({ oid }) => oid),
      ['OID_SWITCH_PORT_TEARDOWN', 'OID_SWITCH_PORT_DELETE'],
    );
    t.end();
  },
);

t.test(
  'property OIDs come while the port is created: before NIC_CREATE and after it (E20)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    const property = portProperty(world);
    now(machine.addProperty(port, property));
    now(machine.connectNic(port, nicOptions()));
    now(machine.updateProperty(port, property, { A: 3, B: 3n }));
    now(machine.deletePort(port));
    t.throws(() => machine.deleteProperty(port, property), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'E20' },
    });
    t.end();
  },
);
