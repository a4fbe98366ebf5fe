import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { OidRequest, PortType, SwitchContext } from '../../src/sdk/extension.ts';
import type { Nic } from '../../switch/ports.ts';
import {
  extension,
  fromHex,
  hex,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isExtSwitchError(error)) return `${error.code} ${error.place.rule}`;
    throw error;
  }
  return 'not refused';
};

t.test(
  'a VM start and stop is S2 and S3: the OIDs, their order and the state each carries (B13, B16, B20, B21, C22, C25, C30)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    t.equal(port.state, 'created');
    const { nic } = now(machine.connectNic(port, nicOptions()));
    t.equal(nic.state, 'connected');
    now(machine.deletePort(port));
    t.equal(nic.state, 'deleted');
    t.equal(port.state, 'notCreated');
    const word = (bytes: Uint8Array, at: number): number =>
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    t.same(
      world.trace
        .entries()
        .map(({ oid, input }) => `${oid.slice(11)} ${input.length} ${word(input, 1052)}`),
      [
        'PORT_CREATE 1056 1',
        'NIC_CREATE 2224 1',
        'NIC_CONNECT 2224 2',
        'NIC_DISCONNECT 2224 3',
        'NIC_DELETE 2224 4',
        'PORT_TEARDOWN 1056 2',
        'PORT_DELETE 1056 3',
      ],
      'PortState B7 and NicState C7 both stand at 1052',
    );
    t.same(
      world.changes.map(({ event }) => event),
      [
        'switchActivated',
        'portCreated',
        'nicConnected',
        'nicDeleted',
        'portTearingDown',
        'portDeleted',
      ],
    );
    t.end();
  },
);

t.test(
  'OID_SWITCH_PORT_CREATE and OID_SWITCH_NIC_CREATE carry exactly these bytes (B2, C11, C13, C16, C17)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine, 'emulated', 'p');
    now(
      machine.connectNic(
        port,
        nicOptions({ type: 'emulated', name: 'n', friendlyName: 'N', vmName: 'v' }),
      ),
    );
    const synthetic = makePort(machine, 'synthetic', 'q');
    now(machine.connectNic(synthetic, nicOptions()));
    const [create, nicCreate] = world.trace.entries();
    t.equal(
      hex(create?.input ?? new Uint8Array()),
      hex(
        fromHex(`80 01 20 04 00 00 00 00   ; header: type, revision 1, size 1056; Flags
      01 00 00 00                        ; PortId 1
      02 00 70 00 512*00                 ; PortName: 2 bytes, 'p'
      02 00 70 00 512*00                 ; PortFriendlyName
      03 00 00 00                        ; PortType Emulated
      00 00 00 00                        ; IsValidationPort FALSE, pad
      01 00 00 00                        ; PortState Created`),
      ),
    );
    t.equal(
      hex(nicCreate?.input ?? new Uint8Array()),
      hex(
        fromHex(`80 02 b0 08 00 00 00 00   ; header: revision 2, size 2224; Flags: not synthetic, so not initializing
      02 00 6e 00 512*00                 ; NicName 'n'
      02 00 4e 00 512*00                 ; NicFriendlyName 'N'
      01 00 00 00 00 00 00 00            ; PortId 1, NicIndex 0, pad
      02 00 00 00 01 00 00 00            ; NicType Emulated, NicState Created
      02 00 76 00 512*00                 ; VmName 'v'
      00 00 00 00 512*00                 ; VmFriendlyName
      16*00                              ; NetCfgInstanceId: VM NIC
      dc 05 00 00 00 00                  ; MTU 1500, NumaNodeId 0
      00 15 5d 01 02 03 26*00            ; PermanentMacAddress
      00 15 5d 01 02 03 26*00            ; VMMacAddress
      00 15 5d 01 02 03 26*00            ; CurrentMacAddress: neither spoofing nor teaming
      00 00 16*00                        ; VFAssigned FALSE, pad to 8, NdisReserved`),
      ),
    );
    const flags = world.trace.entries({ oid: 'OID_SWITCH_NIC_CREATE' })[1]?.input.subarray(4, 8);
    t.equal(hex(flags ?? new Uint8Array()), '01 00 00 00', 'NIC_INITIALIZING for a synthetic NIC');
    t.end();
  },
);

