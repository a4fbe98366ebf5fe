import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers } from '../../src/sdk/extension.ts';
import type { NicOptions } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  rules,
  type SwitchWorld,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

const SECOND = '01020304-0506-0708-090a-0b0c0d0e0f11';

/** OIDs of the trace without OID_SWITCH_, with their status when it is not success. */
function oids(world: SwitchWorld): string[] {
  return world.trace
    .entries()
    .map(({ oid, status }) =>
      status === 'NDIS_STATUS_SUCCESS' ? oid.slice(11) : `${oid.slice(11)} ${status.slice(12)}`,
    );
}

function vmConnection(world: SwitchWorld, name = 'port') {
  return {
    port: portOptions('synthetic', name),
    properties: [portProperty(world), portProperty(world, { A: 2, B: 0n }, SECOND)],
    nics: [nicOptions()],
  };
}

const uplinkNics = (count: number): NicOptions[] =>
  Array.from({ length: count + 1 }, (_, index) =>
    nicOptions({ index, type: 'external', name: `uplink${index}` }),
  );

t.test(
  'a connection opens as S2 says: port, its policies in order, NIC, connect (B16, C25, E20)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const outcome = now(machine.openConnection(vmConnection(world)));
    t.same(oids(world), [
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_ADD',
      'NIC_CREATE',
      'NIC_CONNECT',
    ]);
    t.equal(outcome.port?.nics.get(0)?.state, 'connected');
    t.equal(outcome.port?.properties.size, 2);
    t.end();
  },
);

t.test(
  'a guest that has not bound leaves its NIC created; CONNECT follows when it binds (C26)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const { port } = now(machine.openConnection({ ...vmConnection(world), connect: false }));
    const nic = port?.nics.get(0);
    t.equal(nic?.state, 'created');
    t.equal(oids(world).at(-1), 'NIC_CREATE');
    if (port === undefined || nic === undefined) throw new Error('nothing was opened');
    now(machine.bindNic(port, nic));
    t.equal(nic.state, 'connected');
    t.equal(oids(world).at(-1), 'NIC_CONNECT');
    t.end();
  },
);

t.test(
  'a veto at any step of S2 takes the connection back: nothing is left (B17, C23, S2 steps 2-4)',
  (t) => {
    const vetoes: readonly (readonly [keyof ExtensionHandlers, string, readonly string[]])[] = [
      ['createPort', 'port', ['PORT_CREATE DATA_NOT_ACCEPTED']],
      [
        'addPortProperty',
        'property',
        ['PORT_CREATE', 'PORT_PROPERTY_ADD DATA_NOT_ACCEPTED', 'PORT_TEARDOWN', 'PORT_DELETE'],
      ],
      [
        'createNic',
        'nic',
        [
          'PORT_CREATE',
          'PORT_PROPERTY_ADD',
          'PORT_PROPERTY_ADD',
          'NIC_CREATE DATA_NOT_ACCEPTED',
          'PORT_TEARDOWN',
          'PORT_DELETE',
        ],
      ],
    ];
    for (const [handler, step, expected] of vetoes) {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension('filter', { [handler]: () => NdisStatus.DATA_NOT_ACCEPTED }),
      ]);
      const outcome = now(machine.openConnection(vmConnection(world)));
      t.equal(outcome.refused?.status, NdisStatus.DATA_NOT_ACCEPTED, handler);
      t.equal(outcome.refused === undefined ? '' : outcome.step, step);
      t.same(oids(world), expected, handler);
      t.equal(machine.state.ports.size, 0);
    }
    t.end();
  },
);

