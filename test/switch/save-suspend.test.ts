import t from 'tap';
import type { NdisVersion } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { Nic, Port } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import { saveScene } from '../support/save-scene.ts';
import { extension, hex, now, rules } from '../support/switch-world.ts';

/** The four in the order of a suspended migration; what each gave. */
function all(machine: Switch, port: Port, nic: Nic): boolean[] {
  return [
    now(machine.suspendNic(port, nic)),
    now(machine.startMigrationSource(port, nic)),
    now(machine.finishMigrationSource(port, nic)),
    now(machine.resumeNic(port, nic)),
  ];
}

t.test('without the option none of the suspend family goes out (G44, OP-39)', (t) => {
  const { machine, port, nic, sent } = saveScene([]);
  t.same(all(machine, port, nic), [false, false, false, false]);
  t.same(sent(), []);
  t.end();
});

t.test(
  'with it SUSPEND and RESUME go out from NDIS 6.50 on, the migration pair from 6.80 on (G44, C18, OP-39)',
  (t) => {
    const SUSPEND = ['SUSPEND SUCCESS', 'RESUME SUCCESS'];
    const MIGRATION = [
      'SUSPENDED_LM_SOURCE_STARTED SUCCESS',
      'SUSPENDED_LM_SOURCE_FINISHED SUCCESS',
    ];
    const expected: [NdisVersion, string[]][] = [
      ['6.30', []],
      ['6.40', []],
      ['6.50', SUSPEND],
      ['6.60', SUSPEND],
      ['6.80', [SUSPEND[0] ?? '', ...MIGRATION, SUSPEND[1] ?? '']],
    ];
    for (const [ndis, oids] of expected) {
      const { machine, port, nic, sent } = saveScene([], ndis, { suspendOids: true });
      const given = all(machine, port, nic);
      t.same(sent(), oids, ndis);
      t.equal(given.filter((was) => was).length, oids.length);
    }
    t.end();
  },
);

t.test('each carries the NIC parameters with its flag (G44, C18, OP-39)', (t) => {
  const { machine, port, nic, world } = saveScene([], '6.85', { suspendOids: true });
  all(machine, port, nic);
  t.same(
    world.trace.entries().map(({ oid, requestType, input }) => [
      oid.replace('OID_SWITCH_NIC_', ''),
      requestType,
      input.length,
      // NDIS_SWITCH_NIC_PARAMETERS revision 2: Header, Flags; NicIndex, padding, NicType, NicState from 1044.
      hex(input.subarray(0, 8)),
      hex(input.subarray(1044, 1046)),
    ]),
    [
      ['SUSPEND', 'set', 2224, '80 02 b0 08 02 00 00 00', '00 00'],
      ['SUSPENDED_LM_SOURCE_STARTED', 'set', 2224, '80 02 b0 08 10 00 00 00', '00 00'],
      ['SUSPENDED_LM_SOURCE_FINISHED', 'set', 2224, '80 02 b0 08 10 00 00 00', '00 00'],
      ['RESUME', 'set', 2224, '80 02 b0 08 02 00 00 00', '00 00'],
    ],
  );
  t.match(
    world.changes.slice(-4).map(({ event }) => event),
    ['nicSuspend', 'nicMigrationSourceStarted', 'nicMigrationSourceFinished', 'nicResume'],
  );
  t.end();
});

t.test('no extension can end them: the switch goes on as if forwarded (G45, OP-28, OP-39)', (t) => {
  const { machine, port, nic, world, sent } = saveScene(
    [
      extension('filter', {
        oidRequest: ({ oidName }) =>
          /SUSPEND|RESUME/.test(oidName) ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
      }),
    ],
    '6.85',
    { suspendOids: true },
  );
  t.same(all(machine, port, nic), [true, true, true, true]);
  t.same(rules(world), ['G45', 'G45', 'G45', 'G45']);
  t.ok(sent().every((line) => line.endsWith(' SUCCESS')));
  t.end();
});

t.test('the wrong order is refused and nothing is sent (G44)', (t) => {
  const { machine, port, nic, world, sent } = saveScene([], '6.85', { suspendOids: true });
  const refused = (what: () => unknown, message: string): void => {
    t.throws(what, { code: 'ILLEGAL_TRANSITION', message, place: { rule: 'G44' } });
  };
  refused(
    () => machine.resumeNic(port, nic),
    'NIC 1/0 is connected: resume is not allowed (rule G44)',
  );
  now(machine.suspendNic(port, nic));
  refused(
    () => machine.suspendNic(port, nic),
    'NIC 1/0 is suspended: suspend is not allowed (rule G44)',
  );
  now(machine.resumeNic(port, nic));
  now(machine.disconnectNic(port, nic));
  world.trace.clear();
  refused(
    () => machine.suspendNic(port, nic),
    'NIC 1/0 is deleted: suspend is not allowed (rule G44)',
  );
  t.same(sent(), []);
  t.end();
});
