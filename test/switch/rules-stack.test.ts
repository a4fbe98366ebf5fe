import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionDefinition, ExtensionType, PortType } from '../../src/sdk/extension.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  type SwitchWorld,
  standardProperty,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

/** Rules of chapters A, D and E about what a stack is made of and which way requests take through it. */

const lastRoute = (world: SwitchWorld): string[] =>
  world.trace
    .entries()
    .at(-1)
    ?.route.map(({ module, verdict }) => `${module}:${verdict}`) ?? [];

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
  'each switch has a stack of its own, between its own edges: an OID of one is not seen on the other (A1)',
  (t) => {
    const seen: string[] = [];
    let attached = 0;
    const filter = extension('filter', () => {
      attached += 1;
      const mine = attached;
      return {
        createPort: (port) => {
          seen.push(`instance ${mine}: ${port.name}`);
          return 'forward';
        },
      };
    });
    const world = switchWorld();
    const one = startSwitch(world, [filter], 'external', 'one');
    const two = startSwitch(world, [filter], 'external', 'two');
    t.equal(attached, 2, 'one instance for each switch');
    makePort(one, 'synthetic', 'a');
    makePort(two, 'synthetic', 'b');
    t.same(seen, ['instance 1: a', 'instance 2: b']);
    t.same(lastRoute(world), [`${filter.id}:forward`, 'miniportEdge:NDIS_STATUS_SUCCESS']);
    t.equal(one.state.ports.size, 1);
    t.not(one.modules[0], two.modules[0]);
    t.end();
  },
);

t.test(
  'however extensions are given, classes lie capture, filter, forward, and the forwarding one directly on the miniport edge (A2, A4)',
  (t) => {
    const make = (type: ExtensionType): ExtensionDefinition => extension(type, {}, type);
    const orders: readonly (readonly ExtensionType[])[] = [
      ['forward', 'filter', 'capture'],
      ['filter', 'forward', 'capture'],
      ['capture', 'forward', 'filter'],
      ['forward', 'capture', 'filter', 'capture', 'filter'],
    ];
    for (const order of orders) {
      const world = switchWorld();
      const machine = startSwitch(world, order.map(make));
      const classes = machine.modules.map((module) => module.name);
      t.same(
        classes,
        [...classes].sort((a, b) => rank(a) - rank(b)),
        order.join(),
      );
      t.equal(classes.at(-1), 'forward');
      makePort(machine);
      const route = lastRoute(world);
      t.equal(route.length, order.length + 1);
      t.equal(route.at(-2), `${machine.modules.at(-1)?.id}:forward`);
      t.equal(route.at(-1), 'miniportEdge:NDIS_STATUS_SUCCESS');
    }
    t.end();
  },
);

function rank(type: string): number {
  return ['capture', 'filter', 'forward'].indexOf(type);
}

t.test(
  'the three kinds of switch and the ports each takes; through a private one the management OS has no way (A7, A8, C9)',
  (t) => {
    const types: readonly PortType[] = ['external', 'internal', 'synthetic', 'emulated', 'generic'];
    const takes = {
      external: ['external', 'internal', 'synthetic', 'emulated', 'generic'],
      internal: ['internal', 'synthetic', 'emulated', 'generic'],
      private: ['synthetic', 'emulated', 'generic'],
    };
    for (const kind of ['external', 'internal', 'private'] as const) {
      const world = switchWorld();
      const machine = startSwitch(world, [], kind);
      const taken = types.filter(
        (type) => refusal(() => makePort(machine, type, type)) === 'not refused',
      );
      t.same(taken, takes[kind], kind);
    }
    // The NIC of the management OS is an internal one, and only an internal port takes it.
    const machine = startSwitch(switchWorld(), [], 'private');
    for (const type of ['synthetic', 'emulated', 'generic'] as const) {
      const port = makePort(machine, type, type);
      t.equal(
        refusal(() => now(machine.connectNic(port, nicOptions({ type: 'internal' })))),
        'ILLEGAL_TRANSITION B6',
      );
    }
    t.end();
  },
);

t.test(
  'what a vetoing extension of each class ends: the vetoable eight and no other (D20, D18, A22)',
  (t) => {
    /** OID_SWITCH_… whose error status refuses it, from the rule book. */
    const VETOABLE = [
      'NIC_CREATE',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_DELETE',
      'PORT_PROPERTY_UPDATE',
      'PROPERTY_ADD',
      'PROPERTY_DELETE',
      'PROPERTY_UPDATE',
    ];
    for (const type of ['filter', 'forward'] as const) {
      let refusing = '';
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension(type, {
          oidRequest: (request) =>
            request.oidName === `OID_SWITCH_${refusing}` ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
        }),
      ]);
      const run = (): void => {
        const opened = now(
          machine.openConnection({
            port: portOptions(),
            properties: [portProperty(world)],
            nics: [nicOptions()],
          }),
        );
        if (opened.port !== undefined) {
          const [property] = opened.port.properties.values();
          const [nic] = opened.port.nics.values();
          if (property === undefined || nic === undefined) throw new Error('opened whole');
          now(machine.updateProperty(opened.port, property, { A: 2, B: 2n }));
          now(machine.deleteProperty(opened.port, property));
          now(machine.updateNic(opened.port, nic, { mtu: 1400 }));
          now(machine.updatePort(opened.port, { friendlyName: 'new' }));
          now(machine.deletePort(opened.port));
        }
        const property = switchProperty(world);
        const added = now(machine.addProperty(machine.state, property));
        if (added?.status === NdisStatus.SUCCESS) {
          now(machine.updateProperty(machine.state, property, { Limit: 8 }));
          now(machine.deleteProperty(machine.state, property));
          machine.state.properties.clear();
        }
      };
      const all = [
        ...VETOABLE,
        ...['PORT_UPDATED', 'PORT_TEARDOWN', 'PORT_DELETE'],
        ...['NIC_CONNECT', 'NIC_UPDATED', 'NIC_DISCONNECT', 'NIC_DELETE'],
      ];
      const ended: string[] = [];
      for (refusing of all) {
        run();
        const [entry] = world.trace.entries({ oid: `OID_SWITCH_${refusing}` }).slice(-1);
        if (entry?.status === 'NDIS_STATUS_DATA_NOT_ACCEPTED') ended.push(refusing);
        else t.equal(entry?.status, 'NDIS_STATUS_SUCCESS', `${refusing} goes on`);
        for (const port of [...machine.state.ports.values()]) {
          refusing = '';
          now(machine.deletePort(port));
        }
      }
      t.same(ended.sort(), VETOABLE, type);
    }
    t.end();
  },
);

