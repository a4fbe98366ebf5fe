import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  OidRequest,
  Pended,
  PortParameters,
  PortType,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import { nextState, PORT_STATES } from '../../switch/states.ts';
import type { Switch } from '../../switch/switch.ts';
import {
  extension,
  hex,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  type SwitchWorld,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/*
 * Rules of chapter B that a port keeps by itself. Offsets of NDIS_SWITCH_PORT_PARAMETERS: Flags 4, PortId 8, PortName 12,
 * PortFriendlyName 528, PortType 1044, IsValidationPort 1048, PortState 1052 (ndis-switch-abi.md).
 */

const word = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

/** `OID word-at`, oldest first; the names without OID_SWITCH_. */
function words(world: SwitchWorld, at: number): string[] {
  return world.trace.entries().map(({ oid, input }) => `${oid.slice(11)} ${word(input, at)}`);
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isExtSwitchError(error)) return `${error.code} ${error.place.rule}`;
    throw error;
  }
  return 'not refused';
};

/** Port OIDs a filter saw, as it saw them. */
function watching(): { seen: string[]; world: SwitchWorld; machine: Switch } {
  const seen: string[] = [];
  const note = (name: string) => (port: PortParameters) => {
    seen.push(`${name} ${port.portId} ${port.name} ${port.friendlyName} ${port.state}`);
    return 'forward' as const;
  };
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', {
      createPort: note('create'),
      updatePort: note('update'),
      teardownPort: note('teardown'),
      deletePort: note('delete'),
    }),
  ]);
  return { seen, world, machine };
}

t.test(
  'PORT_CREATE of each type carries 0 to 4 at PortType, and every later OID of the port the same (B3, B4)',
  (t) => {
    const types: readonly PortType[] = ['generic', 'external', 'synthetic', 'emulated', 'internal'];
    for (const [code, type] of types.entries()) {
      const world = switchWorld();
      const machine = startSwitch(world, []);
      const port = makePort(machine, type);
      now(machine.updatePort(port, { friendlyName: 'new' }));
      now(machine.deletePort(port));
      t.same(
        words(world, 1044),
        [
          `PORT_CREATE ${code}`,
          `PORT_UPDATED ${code}`,
          `PORT_TEARDOWN ${code}`,
          `PORT_DELETE ${code}`,
        ],
        type,
      );
    }
    t.end();
  },
);

t.test(
  'a generic port takes the NIC of a VM, whose type was not known when it was made, and no other (B5, B6)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine, 'generic');
    for (const type of ['external', 'internal'] as const) {
      t.equal(
        refusal(() => now(machine.connectNic(port, nicOptions({ type })))),
        'ILLEGAL_TRANSITION B6',
        type,
      );
    }
    t.equal(now(machine.connectNic(port, nicOptions())).nic.state, 'connected');
    t.end();
  },
);

t.test(
  'a port through its life: PortState is 1 when created and updated, 2 in teardown, 3 when deleted, never 0 (B7, B13)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    t.equal(
      refusal(() =>
        now(machine.connectNic(port, nicOptions({ index: 0 }), { check: () => undefined })),
      ),
      'not refused',
    );
    now(machine.updatePort(port, { friendlyName: 'new' }));
    now(machine.closeNics(port));
    now(machine.deletePort(port));
    t.same(
      words(world, 1052).filter((line) => line.startsWith('PORT')),
      ['PORT_CREATE 1', 'PORT_UPDATED 1', 'PORT_TEARDOWN 2', 'PORT_DELETE 3'],
    );
    t.equal(
      refusal(() => now(machine.connectNic(port, nicOptions()))),
      'ILLEGAL_TRANSITION B13',
      'no NIC before a port is created or after it is gone',
    );
    t.end();
  },
);

t.test(
  'a port of which the switch says that it is untrusted, or has state to restore, carries flag 1 or 2 (B8, B9)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    now(machine.createPort({ ...portOptions('internal', 'i'), flags: 1 }));
    now(machine.createPort({ ...portOptions('synthetic', 's'), flags: 2 }));
    now(machine.createPort(portOptions('synthetic', 'p')));
    t.same(words(world, 4), ['PORT_CREATE 1', 'PORT_CREATE 2', 'PORT_CREATE 0']);
    t.end();
  },
);

