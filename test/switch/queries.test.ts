import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { OidResult, SwitchContext } from '../../src/sdk/extension.ts';
import type { FilterModule } from '../../switch/filter-module.ts';
import { OidRequest, RequestHandle } from '../../switch/oid-request.ts';
import { parseMac } from '../../switch/parameters.ts';
import {
  extension,
  fromHex,
  hex,
  INSTANCE,
  makePort,
  nicOptions,
  now,
  portProperty,
  rules,
  standardProperty,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

const PARAMETERS = 0x10275;
const PORT_ARRAY = 0x10276;
const NIC_ARRAY = 0x10277;
const PORT_ENUM = 0x10274;
const SWITCH_ENUM = 0x10266;
const PORT_FEATURE_BYTES = '22 22 11 11 33 33 44 44 55 55 66 66 77 77 88 88';
const SWITCH_FEATURE_BYTES = 'bb bb aa aa cc cc dd dd ee ee ff ff 00 00 11 11';
const INSTANCE_BYTES = '04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10';

/** A switch with one extension whose context tests may use. */
function asking(ndis: '6.30' | '6.85' = '6.85') {
  const world = switchWorld(ndis);
  let context: SwitchContext | undefined;
  const machine = startSwitch(world, [
    extension('filter', (sw) => {
      context = sw;
      return {};
    }),
  ]);
  const sw = context as SwitchContext;
  const ask = (type: 'query' | 'method', oid: number, input: string, room: number): OidResult =>
    now(sw.request(type, oid, fromHex(input), room));
  return { world, machine, sw, ask };
}

t.test(
  'OID_SWITCH_PARAMETERS: a probe, a short buffer, no header, the answer (J1, J5, J6, J7)',
  (t) => {
    const { ask, machine, sw } = asking();
    const bad = { status: NdisStatus.INVALID_LENGTH, bytesNeeded: 1048 };
    t.match(ask('query', PARAMETERS, '', 0), bad, 'zero-length probe');
    t.match(ask('query', PARAMETERS, '80 01 15 04', 1047), bad);
    t.match(ask('query', PARAMETERS, '', 1048), { status: NdisStatus.INVALID_PARAMETER });
    t.match(ask('query', PARAMETERS, '81 01 15 04', 1048), {
      status: NdisStatus.INVALID_PARAMETER,
    });
    t.match(ask('query', PARAMETERS, '80 00 15 04', 1048), {
      status: NdisStatus.INVALID_PARAMETER,
    });
    makePort(machine);
    const answer = ask('query', PARAMETERS, '80 01 00 00', 2000);
    t.equal(answer.status, NdisStatus.SUCCESS);
    t.equal(answer.output.length, 1048);
    t.equal(
      hex(answer.output),
      hex(
        fromHex(`80 01 15 04 00 00 00 00     ; revision 1, size 1045
      48 00 35 00 61 00 35 00 61 00 35 00 61 00 35 00 61 00 2d 00
      30 00 30 00 30 00 30 00 2d 00 30 00 30 00 30 00 30 00 2d 00 30 00 30 00 30 00 30 00 2d 00
      30 00 30 00 30 00 30 00 30 00 30 00 30 00 30 00 30 00 30 00 30 00 31 00 442*00
      04 00 73 00 77 00 510*00
      01 00 00 00 01 00 00 00`),
      ),
      'name, friendly name, one port, active',
    );
    t.match(sw.parameters(), { friendlyName: 'sw', numSwitchPorts: 1, isActive: true });
    t.end();
  },
);

t.test(
  'OID_SWITCH_PORT_ARRAY and OID_SWITCH_NIC_ARRAY: nothing, one port in each state, lower adapters (J2-J4, J8)',
  async (t) => {
    const { ask, machine, sw } = asking();
    for (const oid of [PORT_ARRAY, NIC_ARRAY]) {
      t.match(ask('query', oid, '', 0), { status: NdisStatus.INVALID_LENGTH, bytesNeeded: 20 });
      t.match(ask('query', oid, '', 20), { status: NdisStatus.INVALID_PARAMETER });
      const none = ask('query', oid, '80 01 14 00', 20);
      t.equal(none.status, NdisStatus.SUCCESS);
      t.equal(none.output.length, 20);
      t.equal(none.output[12], 0, 'NumElements 0');
    }
    t.same(sw.ports(), []);
    t.same(sw.nics(), []);
    const port = makePort(machine, 'external', 'p');
    now(machine.connectNic(port, nicOptions({ type: 'external' })));
    now(machine.connectNic(port, nicOptions({ type: 'external', index: 3, mtu: 9014 })));
    const ports = ask('query', PORT_ARRAY, '80 01 14 00', 5000);
    t.equal(
      hex(ports.output.subarray(0, 24)),
      '80 01 14 00 00 00 00 00 18 00 00 00 01 00 00 00 20 04 00 00 00 00 00 00',
    );
    t.equal(ports.output.length, 24 + 1056);
    const nics = ask('query', NIC_ARRAY, '80 01 14 00', 5000);
    t.equal(
      hex(nics.output.subarray(0, 20)),
      '80 01 14 00 00 00 00 00 18 00 00 00 02 00 00 00 b0 08 00 00',
    );
    t.equal(nics.output.length, 24 + 2 * 2224);
    t.match(ask('query', NIC_ARRAY, '', 0), { bytesNeeded: 24 + 2 * 2224 });
    t.match(ask('query', NIC_ARRAY, '', 5000), { status: NdisStatus.INVALID_PARAMETER });
    t.match(ask('query', PORT_ARRAY, '', 5000), { status: NdisStatus.INVALID_PARAMETER });
    t.match(sw.nics(), [
      {
        portId: 1,
        index: 0,
        type: 'external',
        state: 'connected',
        mtu: 1500,
        permanentMacAddress: '00-15-5d-01-02-03',
        vmMacAddress: '00-00-00-00-00-00',
        vfAssigned: false,
      },
      { portId: 1, index: 3, type: 'external', state: 'connected', mtu: 9014 },
    ]);
    sw.referencePort(1);
    sw.referenceNic(1, 0);
    const gone = machine.deletePort(port);
    t.match(
      sw.nics(),
      [{ index: 0, state: 'disconnected' }],
      'index 3 is deleted, 0 is referenced',
    );
    sw.dereferenceNic(1, 0);
    await new Promise<void>((done) => setImmediate(done));
    t.match(sw.ports(), [
      { portId: 1, state: 'teardown', type: 'external', isValidationPort: false },
    ]);
    sw.dereferencePort(1);
    await gone;
    t.same(sw.ports(), []);
  },
);

t.test('a validation port is listed as one (B52)', (t) => {
  const { machine, sw } = asking();
  now(
    machine.createPort({
      id: INSTANCE,
      name: 'v',
      friendlyName: 'v',
      type: 'synthetic',
      isValidationPort: true,
    }),
  );
  t.match(sw.ports(), [{ isValidationPort: true, type: 'synthetic' }]);
  t.end();
});

t.test('on NDIS 6.30 NIC elements are 2,208 bytes; readers step by ElementSize (J9)', (t) => {
  const { ask, machine, sw } = asking('6.30');
  const port = makePort(machine);
  now(machine.connectNic(port, nicOptions()));
  const two = makePort(machine, 'synthetic', 'two');
  now(machine.connectNic(two, nicOptions({ mtu: 1400 })));
  const nics = ask('query', NIC_ARRAY, '80 01 14 00', 10_000);
  t.equal(nics.output.length, 24 + 2 * 2208);
  t.same(
    sw.nics().map(({ mtu }) => mtu),
    [1500, 1400],
  );
  t.end();
});

t.test(
  'OID_SWITCH_PORT_PROPERTY_ENUM: the question, short buffers, entries with pads, none (E39-E44, J6, J7)',
  (t) => {
    const { ask, machine, world } = asking();
    const port = makePort(machine);
    const question = `80 01 2e 00 00 00 00 00 01 00 00 00 01 00 00 00
    ${PORT_FEATURE_BYTES} 01 00 14*00`;
    const none = ask('method', PORT_ENUM, question, 48);
    t.equal(none.status, NdisStatus.SUCCESS);
    t.equal(hex(none.output.subarray(32)), '01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00');
    now(machine.addProperty(port, portProperty(world)));
    const other = '99999999-0000-0000-0000-000000000001';
    now(machine.addProperty(port, portProperty(world, { A: 0xff, B: 0n }, other)));
    now(
      machine.addProperty(
        port,
        standardProperty(world, 5, {}, '99999999-0000-0000-0000-000000000002'),
      ),
    );
    const size = 48 + 2 * (40 + 32);
    const short = { status: NdisStatus.INVALID_LENGTH, bytesNeeded: size };
    t.match(ask('method', PORT_ENUM, question, 48), short);
    t.match(ask('method', PORT_ENUM, question, size - 1), short);
    t.match(ask('method', PORT_ENUM, question, 0), short);
    t.match(ask('method', PORT_ENUM, '', 0), {
      status: NdisStatus.INVALID_LENGTH,
      bytesNeeded: 46,
    });
    t.match(ask('method', PORT_ENUM, `${question.replace('80', '00')}`, size), {
      status: NdisStatus.INVALID_PARAMETER,
    });
    const both = ask('method', PORT_ENUM, question, size + 100);
    t.equal(
      hex(both.output),
      hex(
        fromHex(`80 01 2e 00 00 00 00 00 01 00 00 00 01 00 00 00
      ${PORT_FEATURE_BYTES} 01 00 00 00 30 00 00 00 02 00 00 00 00 00 00 00 ; first at 48, two
      80 01 28 00 00 00 00 00 02 01 00 00 ${INSTANCE_BYTES}                ; info: version 1.2 at 8, instance at 12
      20 00 00 00 20 00 00 00 28 00 00 00
      80 01 10 00 00 00 00 00 10 00 00 00 10 00 00 00
      01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
      80 01 28 00 00 00 00 00 02 01 00 00 99 99 99 99 00 00 00 00 00 00 00 00 00 00 00 01
      20 00 00 00 20 00 00 00 28 00 00 00
      80 01 10 00 00 00 00 00 10 00 00 00 10 00 00 00
      ff 00 00 00 00 00 00 00 8*00`),
      ),
    );
    t.same(
      world.trace
        .entries({ limit: 1 })
        .map(({ requestType, route }) => [requestType, route.at(-1)?.module]),
      [['method', 'miniportEdge']],
    );
    t.end();
  },
);

t.test(
  'OID_SWITCH_PORT_PROPERTY_ENUM names an unknown port, an unknown type, a built-in policy (E3, E40)',
  (t) => {
    const { ask, machine, world } = asking();
    const port = makePort(machine);
    const acl = world.registry.find('Msvm_EthernetSwitchPortAclSettingData');
    const policy = portProperty(world);
    port.properties.set(INSTANCE, Object.assign(policy, { codec: acl?.codec }));
    const question = (portId: string, type: string): string =>
      `80 01 2e 00 00 00 00 00 ${portId} 00 00 00 ${type} 00 00 00 16*00 01 00 14*00`;
    t.match(ask('method', PORT_ENUM, question('02', '01'), 500), {
      status: NdisStatus.INVALID_PARAMETER,
    });
    t.match(ask('method', PORT_ENUM, question('01', '00'), 500), {
      status: NdisStatus.NOT_SUPPORTED,
    });
    t.match(ask('method', PORT_ENUM, question('01', '07'), 500), {
      status: NdisStatus.NOT_SUPPORTED,
    });
    t.end();
  },
);

t.test(
  'a standard type always has a value in force: the configured one or the default (E45, OP-8)',
  (t) => {
    const { machine, sw, world } = asking();
    const port = makePort(machine);
    const vlan = (): unknown => sw.portProperties(1, 'vlan').map(({ settings }) => settings);
    t.match(vlan(), [{ OperationMode: 1, AccessVlanId: 0 }]);
    t.equal(
      sw.portProperties(1, 'vlan')[0]?.propertyInstanceId,
      '00000000-0000-0000-0000-000000000000',
    );
    t.match(
      sw.portProperties(1, 'security').map(({ settings }) => settings),
      [{ AllowMacSpoofing: false, AllowTeaming: false }],
    );
    t.equal(sw.portProperties(1, 'isolation').length, 1);
    t.same(sw.portProperties(1, 'profile'), []);
    t.same(sw.portProperties(1, 'routingDomain'), []);
    now(
      machine.addProperty(port, standardProperty(world, 3, { OperationMode: 1, AccessVlanId: 9 })),
    );
    t.match(vlan(), [{ AccessVlanId: 9 }]);
    t.equal((vlan() as unknown[]).length, 1);
    t.equal(sw.portProperties(1, 'Msvm_EthernetSwitchPortVlanSettingData').length, 1);
    t.end();
  },
);

t.test(
  'OID_SWITCH_PROPERTY_ENUM: entries have the instance id before the version; custom only (E2, E42)',
  (t) => {
    const { ask, machine, sw, world } = asking();
    now(machine.addProperty(machine.state, switchProperty(world)));
    const question = `80 01 28 00 00 00 00 00 01 00 00 00 ${SWITCH_FEATURE_BYTES} 01 00 10*00`;
    const answer = ask('method', SWITCH_ENUM, question, 1000);
    t.equal(
      hex(answer.output),
      hex(
        fromHex(`80 01 28 00 00 00 00 00 01 00 00 00 ${SWITCH_FEATURE_BYTES} 01 00 00 00
      28 00 00 00 01 00 00 00                                             ; first at 40, one
      80 01 28 00 00 00 00 00 ${INSTANCE_BYTES} 00 01 00 00               ; info: instance at 8, version at 24
      18 00 00 00 14 00 00 00 28 00 00 00                                 ; 24 aligned, 20 long, offset 40
      80 01 10 00 00 00 00 00 04 00 00 00 10 00 00 00 07 00 00 00 00 00 00 00`),
      ),
    );
    t.match(
      ask('method', SWITCH_ENUM, question.replace('00 01 00 00 00 bb', '00 02 00 00 00 bb'), 1000),
      {
        status: NdisStatus.NOT_SUPPORTED,
      },
    );
    t.match(ask('method', SWITCH_ENUM, '', 0), {
      status: NdisStatus.INVALID_LENGTH,
      bytesNeeded: 40,
    });
    t.match(ask('method', SWITCH_ENUM, '40*00', 1000), { status: NdisStatus.INVALID_PARAMETER });
    t.same(
      sw
        .switchProperties('aaaabbbb-cccc-dddd-eeee-ffff00001111')
        .map(({ settings, raw }) => [settings, hex(raw)]),
      [[{ Limit: 7 }, '07 00 00 00']],
    );
    t.end();
  },
);

t.test(
  'properties of a class nobody registered are found by its GUID, without values; other names are NOT_FOUND',
  (t) => {
    const { machine, sw } = asking();
    makePort(machine);
    const unknown = '77777777-0000-0000-0000-000000000000';
    t.same(sw.portProperties(1, unknown), []);
    t.same(sw.switchProperties(unknown.toUpperCase()), []);
    t.throws(() => sw.portProperties(1, 'No_SuchClass'), { code: 'NOT_FOUND' });
    t.throws(() => sw.switchProperties('No_SuchClass'), { code: 'NOT_FOUND' });
    t.throws(() => sw.portProperties(9, unknown), { code: 'NOT_FOUND', place: { rule: 'B40' } });
    t.equal(
      machine.state.ports.get(1)?.references,
      0,
      'the reference of the enumeration is back (E48)',
    );
    t.end();
  },
);

t.test('a property refused at re-issue is not enumerated', (t) => {
  const { machine, sw, world } = asking();
  const port = makePort(machine);
  const property = portProperty(world);
  property.refused = 'NDIS_STATUS_RESOURCES';
  port.properties.set(property.id, property);
  t.same(sw.portProperties(1, 'Fabrikam_PortSettingData'), []);
  t.end();
});

t.test('an extension may not issue what only the protocol edge may (A5, B25, C41, E21)', (t) => {
  const { sw, world } = asking();
  const empty = new Uint8Array(0);
  const statuses = [0x10278, 0x1027b, 0x10271, 0x10263].map(
    (oid) => now(sw.request('set', oid, empty)).status,
  );
  t.same(statuses, Array(4).fill(NdisStatus.NOT_SUPPORTED));
  t.same(rules(world), ['B25', 'C41', 'E21', 'E21']);
  t.equal(world.trace.entries().length, 0, 'nobody saw them');
  t.end();
});

t.test('request() refuses what is no request before it reaches anybody', (t) => {
  const { sw, world } = asking();
  const bytes = new Uint8Array(4);
  const bad: [string, unknown, number][] = [
    ['ask', bytes, 0],
    ['query', bytes, Number.NaN],
    ['query', bytes, -1],
    ['query', bytes, 10.5],
    ['query', [1, 2], 10],
  ];
  for (const [type, input, room] of bad) {
    t.throws(() => sw.request(type as 'query', PARAMETERS, input as Uint8Array, room), {
      code: 'INVALID_ARGUMENT',
    });
  }
  t.equal(world.trace.entries().length, 0);
  t.equal(sw.parameters().numSwitchPorts, 0, 'nothing is stuck');
  t.end();
});

t.test('a query pended below: the sync form throws, request() waits (D15)', async (t) => {
  const world = switchWorld();
  let context: SwitchContext | undefined;
  const held: { forward(): void }[] = [];
  startSwitch(world, [
    extension('filter', (sw) => {
      context = sw;
      return {};
    }),
    extension('forward', {
      oidRequest: (request) => {
        held.push(request);
        return request.pend();
      },
    }),
  ]);
  t.throws(() => context?.ports(), { code: 'ILLEGAL_TRANSITION' });
  const sent = context?.request('query', PORT_ARRAY, fromHex('80 01 14 00'), 20);
  t.ok(sent instanceof Promise);
  held[0]?.forward();
  held[1]?.forward();
  t.match(await sent, { status: NdisStatus.SUCCESS });
});

t.test('a query is given up when the answer wants ever more room (J10)', (t) => {
  const { machine, sw, world } = asking();
  const port = makePort(machine);
  let size = 10;
  const property = portProperty(world);
  const growing = Object.create(property.codec, {
    size: {
      value: () => {
        size += 100;
        return size;
      },
    },
  });
  port.properties.set(INSTANCE, Object.assign(property, { codec: growing }));
  t.throws(() => sw.portProperties(1, 'Fabrikam_PortSettingData'), { code: 'INTERNAL' });
  t.equal(world.trace.entries({ oid: 'OID_SWITCH_PORT_PROPERTY_ENUM' }).length, 8);
  t.equal(port.references, 0);
  t.end();
});

t.test('a MAC address as text', (t) => {
  t.same([...(parseMac('00-15-5D-00-00-01') ?? [])], [0, 0x15, 0x5d, 0, 0, 1]);
  t.same([...(parseMac('00155d0000ff') ?? [])], [0, 0x15, 0x5d, 0, 0, 255]);
  t.same([...(parseMac('00:15:5d:00:00:01') ?? [])], [0, 0x15, 0x5d, 0, 0, 1]);
  for (const bad of [
    '0-0155d000001',
    '00-15:5d-00-00-01',
    '',
    '00-15-5d-00-00',
    '00-15-5d-00-00-0g',
    '00-15-5d-00-00-01-02',
  ]) {
    t.equal(parseMac(bad), undefined);
  }
  t.end();
});

t.test('a request handle shows what it is', (t) => {
  const seen: unknown[] = [];
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', {
      oidRequest: (request) => {
        seen.push([
          request.oid,
          request.oidName,
          request.requestType,
          request.id,
          request.property,
        ]);
        t.equal(request.bytes.length, 1056);
        t.ok(request instanceof RequestHandle);
      },
      oidRequestComplete: (request) => {
        seen.push([request.status, request.bytesRead, request.bytesWritten, request.bytesNeeded]);
      },
    }),
  ]);
  makePort(machine);
  t.same(seen, [
    [0x10278, 'OID_SWITCH_PORT_CREATE', 'set', 1, undefined],
    [0, 1056, 0, 0],
  ]);
  const raw = new OidRequest(PARAMETERS, 0, 0, new Uint8Array(8), 0, 8);
  t.equal(raw.length, 8);
  t.same(raw.modules as readonly FilterModule[], []);
  t.end();
});