t.test('a NIC that cannot stand there is refused before the first OID (B6, C3, C8)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const wrong: readonly (readonly [NicOptions[], string])[] = [
    [[nicOptions({ type: 'emulated' })], 'B6'],
    [[nicOptions(), nicOptions()], 'C3'],
    [[nicOptions(), nicOptions({ index: 1 })], 'C2'],
  ];
  for (const [nics, rule] of wrong) {
    t.throws(() => machine.openConnection({ ...vmConnection(world), nics }), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule },
    });
  }
  t.throws(
    () =>
      machine.openConnection({
        port: portOptions('external', 'up'),
        properties: [],
        nics: uplinkNics(33),
      }),
    { code: 'ILLEGAL_TRANSITION', place: { rule: 'C3' } },
  );
  t.throws(
    () =>
      machine.openConnection({
        port: portOptions('external', 'up'),
        properties: [],
        nics: uplinkNics(1).reverse(),
      }),
    { code: 'ILLEGAL_TRANSITION', place: { rule: 'C52' } },
  );
  t.same(oids(world), []);
  t.equal(machine.state.ports.size, 0);
  t.end();
});

t.test(
  'a team comes up all created, then all connected, and goes down in the order of C54 (C52, C54, C55, S8)',
  (t) => {
    const world = switchWorld();
    const seen: string[] = [];
    const tell = (name: string) => (nic: { readonly index: number }) => {
      seen.push(`${name} ${nic.index}`);
    };
    const machine = startSwitch(world, [
      extension('forward', {
        createNic: tell('create'),
        connectNic: tell('connect'),
        disconnectNic: tell('disconnect'),
        deleteNic: tell('delete'),
      }),
    ]);
    const { port } = now(
      machine.openConnection({
        port: portOptions('external', 'up'),
        properties: [],
        nics: uplinkNics(2),
      }),
    );
    if (port === undefined) throw new Error('refused');
    t.same(seen.splice(0), [
      'create 0',
      'create 1',
      'create 2',
      'connect 0',
      'connect 1',
      'connect 2',
    ]);
    now(machine.deletePort(port));
    t.same(seen, [
      'disconnect 1',
      'disconnect 2',
      'delete 1',
      'delete 2',
      'disconnect 0',
      'delete 0',
    ]);
    t.same(oids(world).slice(-2), ['PORT_TEARDOWN', 'PORT_DELETE']);
    t.end();
  },
);

t.test(
  'a validation port is told like any other, without a NIC, and is gone after the check (B43, B46, OP-19)',
  (t) => {
    const world = switchWorld();
    const validation: boolean[] = [];
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: ({ isValidationPort }) => {
          validation.push(isValidationPort);
        },
      }),
    ]);
    const { port, properties } = vmConnection(world);
    const outcome = now(machine.validateConnection({ port, properties }));
    t.equal(outcome.refused, undefined);
    t.same(validation, [true]);
    t.same(oids(world), [
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_ADD',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    t.equal(machine.state.ports.size, 0);
    t.end();
  },
);

t.test(
  'a port is used again: its NIC goes and another comes, the port and its policies stay (B15, C33, S4)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const { port } = now(machine.openConnection(vmConnection(world)));
    if (port === undefined) throw new Error('refused');
    world.trace.clear();
    now(machine.closeNics(port));
    t.equal(port.state, 'created');
    now(machine.openNics(port, [nicOptions({ isKnown: true })]));
    t.same(oids(world), ['NIC_DISCONNECT', 'NIC_DELETE', 'NIC_CREATE', 'NIC_CONNECT']);
    t.equal(port.properties.size, 2);
    t.end();
  },
);

t.test(
  'a NIC that was created and never connected is deleted without DISCONNECT (C34, OP-26)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const { port } = now(machine.openConnection({ ...vmConnection(world), connect: false }));
    if (port === undefined) throw new Error('refused');
    world.trace.clear();
    now(machine.closeNics(port));
    t.same(oids(world), ['NIC_DELETE']);
    t.end();
  },
);

t.test(
  'a refused uplink leaves the port; an adapter below it cannot be refused (C23, C36, C37)',
  (t) => {
    const world = switchWorld();
    let refuse = 0;
    const machine = startSwitch(world, [
      extension('filter', {
        createNic: ({ index }) => (index === refuse ? NdisStatus.DATA_NOT_ACCEPTED : 'forward'),
      }),
    ]);
    const port = makePort(machine, 'external');
    const outcome = now(machine.openNics(port, uplinkNics(2)));
    t.equal(outcome.refused?.status, NdisStatus.DATA_NOT_ACCEPTED);
    t.equal(port.nics.size, 0);
    t.equal(port.state, 'created');
    refuse = 1;
    t.equal(now(machine.openNics(port, uplinkNics(2))).nics?.length, 3);
    t.same(rules(world), ['C37']);
    t.end();
  },
);