t.test('on a profile older than a port flag the flag is not there (B8, B9)', (t) => {
  for (const [ndis, untrusted, restoring] of [
    ['6.40', 0, 0],
    ['6.50', 1, 0],
    ['6.60', 1, 2],
  ] as const) {
    const world = switchWorld(ndis);
    const machine = startSwitch(world, []);
    now(machine.createPort({ ...portOptions('internal', 'i'), flags: 1 }));
    now(machine.createPort({ ...portOptions('synthetic', 's'), flags: 2 }));
    t.same(words(world, 4), [`PORT_CREATE ${untrusted}`, `PORT_CREATE ${restoring}`], ndis);
  }
  t.end();
});

t.test(
  'each port has a name of its own for management and one for display; both travel in every OID of it (B2)',
  (t) => {
    const { seen, machine } = watching();
    const { port } = now(
      machine.createPort({ ...portOptions('synthetic', 'a'), friendlyName: 'Web server' }),
    );
    now(machine.createPort({ ...portOptions('synthetic', 'b'), friendlyName: 'Web server' }));
    now(machine.deletePort(port));
    t.same(seen, [
      'create 1 a Web server created',
      'create 2 b Web server created',
      'teardown 1 a Web server teardown',
      'delete 1 a Web server deleted',
    ]);
    t.end();
  },
);

t.test(
  'a port that never had a NIC is made and deleted: three OIDs and it is gone (B14, B16, B21)',
  (t) => {
    const { seen, machine } = watching();
    const port = makePort(machine);
    t.equal(machine.state.ports.get(1), port);
    now(machine.deletePort(port));
    t.same(
      seen.map((line) => line.split(' ')[0]),
      ['create', 'teardown', 'delete'],
    );
    t.equal(machine.state.ports.size, 0);
    t.end();
  },
);

t.test(
  'PORT_CREATE that fails with RESOURCES is sent again as often as allowed, each time as a new request (B18, D19, OP-29)',
  (t) => {
    for (const [retries, failures, sent, created] of [
      [0, 1, 1, false],
      [2, 2, 3, true],
      [2, 3, 3, false],
    ] as const) {
      const ids: number[] = [];
      const world = switchWorld('6.85', 'test', { transientRetries: retries });
      const machine = startSwitch(world, [
        extension('filter', {
          createPort: (_port, request) => {
            ids.push(request.id);
            return ids.length <= failures ? NdisStatus.RESOURCES : 'forward';
          },
        }),
      ]);
      const { request } = now(machine.createPort(portOptions()));
      t.equal(ids.length, sent, `${retries} retries, ${failures} failures`);
      t.equal(new Set(ids).size, sent);
      t.equal(request.status, created ? NdisStatus.SUCCESS : NdisStatus.RESOURCES);
      t.equal(machine.state.ports.size, created ? 1 : 0);
    }
    t.end();
  },
);

t.test(
  'a definite veto of PORT_CREATE is not tried again though retries are allowed (B18, D18)',
  (t) => {
    let asked = 0;
    const world = switchWorld('6.85', 'test', { transientRetries: 3 });
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: () => {
          asked += 1;
          return NdisStatus.DATA_NOT_ACCEPTED;
        },
      }),
    ]);
    t.equal(now(machine.createPort(portOptions())).request.status, NdisStatus.DATA_NOT_ACCEPTED);
    t.equal(asked, 1);
    t.end();
  },
);