t.test(
  'on NDIS 6.30 NIC parameters are revision 1 without the flag; other NICs than of VMs have no VMMacAddress (C14, C17)',
  (t) => {
    const world = switchWorld('6.30');
    const machine = startSwitch(world, []);
    const port = makePort(machine, 'synthetic');
    now(machine.connectNic(port, nicOptions()));
    const external = makePort(machine, 'external', 'x');
    now(machine.connectNic(external, nicOptions({ type: 'external' })));
    const [first, second] = world.trace.entries({ oid: 'OID_SWITCH_NIC_CREATE' });
    t.equal(hex(first?.input.subarray(0, 8) ?? new Uint8Array()), '80 01 9f 08 00 00 00 00');
    t.equal(first?.input.length, 2208);
    t.equal(hex(second?.input.subarray(2110, 2116) ?? new Uint8Array()), '00 15 5d 01 02 03');
    t.equal(hex(second?.input.subarray(2142, 2148) ?? new Uint8Array()), '00 00 00 00 00 00');
    t.end();
  },
);

t.test('port types fit the kind of switch, NIC types the port (A7, B6, C9)', (t) => {
  const world = switchWorld();
  const made = (kind: 'private' | 'internal' | 'external', type: PortType): string =>
    refusal(() => makePort(startSwitch(world, [], kind), type));
  t.equal(made('external', 'external'), 'not refused');
  t.equal(made('external', 'internal'), 'not refused');
  t.equal(made('internal', 'internal'), 'not refused');
  t.equal(made('internal', 'external'), 'ILLEGAL_TRANSITION A7');
  t.equal(made('private', 'external'), 'ILLEGAL_TRANSITION A7');
  t.equal(made('private', 'internal'), 'ILLEGAL_TRANSITION C9');
  t.equal(made('private', 'generic'), 'not refused');
  const machine = startSwitch(world, []);
  const generic = makePort(machine, 'generic');
  t.equal(
    refusal(() => machine.connectNic(generic, nicOptions({ type: 'internal' }))),
    'ILLEGAL_TRANSITION B6',
  );
  t.equal(now(machine.connectNic(generic, nicOptions())).nic.state, 'connected');
  t.end();
});

t.test(
  'NIC indexes: 0 to 32, above 0 on the external port and after index 0, none on a validation port (C2, C3, C8, C52, B43, OP-36)',
  (t) => {
    const machine = startSwitch(switchWorld(), []);
    const port = makePort(machine, 'synthetic', 'a');
    const external = makePort(machine, 'external', 'b');
    const connect = (where: typeof port, index: number, type: Nic['type']): string =>
      refusal(() => machine.connectNic(where, nicOptions({ index, type })));
    t.equal(connect(port, 33, 'synthetic'), 'ILLEGAL_TRANSITION C3');
    t.equal(connect(port, -1, 'synthetic'), 'ILLEGAL_TRANSITION C3');
    t.equal(connect(port, 1, 'synthetic'), 'ILLEGAL_TRANSITION C2');
    t.equal(connect(external, 1, 'external'), 'ILLEGAL_TRANSITION C52');
    t.equal(connect(external, 0, 'external'), 'not refused');
    t.equal(connect(external, 32, 'external'), 'not refused');
    t.equal(connect(external, 0, 'external'), 'ILLEGAL_TRANSITION C22', 'there already');
    const second = makePort(machine, 'external', 'c');
    t.equal(connect(second, 0, 'external'), 'ILLEGAL_TRANSITION C8');
    t.equal(connect(makePort(machine, 'internal', 'd'), 0, 'internal'), 'not refused');
    t.equal(connect(makePort(machine, 'internal', 'e'), 0, 'internal'), 'ILLEGAL_TRANSITION OP-36');
    const validation = now(
      machine.createPort({ ...portOptions('synthetic', 'v'), isValidationPort: true }),
    ).port;
    t.equal(connect(validation, 0, 'synthetic'), 'ILLEGAL_TRANSITION B43');
    t.end();
  },
);

t.test(
  'a port with a team below its NIC goes away adapters first: all disconnected, all deleted, then index 0 (C54)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine, 'external');
    for (const index of [0, 1, 2]) {
      now(machine.connectNic(port, nicOptions({ type: 'external', index })));
    }
    world.trace.clear();
    now(machine.deletePort(port));
    t.same(
      world.trace
        .entries()
        .map(({ oid, input }) => `${oid.slice(11)}${oid.includes('NIC') ? ` ${input[1044]}` : ''}`),
      [
        'NIC_DISCONNECT 1',
        'NIC_DISCONNECT 2',
        'NIC_DELETE 1',
        'NIC_DELETE 2',
        'NIC_DISCONNECT 0',
        'NIC_DELETE 0',
        'PORT_TEARDOWN',
        'PORT_DELETE',
      ],
    );
    t.end();
  },
);