t.test(
  'PORT_UPDATED carries the new friendly name and nothing else; it counts when it has completed (B19, B23)',
  async (t) => {
    const world = switchWorld();
    const held: { forward(): void }[] = [];
    const machine = startSwitch(world, [
      extension('filter', {
        updatePort: (port, request) => {
          t.equal(port.friendlyName, 'renamed');
          t.equal(port.name, 'port');
          held.push(request);
          return request.pend();
        },
      }),
    ]);
    const port = makePort(machine);
    const updated = machine.updatePort(port, { friendlyName: 'renamed' });
    t.equal(port.friendlyName, 'port');
    held[0]?.forward();
    await updated;
    t.equal(port.friendlyName, 'renamed');
    t.equal(oids(world).at(-1), 'PORT_UPDATED');
    now(machine.deletePort(port));
    t.throws(() => machine.updatePort(port, { friendlyName: 'late' }), {
      code: 'ILLEGAL_TRANSITION',
    });
    t.end();
  },
);

t.test(
  'NIC_UPDATED only while connected, with what C29 lets change, in the bytes (C28, C29, C35)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    const { port: opened } = now(
      machine.openConnection({ ...vmConnection(world, 'other'), connect: false }),
    );
    const created = opened?.nics.get(0);
    if (opened === undefined || created === undefined) throw new Error('refused');
    t.throws(() => machine.updateNic(opened, created, { mtu: 9000 }), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'C28' },
    });
    const { nic } = now(machine.connectNic(port, nicOptions()));
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    now(
      machine.updateNic(port, nic, {
        mtu: 9000,
        friendlyName: 'Renamed',
        vmMac: mac,
        currentMac: mac,
        numaNodeId: 3,
        vfAssigned: true,
      }),
    );
    const bytes = world.trace.entries().at(-1)?.input ?? new Uint8Array();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // NDIS_SWITCH_NIC_PARAMETERS: MTU 2104, NumaNodeId 2108, PermanentMacAddress 2110, VMMacAddress 2142,
    // CurrentMacAddress 2174, VFAssigned 2206.
    t.equal(view.getUint32(2104, true), 9000);
    t.equal(view.getUint16(2108, true), 3);
    t.same([...bytes.subarray(2110, 2116)], [0x00, 0x15, 0x5d, 1, 2, 3]);
    t.same([...bytes.subarray(2142, 2148)], [2, 0, 0, 0, 0, 9]);
    t.same([...bytes.subarray(2174, 2180)], [2, 0, 0, 0, 0, 9]);
    t.equal(bytes[2206], 1);
    t.equal(nic.mtu, 9000);
    t.end();
  },
);

t.test(
  'a transient refusal is asked again as a fresh OID, as often as the option says (B18, C24, E18, D19, OP-29)',
  (t) => {
    const shapes: readonly (readonly [
      keyof ExtensionHandlers,
      (m: Switch, w: SwitchWorld) => void,
    ])[] = [
      ['createPort', (m) => now(m.createPort(portOptions()))],
      ['createNic', (m) => now(m.connectNic(makePort(m), nicOptions()))],
      ['addPortProperty', (m, w) => now(m.addProperty(makePort(m), portProperty(w)))],
      [
        'updatePortProperty',
        (m, w) => {
          const port = makePort(m);
          const property = portProperty(w);
          now(m.addProperty(port, property));
          now(m.updateProperty(port, property, { A: 5, B: 5n }));
        },
      ],
    ];
    for (const [handler, act] of shapes) {
      for (const [retries, failures, calls] of [
        [0, 1, 1],
        [2, 2, 3],
        [2, 9, 3],
      ] as const) {
        const world = switchWorld('6.85', 'test', { transientRetries: retries });
        let called = 0;
        const machine = startSwitch(world, [
          extension('filter', {
            [handler]: () => {
              called += 1;
              return called <= failures ? NdisStatus.RESOURCES : 'forward';
            },
          }),
        ]);
        act(machine, world);
        t.equal(called, calls, `${handler}, ${retries} retries, ${failures} failures`);
        const requests = world.trace.entries().map(({ request }) => request);
        t.equal(new Set(requests).size, requests.length, 'each one a request of its own');
      }
    }
    t.end();
  },
);