t.test(
  'PORT_UPDATED differs from PORT_CREATE in PortFriendlyName only; the new name counts when it has completed (B19)',
  async (t) => {
    let held: OidRequest | undefined;
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        updatePort: (_port, request): Pended => {
          held = request;
          return request.pend();
        },
      }),
    ]);
    const port = makePort(machine, 'synthetic', 'p');
    const done = machine.updatePort(port, { friendlyName: 'Mail' });
    t.equal(port.friendlyName, 'p', 'not yet');
    held?.forward();
    await done;
    t.equal(port.friendlyName, 'Mail');
    const [create, updated] = world.trace.entries().map(({ input }) => input);
    if (create === undefined || updated === undefined) throw new Error('two requests');
    t.equal(hex(updated.subarray(528, 538)), '08 00 4d 00 61 00 69 00 6c 00', 'counted: 8 bytes');
    const outside = (bytes: Uint8Array): string =>
      hex(Uint8Array.from(bytes).fill(0, 528, 528 + 516));
    t.equal(outside(updated), outside(create));
    t.end();
  },
);

t.test(
  'PORT_UPDATED is refused once teardown has begun, and for a port that is gone (B19, B22)',
  async (t) => {
    let sw: SwitchContext | undefined;
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', (context) => {
        sw = context;
        return {};
      }),
    ]);
    const port = makePort(machine);
    sw?.referencePort(1);
    const gone = machine.deletePort(port);
    t.equal(port.state, 'tearingDown', 'a reference holds PORT_DELETE up');
    const update = machine.updatePort(port, { friendlyName: 'new' });
    sw?.dereferencePort(1);
    await gone;
    await t.rejects(Promise.resolve(update), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'B22' },
    });
    t.equal(
      refusal(() => now(machine.updatePort(port, { friendlyName: 'new' }))),
      'ILLEGAL_TRANSITION B22',
    );
    t.equal(
      refusal(() => nextState(PORT_STATES, 'tearingDown', 'update', 'port p')),
      'ILLEGAL_TRANSITION B19',
    );
    t.equal(world.trace.entries({ oid: 'OID_SWITCH_PORT_UPDATED' }).length, 0);
    t.end();
  },
);

t.test(
  'PORT_TEARDOWN comes after NIC_DISCONNECT and NIC_DELETE of every NIC of the port (B13, B20, C30)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine, 'external');
    now(
      machine.openNics(port, [
        nicOptions({ type: 'external' }),
        nicOptions({ type: 'external', index: 1, name: 'a1' }),
      ]),
    );
    now(machine.deletePort(port));
    t.same(
      world.trace
        .entries()
        .slice(5)
        .map(({ oid }) => oid.slice(11)),
      [
        'NIC_DISCONNECT',
        'NIC_DELETE',
        'NIC_DISCONNECT',
        'NIC_DELETE',
        'PORT_TEARDOWN',
        'PORT_DELETE',
      ],
    );
    t.end();
  },
);

t.test(
  'PORT_UPDATED, PORT_TEARDOWN and PORT_DELETE reach the miniport edge and end there with SUCCESS (A6, B23)',
  (t) => {
    const { world, machine } = watching();
    const port = makePort(machine);
    now(machine.updatePort(port, { friendlyName: 'new' }));
    now(machine.deletePort(port));
    for (const name of ['PORT_UPDATED', 'PORT_TEARDOWN', 'PORT_DELETE']) {
      const [entry] = world.trace.entries({ oid: `OID_SWITCH_${name}` });
      t.equal(entry?.status, 'NDIS_STATUS_SUCCESS', name);
      t.same(
        entry?.route.map(({ verdict }) => verdict),
        ['forward', 'NDIS_STATUS_SUCCESS'],
      );
    }
    t.end();
  },
);

t.test(
  'after PORT_DELETE has completed the port is in no array, takes no reference and no property (B21, B22, B36)',
  async (t) => {
    let sw: SwitchContext | undefined;
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', (context) => {
        sw = context;
        return {};
      }),
    ]);
    const port = makePort(machine);
    now(machine.deletePort(port));
    const before = world.trace.entries().length;
    t.same(sw?.ports(), []);
    t.equal(sw?.referencePort(1), NdisStatus.INVALID_PARAMETER);
    t.equal(
      refusal(() => now(machine.addProperty(port, portProperty(world)))),
      'ILLEGAL_TRANSITION E20',
    );
    await settle();
    t.equal(
      world.trace
        .entries()
        .slice(before)
        .filter(({ oid }) => oid !== 'OID_SWITCH_PORT_ARRAY').length,
      0,
    );
    t.end();
  },
);
