import t, { type Test } from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { Nic, Port } from '../../switch/ports.ts';
import type { MaybePromise } from '../../switch/steps.ts';
import type { Switch } from '../../switch/switch.ts';
import { refusal } from '../support/living.ts';
import {
  extension,
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

/** Illegal pairs of the state tables, driven through the calls that a caller of the switch has. */

const OTHER = '01020304-0506-0708-090a-0b0c0d0e0f11';

/** What a caller can ask of a port. */
function portCalls(world: SwitchWorld, machine: Switch, port: Port): Record<string, () => unknown> {
  const property = portProperty(world, { A: 1, B: 2n }, OTHER);
  return {
    'create with its id': () =>
      machine.createPort({ ...portOptions('synthetic', 'again'), portId: port.portId }),
    update: () => machine.updatePort(port, { friendlyName: 'new' }),
    'property add': () => machine.addProperty(port, property),
    'property update': () => machine.updateProperty(port, property, { A: 2, B: 2n }),
    'property delete': () => machine.deleteProperty(port, property),
    'NIC create': () => machine.connectNic(port, nicOptions()),
    'NICs open': () => machine.openNics(port, [nicOptions()]),
    delete: () => machine.deletePort(port),
  };
}

const outcomes = (calls: Record<string, () => unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, refusal(call)]));

/** What a world may have recorded while everything was refused: nothing. */
function silent(t: Test, world: SwitchWorld, before: number): void {
  t.equal(world.trace.entries().length, before, 'no OID was sent');
}

const GONE = {
  update: 'ILLEGAL_TRANSITION B22',
  'property add': 'ILLEGAL_TRANSITION E20',
  'property update': 'ILLEGAL_TRANSITION E20',
  'property delete': 'ILLEGAL_TRANSITION E20',
  'NIC create': 'ILLEGAL_TRANSITION B13',
  'NICs open': 'ILLEGAL_TRANSITION B13',
  delete: 'ILLEGAL_TRANSITION B22',
};

t.test('what a caller asks of a port that was deleted is refused (B13, B22, E20)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const port = makePort(machine);
  now(machine.deletePort(port));
  const { 'create with its id': create, ...calls } = portCalls(world, machine, port);
  const before = world.trace.entries().length;
  t.same(outcomes(calls), GONE);
  silent(t, world, before);
  t.equal(refusal(create as () => unknown), 'not refused', 'the id is free again');
  t.end();
});

t.test(
  'what a caller asks of a port whose PORT_CREATE was vetoed is refused (B13, B17, B22, E20)',
  (t) => {
    const world = switchWorld();
    let veto = true;
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: () => (veto ? NdisStatus.DATA_NOT_ACCEPTED : 'forward'),
      }),
    ]);
    const { port, request } = now(machine.createPort(portOptions()));
    t.equal(request.status, NdisStatus.DATA_NOT_ACCEPTED);
    t.equal(port.state, 'notCreated');
    veto = false;
    const { 'create with its id': create, ...calls } = portCalls(world, machine, port);
    const before = world.trace.entries().length;
    t.same(outcomes(calls), GONE);
    silent(t, world, before);
    t.equal(refusal(create as () => unknown), 'not refused');
    t.end();
  },
);

t.test('the id of a port that is created or being torn down is taken (B1)', async (t) => {
  const world = switchWorld();
  let dereference = (): unknown => undefined;
  const machine = startSwitch(world, [
    extension('filter', (sw) => ({
      createPort: () => 'forward',
      oidRequestComplete: ({ oidName }) => {
        if (oidName === 'OID_SWITCH_PORT_CREATE') dereference = () => sw.dereferencePort(1);
      },
      oidRequest: ({ oidName }) => {
        if (oidName === 'OID_SWITCH_PORT_PROPERTY_ADD') sw.referencePort(1);
      },
    })),
  ]);
  const port = makePort(machine);
  const again = { ...portOptions('synthetic', 'again'), portId: 1 };
  t.equal(
    refusal(() => machine.createPort(again)),
    'ILLEGAL_TRANSITION B1',
  );
  now(machine.addProperty(port, portProperty(world)));
  const deleted = machine.deletePort(port);
  t.equal(port.state, 'tearingDown', 'its reference is held');
  t.equal(
    refusal(() => machine.createPort(again)),
    'ILLEGAL_TRANSITION B1',
  );
  const behind: MaybePromise<unknown>[] = [
    machine.updatePort(port, { friendlyName: 'new' }),
    machine.connectNic(port, nicOptions()),
    machine.addProperty(port, portProperty(world)),
    machine.deletePort(port),
  ];
  const settledOnes = Promise.allSettled(behind);
  await settle();
  dereference();
  await deleted;
  t.same(
    (await settledOnes).map((one) =>
      one.status === 'rejected' ? `${one.reason.code} ${one.reason.place.rule}` : one.status,
    ),
    [
      'ILLEGAL_TRANSITION B22',
      'ILLEGAL_TRANSITION B13',
      'ILLEGAL_TRANSITION E20',
      'ILLEGAL_TRANSITION B22',
    ],
    'what waited behind the delete finds no port',
  );
  t.equal(machine.state.ports.size, 0);
});

