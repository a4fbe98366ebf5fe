import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { OidRequest, Verdict } from '../../src/sdk/extension.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  rules,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

t.test(
  'NIC_CREATE of index 1 may not fail: neither by veto nor by throwing nor by timing out (C37, OP-28)',
  async (t) => {
    const verdicts: ((request: OidRequest) => Verdict)[] = [
      () => NdisStatus.DATA_NOT_ACCEPTED,
      () => {
        throw new Error('no');
      },
      (request) => request.pend(),
    ];
    const found: string[] = [];
    for (const verdict of verdicts) {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension('filter', {
          createNic: (nic, request) => (nic.index === 0 ? 'forward' : verdict(request)),
        }),
      ]);
      const port = makePort(machine, 'external');
      now(machine.connectNic(port, nicOptions({ type: 'external' })));
      const sent = machine.connectNic(port, nicOptions({ type: 'external', index: 1 }));
      world.clock.advance(12_000);
      const { nic, request } = await sent;
      t.equal(request.status, NdisStatus.SUCCESS);
      t.equal(nic.state, 'connected');
      found.push(rules(world).join());
    }
    t.same(found, ['C37', 'D6', 'NdisTimedOidComplete']);
  },
);

t.test('a capturing extension that vetoes is reported; the error counts (A17, E36, OP-2)', (t) => {
  const veto = (): NdisStatus => NdisStatus.DATA_NOT_ACCEPTED;
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('capture', {
      createPort: (port) => (port.name === 'vetoed' ? veto() : 'forward'),
      createNic: veto,
      addPortProperty: veto,
    }),
  ]);
  t.equal(now(machine.createPort(portOptions('synthetic', 'vetoed'))).request.status, 0xc000021b);
  const port = makePort(machine);
  t.equal(now(machine.connectNic(port, nicOptions())).request.status, 0xc000021b);
  t.equal(port.state, 'created', 'the port stays (C23)');
  t.equal(port.nics.size, 0);
  t.equal(now(machine.addProperty(port, portProperty(world)))?.status, 0xc000021b);
  t.same(rules(world), ['A17', 'A17', 'E36']);
  t.ok(world.findings.every(({ severity }) => severity === 'error'));
  t.end();
});

t.test(
  'success by the owner: nothing to say for forward, a warning for filter, an error for capture (E28, E29, OP-1)',
  (t) => {
    const severities: (string | undefined)[] = [];
    for (const type of ['forward', 'filter', 'capture'] as const) {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension(type, { addPortProperty: () => NdisStatus.SUCCESS }),
      ]);
      const port = makePort(machine);
      const done = now(machine.addProperty(port, portProperty(world)));
      t.equal(done?.status, NdisStatus.SUCCESS);
      t.equal(done?.completedBy?.type, type);
      t.equal(port.properties.size, 1, 'applied, whoever completed it');
      severities.push(world.findings.map(({ rule, severity }) => `${rule} ${severity}`).join());
    }
    t.same(severities, ['', 'E28 warning', 'E28 error']);
    t.end();
  },
);

t.test(
  'success instead of forwarding PORT_CREATE or NIC_CREATE: taken as success, modules below missed it (B28, C38, OP-28)',
  (t) => {
    const success = (): NdisStatus => NdisStatus.SUCCESS;
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', { createPort: success, createNic: success }),
      extension('forward', {}),
    ]);
    const port = makePort(machine);
    t.equal(now(machine.connectNic(port, nicOptions())).nic.state, 'connected');
    t.same(rules(world), ['B28', 'C38']);
    t.equal(machine.modules[1]?.desynchronized, true);
    t.equal(machine.modules[0]?.desynchronized, false);
    t.end();
  },
);

t.test(
  'every set of the OID table that must be forwarded goes on when an extension ends it (B24, C40, D23, OP-28)',
  (t) => {
    const world = switchWorld();
    const endings: string[] = [];
    const machine = startSwitch(world, [
      extension('filter', {
        oidRequest: (request) => {
          if (/_CREATE$/.test(request.oidName)) return 'forward';
          endings.push(request.oidName);
          return NdisStatus.DATA_NOT_ACCEPTED;
        },
      }),
      extension('forward', {}),
    ]);
    const port = makePort(machine);
    now(machine.connectNic(port, nicOptions()));
    now(machine.deletePort(port));
    t.same(endings, [
      'OID_SWITCH_NIC_CONNECT',
      'OID_SWITCH_NIC_DISCONNECT',
      'OID_SWITCH_NIC_DELETE',
      'OID_SWITCH_PORT_TEARDOWN',
      'OID_SWITCH_PORT_DELETE',
    ]);
    t.same(rules(world), ['C40', 'C40', 'C40', 'B24', 'B24']);
    t.equal(machine.state.ports.size, 0);
    t.equal(machine.modules[1]?.desynchronized, true);
    t.end();
  },
);

t.test(
  'a configuration query that an extension answers is forwarded all the same (E47, J15)',
  (t) => {
    const world = switchWorld();
    let ask: (() => unknown) | undefined;
    startSwitch(world, [
      extension('filter', (sw) => {
        ask = () => [
          sw.parameters().friendlyName,
          sw.ports().length,
          sw.nics().length,
          sw.switchProperties('Fabrikam_SwitchSettingData').length,
        ];
        return {};
      }),
      extension('forward', { oidRequest: () => NdisStatus.SUCCESS }),
    ]);
    t.same(ask?.(), ['sw', 0, 0, 0]);
    t.same(rules(world), ['J15', 'J15', 'J15', 'E47']);
    t.end();
  },
);