t.test(
  'a deletion that waits for a reference lets other ports go on, its own port waits behind it (B21, B35, C56)',
  async (t) => {
    const world = switchWorld();
    let release = (): void => undefined;
    const machine = startSwitch(world, [
      extension('filter', (sw) => ({
        createPort: ({ portId, name }) => {
          if (name === 'first') release = () => sw.dereferencePort(portId);
        },
        oidRequestComplete: ({ oidName, status }) => {
          if (oidName !== 'OID_SWITCH_PORT_CREATE' || status !== NdisStatus.SUCCESS) return;
          // The port is in the tables once the request is done.
          sw.after(0, () => sw.referencePort(1));
        },
      })),
    ]);
    const first = makePort(machine, 'synthetic', 'first');
    world.clock.advance(0);
    t.equal(first.references, 1);
    const going = machine.deletePort(first);
    t.ok(going instanceof Promise);
    const again = machine.deletePort(first);
    const behind = machine.addProperty(first, portProperty(world));
    const other = makePort(machine, 'synthetic', 'second');
    t.equal(other.state, 'created', 'another port is made meanwhile, at once');
    t.equal(machine.queued, 2);
    t.equal(first.state, 'tearingDown');
    release();
    await going;
    await t.rejects(Promise.resolve(again), { code: 'ILLEGAL_TRANSITION' });
    await t.rejects(Promise.resolve(behind), { code: 'ILLEGAL_TRANSITION' });
    t.equal(first.state, 'notCreated');
    t.equal(machine.queued, 0);
    t.same(rules(world), []);
  },
);

t.test(
  'seeded scheduling: operations overlap OID by OID, one OID at a time; a seed gives one order, seeds differ',
  async (t) => {
    const run = async (seed: string): Promise<string> => {
      const world = switchWorld('6.85', seed, { scheduling: 'seeded' });
      const { Switch: Machine } = await import('../../switch/switch.ts');
      const machine = new Machine(
        { id: '5a5a5a5a-0000-0000-0000-000000000001', name: 'sw', type: 'external' },
        world.environment,
      );
      let inHand = 0;
      let most = 0;
      await machine.start([
        extension('filter', (sw) => ({
          createNic: (_nic, request) => {
            inHand += 1;
            most = Math.max(most, inHand);
            sw.after(5, () => {
              inHand -= 1;
              request.forward();
            });
            return request.pend();
          },
        })),
      ]);
      const opening = ['a', 'b', 'c', 'd'].map((name) =>
        machine.openConnection(vmConnection(world, name)),
      );
      let ended = false;
      const all = Promise.all(opening).then(() => {
        ended = true;
      });
      while (!ended) {
        await new Promise((resolve) => setImmediate(resolve));
        world.clock.advance(5);
      }
      await all;
      t.equal(most, 1, 'one OID of the switch at a time');
      t.equal(machine.state.ports.size, 4);
      return world.trace
        .entries()
        .map(({ oid, input }) => `${oid.slice(11)} ${input[oid.includes('NIC') ? 1040 : 8]}`)
        .join('\n');
    };
    const first = await run('one');
    t.equal(await run('one'), first);
    const orders = new Set([first]);
    for (const seed of ['two', 'three', 'four', 'five']) orders.add(await run(seed));
    t.ok(orders.size > 3, `${orders.size} of 5 seeds gave orders of their own`);
    const serial = first.split('\n').slice(0, 5).join();
    t.not(
      [...orders].every((order) => order.split('\n').slice(0, 5).join() === serial),
      true,
      'operations overlap',
    );
  },
);