/** What a caller can ask of a NIC. */
function nicCalls(machine: Switch, port: Port, nic: Nic): Record<string, () => unknown> {
  return {
    create: () => machine.connectNic(port, nicOptions()),
    open: () => machine.openNics(port, [nicOptions()]),
    connect: () => machine.bindNic(port, nic),
    update: () => machine.updateNic(port, nic, { mtu: 1400 }),
    save: () => machine.saveNic(port, nic),
    restore: () => machine.restoreNic(port, nic, []),
    disconnect: () => machine.disconnectNic(port, nic),
  };
}

/** Rule book C.5: what is refused, by the state the NIC is in. `disconnect` stands for NIC_DISCONNECT and NIC_DELETE. */
const NIC_REFUSALS = {
  notCreated: {
    connect: 'ILLEGAL_TRANSITION C25',
    update: 'ILLEGAL_TRANSITION C28',
    save: 'ILLEGAL_TRANSITION G1',
    restore: 'ILLEGAL_TRANSITION G29',
    disconnect: 'ILLEGAL_TRANSITION C23',
  },
  created: {
    create: 'ILLEGAL_TRANSITION C22',
    open: 'ILLEGAL_TRANSITION C22',
    update: 'ILLEGAL_TRANSITION C28',
    save: 'ILLEGAL_TRANSITION G1',
    restore: 'ILLEGAL_TRANSITION G29',
  },
  connected: {
    create: 'ILLEGAL_TRANSITION C22',
    open: 'ILLEGAL_TRANSITION C22',
    connect: 'ILLEGAL_TRANSITION C25',
  },
  deleted: {
    connect: 'ILLEGAL_TRANSITION C32',
    update: 'ILLEGAL_TRANSITION C32',
    save: 'ILLEGAL_TRANSITION G1',
    restore: 'ILLEGAL_TRANSITION G29',
    disconnect: 'ILLEGAL_TRANSITION C32',
  },
} as const;

t.test(
  'what a caller asks of a NIC in the wrong state is refused before an OID is sent (C22, C23, C25, C28, C32)',
  (t) => {
    for (const [state, expected] of Object.entries(NIC_REFUSALS)) {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension('filter', {
          createNic: ({ name }) => (name === 'refused' ? NdisStatus.RESOURCES : 'forward'),
        }),
      ]);
      const port = makePort(machine);
      let nic: Nic;
      if (state === 'notCreated') {
        nic = now(machine.connectNic(port, nicOptions({ name: 'refused' }))).nic;
      } else {
        const made = now(machine.openNics(port, [nicOptions()], { connect: state !== 'created' }));
        nic = made.nics?.[0] as Nic;
        if (state === 'deleted') now(machine.disconnectNic(port, nic));
      }
      t.equal(nic.state, state);
      const before = world.trace.entries().length;
      const calls = nicCalls(machine, port, nic);
      const refused = Object.keys(expected).map((name) => [
        name,
        refusal(calls[name] as () => unknown),
      ]);
      t.same(Object.fromEntries(refused), expected, state);
      silent(t, world, before);
      t.equal(nic.state, state, 'nothing changed');
      t.equal(port.state, 'created');
    }
    t.end();
  },
);

t.test(
  'calls that are legal in a state are those the table has, each seen to succeed (C25, C28, C30, C34)',
  (t) => {
    const legal = {
      notCreated: ['create', 'open'],
      created: ['connect', 'disconnect'],
      connected: ['update', 'save', 'restore', 'disconnect'],
      deleted: ['create', 'open'],
    };
    let driven = 0;
    for (const [state, names] of Object.entries(legal)) {
      for (const name of names) {
        const world = switchWorld();
        const machine = startSwitch(world, [
          extension('filter', {
            createNic: (given) => (given.name === 'refused' ? NdisStatus.RESOURCES : 'forward'),
          }),
        ]);
        const port = makePort(machine);
        const wanted = nicOptions(state === 'notCreated' ? { name: 'refused' } : {});
        const made = now(machine.openNics(port, [wanted], { connect: state !== 'created' }));
        const nic = made.nics?.[0] ?? now(machine.connectNic(port, wanted)).nic;
        if (state === 'deleted') now(machine.disconnectNic(port, nic));
        t.equal(refusal(nicCalls(machine, port, nic)[name] as () => unknown), 'not refused');
        t.same(world.findings, []);
        driven += 1;
      }
    }
    t.equal(driven, 10);
    t.end();
  },
);
