import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { SwitchContext } from '../../src/sdk/extension.ts';
import {
  PERMISSIONS,
  type PermissionState,
  type Permissions,
  permissionState,
} from '../../switch/permissions.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portOptions,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/** Rule book C.6 as it is printed there. */
const MATRIX = `
| State | ReferenceSwitchPort | ReferenceSwitchNic | Switch OIDs → port | Ext OIDs → port | Switch OIDs → NIC | Ext OIDs → NIC | Switch packets | Ext packets |
|---|---|---|---|---|---|---|---|---|
| Port not created | no | no | no | no | no | no | no | no |
| Port created | yes | no | yes | yes | no | no | no | no |
| NIC created | yes | no | yes | yes | yes | no | yes | no |
| NIC connected | yes | yes | yes | yes | yes | yes | yes | yes |
| NIC disconnected | yes | no | yes | yes | yes | no | yes | no |
| NIC deleted | yes | no | yes | yes | no | no | no | no |
| Port tearing down | no | no | yes | no | no | no | no | no |
`;

const STATES: Readonly<Record<string, PermissionState>> = {
  'Port not created': 'portNotCreated',
  'Port created': 'portCreated',
  'NIC created': 'nicCreated',
  'NIC connected': 'nicConnected',
  'NIC disconnected': 'nicDisconnected',
  'NIC deleted': 'nicDeleted',
  'Port tearing down': 'portTearingDown',
};
const COLUMNS: Readonly<Record<string, keyof Permissions>> = {
  ReferenceSwitchPort: 'referenceSwitchPort',
  ReferenceSwitchNic: 'referenceSwitchNic',
  'Switch OIDs → port': 'switchOidsToPort',
  'Ext OIDs → port': 'extOidsToPort',
  'Switch OIDs → NIC': 'switchOidsToNic',
  'Ext OIDs → NIC': 'extOidsToNic',
  'Switch packets': 'switchPackets',
  'Ext packets': 'extPackets',
};

/** Rule book C.6: state → column → yes or no. */
function printed(): Map<string, Map<string, string>> {
  const lines = MATRIX.trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [head = [], , ...rows] = lines;
  return new Map(
    rows.map(([state = '', ...cells]) => [
      state,
      new Map(cells.map((cell, i) => [head[i + 1] ?? '', cell])),
    ]),
  );
}

t.test('the permission matrix is the one of rule book C.6, cell by cell (B36, C57)', (t) => {
  const rows = printed();
  t.same([...rows.keys()].sort(), Object.keys(STATES).sort());
  t.equal(Object.keys(PERMISSIONS).length, 7);
  let cells = 0;
  for (const [name, columns] of rows) {
    const state = STATES[name] as PermissionState;
    for (const [column, cell] of columns) {
      const key = COLUMNS[column] as keyof Permissions;
      t.equal(PERMISSIONS[state][key], cell === 'yes', `${name}, ${column}`);
      cells += 1;
    }
  }
  t.equal(cells, 56);
  t.end();
});

t.test(
  'references succeed in exactly the states the matrix allows, at every step of a life (B36, C57, OP-24)',
  (t) => {
    const world = switchWorld();
    const tried: Record<string, readonly boolean[]> = {};
    let context: SwitchContext | undefined;
    const isSuccess = (status: NdisStatus | undefined): boolean => status === NdisStatus.SUCCESS;
    const machine = startSwitch(world, [
      extension('filter', (sw) => {
        context = sw;
        return {
          teardownPort: ({ portId }) => attempt(portId),
          disconnectNic: ({ portId }) => attempt(portId),
          deleteNic: ({ portId }) => attempt(portId),
          createPort: ({ portId }) => attempt(portId),
          createNic: ({ portId }) => attempt(portId),
          connectNic: ({ portId }) => attempt(portId),
        };
      }),
    ]);
    const attempt = (portId: number): void => {
      const port = machine.state.ports.get(portId);
      const state = permissionState(port, port?.nics.get(0));
      const byPort = isSuccess(context?.referencePort(portId));
      const byNic = isSuccess(context?.referenceNic(portId, 0));
      if (byPort) context?.dereferencePort(portId);
      if (byNic) context?.dereferenceNic(portId, 0);
      tried[state] = [byPort, byNic];
    };
    const port = makePort(machine);
    attempt(port.portId);
    const { nic } = now(machine.connectNic(port, nicOptions()));
    attempt(port.portId);
    now(machine.disconnectNic(port, nic));
    const again = now(machine.connectNic(port, nicOptions()));
    t.ok(again.nic.state === 'connected');
    now(machine.deletePort(port));
    attempt(port.portId);
    const expected = Object.fromEntries(
      [...printed()]
        .filter(([name]) => name !== 'NIC deleted')
        .map(([name, columns]) => [
          STATES[name],
          [
            columns.get('ReferenceSwitchPort') === 'yes',
            columns.get('ReferenceSwitchNic') === 'yes',
          ],
        ]),
    );
    t.same(tried, expected);
    // A deleted NIC is no longer on the port: the port alone counts.
    nic.state = 'deleted';
    port.state = 'created';
    t.equal(permissionState(port, nic), 'nicDeleted');
    t.same(world.findings, []);
    t.end();
  },
);

t.test('an unknown port has no permission, also with a NIC at hand', (t) => {
  const machine = startSwitch(switchWorld(), []);
  const port = makePort(machine);
  const { nic } = now(machine.connectNic(port, nicOptions()));
  t.equal(permissionState(undefined, nic), 'portNotCreated');
  t.equal(permissionState(port, nic), 'nicConnected');
  t.equal(now(machine.createPort(portOptions('synthetic', 'q'))).port.portId, 2);
  t.end();
});