t.test('port ids: from 1, in order, wanted ones when free; 65,535 of them (B1)', (t) => {
  const machine = startSwitch(switchWorld(), []);
  t.equal(makePort(machine, 'synthetic', 'a').portId, 1);
  const wanted = (portId: number): string =>
    refusal(() => machine.createPort({ ...portOptions('synthetic', 'w'), portId }));
  t.equal(wanted(1), 'ILLEGAL_TRANSITION B1');
  for (const bad of [0, -1, 1.5, 65_536]) t.equal(wanted(bad), 'INVALID_ARGUMENT B1');
  t.equal(wanted(65_535), 'not refused');
  t.equal(makePort(machine, 'synthetic', 'b').portId, 2, 'wraps to the lowest free one');
  for (let id = 3; id < 65_535; id += 1) {
    machine.state.ports.set(id, machine.state.ports.get(1) as never);
  }
  t.equal(
    refusal(() => makePort(machine, 'synthetic', 'c')),
    'ILLEGAL_TRANSITION B1',
  );
  t.end();
});

t.test('a deleted port gets no more OIDs; a NIC deleted twice neither (B22, C32)', async (t) => {
  const world = switchWorld();
  const held: OidRequest[] = [];
  const machine = startSwitch(world, [
    extension('filter', {
      disconnectNic: (_nic, request) => {
        held.push(request);
        return request.pend();
      },
    }),
  ]);
  const port = makePort(machine);
  const { nic } = now(machine.connectNic(port, nicOptions()));
  const first = machine.disconnectNic(port, nic);
  const second = machine.disconnectNic(port, nic);
  held[0]?.forward();
  await first;
  await t.rejects(Promise.resolve(second), { code: 'ILLEGAL_TRANSITION', place: { rule: 'C32' } });
  t.equal(world.trace.entries({ oid: 'OID_SWITCH_NIC_DELETE' }).length, 1);
  now(machine.deletePort(port));
  world.trace.clear();
  t.equal(
    refusal(() => machine.deletePort(port)),
    'ILLEGAL_TRANSITION B22',
  );
  t.equal(
    refusal(() => machine.addProperty(port, portProperty(world))),
    'ILLEGAL_TRANSITION E20',
  );
  t.equal(
    refusal(() => machine.queryStatus(port.portId, port.id, undefined)),
    'NOT_FOUND B22',
  );
  t.equal(
    refusal(() => machine.connectNic(port, nicOptions())),
    'ILLEGAL_TRANSITION B13',
  );
  t.same(world.trace.entries(), []);
});

t.test('a NIC goes and comes back on the same port; its properties stay (B15, C33, OP-27)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const port = makePort(machine);
  now(machine.addProperty(port, portProperty(world)));
  const { nic } = now(machine.connectNic(port, nicOptions()));
  now(machine.disconnectNic(port, nic));
  t.equal(port.nics.size, 0);
  t.equal(now(machine.connectNic(port, nicOptions())).nic.state, 'connected');
  t.equal(port.properties.size, 1);
  t.end();
});

/** An extension that shows its context. */
function observer(): { sw(): SwitchContext; definition: ReturnType<typeof extension> } {
  let context: SwitchContext | undefined;
  return {
    sw: () => context as SwitchContext,
    definition: extension('filter', (sw) => {
      context = sw;
      return {};
    }),
  };
}

t.test('references: SUCCESS only for a created port and a connected NIC (B36, C57, OP-24)', (t) => {
  const world = switchWorld();
  const { sw, definition } = observer();
  const machine = startSwitch(world, [definition]);
  t.equal(sw().referencePort(1), NdisStatus.INVALID_PARAMETER);
  const port = makePort(machine);
  t.equal(sw().referencePort(1), NdisStatus.SUCCESS);
  t.equal(sw().referenceNic(1, 0), NdisStatus.INVALID_PARAMETER);
  now(machine.connectNic(port, nicOptions()));
  t.equal(sw().referenceNic(1, 0), NdisStatus.SUCCESS);
  t.equal(sw().referenceNic(1, 1), NdisStatus.INVALID_PARAMETER);
  t.equal(sw().referenceNic(2, 0), NdisStatus.INVALID_PARAMETER);
  t.equal(port.references, 1);
  t.equal(sw().dereferenceNic(1, 0), NdisStatus.SUCCESS);
  t.equal(sw().dereferencePort(1), NdisStatus.SUCCESS);
  t.same(world.findings, []);
  t.equal(sw().dereferencePort(1), NdisStatus.INVALID_PARAMETER);
  t.equal(sw().dereferenceNic(1, 0), NdisStatus.INVALID_PARAMETER);
  t.equal(sw().dereferenceNic(9, 9), NdisStatus.INVALID_PARAMETER);
  t.same(rules(world), ['B39', 'C60', 'C60'], 'each dereference balances one reference (B39, C60)');
  t.equal(port.references, 0);
  t.end();
});