t.test(
  'a property OID that failed with RESOURCES is sent again as often as allowed; with none allowed the failure is reported (E17, E18, D19, OP-29)',
  (t) => {
    for (const [retries, failures, sent, added] of [
      [0, 1, 1, false],
      [2, 2, 3, true],
      [2, 3, 3, false],
    ] as const) {
      let asked = 0;
      const world = switchWorld('6.85', 'test', { transientRetries: retries });
      const machine = startSwitch(world, [
        extension('filter', {
          addPortProperty: () => {
            asked += 1;
            return asked <= failures ? NdisStatus.RESOURCES : 'forward';
          },
        }),
      ]);
      const port = makePort(machine);
      const outcome = now(machine.addProperty(port, portProperty(world)));
      t.equal(asked, sent, `${retries} retries, ${failures} failures`);
      t.equal(outcome?.status, added ? NdisStatus.SUCCESS : NdisStatus.RESOURCES);
      t.equal(port.properties.size, added ? 1 : 0);
    }
    t.end();
  },
);

t.test(
  'the properties of a connection are told after PORT_CREATE and before NIC_CREATE, later ones in any state of the NIC (E20)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const ids = [1, 2].map((n) => `00000000-0000-0000-0000-00000000000${n}`);
    const { port } = now(
      machine.openConnection({
        port: portOptions(),
        properties: ids.map((id) => portProperty(world, { A: 1, B: 2n }, id)),
        nics: [nicOptions()],
        connect: false,
      }),
    );
    if (port === undefined) throw new Error('nobody refuses');
    const [nic] = port.nics.values();
    if (nic === undefined) throw new Error('created');
    const add = (n: number): void => {
      const id = `00000000-0000-0000-0000-00000000000${n}`;
      now(machine.addProperty(port, portProperty(world, { A: n, B: 2n }, id)));
    };
    add(3);
    now(machine.bindNic(port, nic));
    add(4);
    now(machine.disconnectNic(port, nic));
    add(5);
    t.same(
      world.trace.entries().map(({ oid }) => oid.slice(11)),
      [
        'PORT_CREATE',
        'PORT_PROPERTY_ADD',
        'PORT_PROPERTY_ADD',
        'NIC_CREATE',
        'PORT_PROPERTY_ADD',
        'NIC_CONNECT',
        'PORT_PROPERTY_ADD',
        'NIC_DISCONNECT',
        'NIC_DELETE',
        'PORT_PROPERTY_ADD',
      ],
    );
    t.equal(port.properties.size, 5);
    t.end();
  },
);

t.test(
  'the port property types are 1 to 6, the last two from NDIS 6.40 on; a switch has type 1 only (E1, E2)',
  (t) => {
    const typesOf = (ndis: '6.30' | '6.40' | '6.85'): number[] => {
      const world = switchWorld(ndis);
      const machine = startSwitch(world, []);
      const port = makePort(machine);
      now(machine.addProperty(port, portProperty(world)));
      for (let type = 2; type <= 6; type += 1) {
        if (world.registry.standard(type) === undefined) continue;
        const id = `00000000-0000-0000-0000-00000000000${type}`;
        now(machine.addProperty(port, standardProperty(world, type, {}, id)));
      }
      return world.trace
        .entries({ oid: 'OID_SWITCH_PORT_PROPERTY_ADD' })
        .map(({ input }) => new DataView(input.buffer, input.byteOffset).getUint32(12, true));
    };
    t.same(typesOf('6.85'), [1, 2, 3, 4, 5, 6], 'custom, security, VLAN, profile, isolation, …');
    t.same(typesOf('6.40'), [1, 2, 3, 4, 5, 6]);
    t.same(typesOf('6.30'), [1, 2, 3, 4]);
    const world = switchWorld();
    const machine = startSwitch(world, []);
    now(machine.addProperty(machine.state, switchProperty(world)));
    const [entry] = world.trace.entries({ oid: 'OID_SWITCH_PROPERTY_ADD' });
    t.equal(entry?.input[8], 1, 'PropertyType stands at 8 of the structure of a switch');
    t.end();
  },
);