t.test(
  'delete waits for the last reference: NIC_DELETE and PORT_DELETE come after it (B21, B35, B41, C31, C56)',
  async (t) => {
    const world = switchWorld();
    const { sw, definition } = observer();
    const machine = startSwitch(world, [definition]);
    const port = makePort(machine);
    now(machine.connectNic(port, nicOptions()));
    sw().referencePort(1);
    sw().referencePort(1);
    sw().referenceNic(1, 0);
    const sent = machine.deletePort(port);
    const last = (): string | undefined => world.trace.entries({ limit: 1 })[0]?.oid;
    t.equal(last(), 'OID_SWITCH_NIC_DISCONNECT');
    t.equal(sw().referenceNic(1, 0), NdisStatus.INVALID_PARAMETER, 'disconnected (C59)');
    sw().dereferenceNic(1, 0);
    await settle();
    t.equal(last(), 'OID_SWITCH_PORT_TEARDOWN');
    t.equal(sw().referencePort(1), NdisStatus.INVALID_PARAMETER, 'in teardown (B36, B37)');
    sw().dereferencePort(1);
    await settle();
    t.equal(last(), 'OID_SWITCH_PORT_TEARDOWN', 'one is left');
    sw().dereferencePort(1);
    await sent;
    t.equal(last(), 'OID_SWITCH_PORT_DELETE');
    t.same(world.findings, []);
    t.equal(world.clock.nextAt(), undefined, 'no timer is left');
  },
);

t.test(
  'a leaked reference holds a delete up for 12,000 ms, is reported, and cannot spoil the next NIC (B42, C60)',
  async (t) => {
    const world = switchWorld();
    const { sw, definition } = observer();
    const machine = startSwitch(world, [definition]);
    const port = makePort(machine);
    const { nic } = now(machine.connectNic(port, nicOptions()));
    sw().referenceNic(1, 0);
    const sent = machine.disconnectNic(port, nic);
    world.clock.advance(11_999);
    t.same(world.findings, []);
    world.clock.advance(1);
    await sent;
    t.same(rules(world), ['C60']);
    t.match(world.findings[0], {
      message: /kept 1 reference\(s\) on NIC 1\/0 for 12000 ms; deleted all the same$/,
      extensionId: definition.id,
    });
    const again = now(machine.connectNic(port, nicOptions())).nic;
    t.equal(sw().dereferenceNic(1, 0), NdisStatus.SUCCESS, 'the old one comes back late');
    t.equal(again.references, 0, 'not taken from the new NIC');
    t.equal(nic.references, 0);
    sw().referencePort(1);
    const gone = machine.deletePort(port);
    world.clock.advance(12_000);
    await gone;
    t.same(rules(world), ['C60', 'B42']);
  },
);

t.test('stopping a switch waits neither for references nor for pended OIDs', async (t) => {
  const world = switchWorld();
  const { sw, definition } = observer();
  const pending = extension('forward', { createPort: (_port, request) => request.pend() });
  const machine = startSwitch(world, [definition]);
  const port = makePort(machine);
  now(machine.connectNic(port, nicOptions()));
  sw().referencePort(1);
  sw().referenceNic(1, 0);
  now(machine.changeStack([definition, pending]));
  const deleted = machine.deletePort(port);
  const others = [1, 2, 3].map((i) => machine.createPort(portOptions('synthetic', `p${i}`)));
  await machine.stop();
  await deleted;
  for (const other of others) {
    t.equal((await other).request.status, NdisStatus.REQUEST_ABORTED);
  }
  t.equal(world.clock.now(), 0, 'no time has passed');
  t.equal(machine.modules.length, 0);
  t.equal(machine.pipeline.inFlight.size, 0);
});

t.test(
  'an extension that holds several requests when it is detached loses them all (A63)',
  async (t) => {
    const world = switchWorld();
    const asked: Promise<unknown>[] = [];
    let ask: (() => unknown) | undefined;
    const asking = extension('capture', (sw) => {
      ask = () => sw.request('query', 0x10276, new Uint8Array(0), 0);
      return {};
    });
    const holding = extension('forward', { oidRequest: (request) => request.pend() });
    const machine = startSwitch(world, [asking, holding]);
    for (let i = 0; i < 3; i += 1) asked.push(ask?.() as Promise<unknown>);
    now(machine.changeStack([asking]));
    const results = await Promise.all(asked);
    t.match(results, [
      { status: NdisStatus.REQUEST_ABORTED },
      { status: NdisStatus.REQUEST_ABORTED },
      { status: NdisStatus.REQUEST_ABORTED },
    ]);
    t.equal(machine.pipeline.inFlight.size, 0);
  },
);
