import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  rules,
  settle,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

/** An extension that writes its life into `log`. */
function living(
  log: string[],
  type: ExtensionType,
  name: string,
  more: ExtensionHandlers = {},
): ExtensionDefinition {
  return extension(
    type,
    () => {
      log.push(`attach ${name}`);
      return {
        restart: () => void log.push(`restart ${name}`),
        activate: () => void log.push(`activate ${name}`),
        pause: () => void log.push(`pause ${name}`),
        detach: () => void log.push(`detach ${name}`),
        ...more,
      };
    },
    name,
  );
}

t.test(
  'S1: attach, restart and the activation event run bottom-up; the order is by class (A2, A47, A68)',
  (t) => {
    const log: string[] = [];
    const machine = startSwitch(switchWorld(), [
      living(log, 'forward', 'w'),
      living(log, 'filter', 'f1'),
      living(log, 'capture', 'c'),
      living(log, 'filter', 'f2'),
    ]);
    t.same(
      machine.modules.map(({ name }) => name),
      ['c', 'f1', 'f2', 'w'],
    );
    t.same(log, [
      'attach w',
      'attach f2',
      'attach f1',
      'attach c',
      'restart w',
      'restart f2',
      'restart f1',
      'restart c',
      'activate w',
      'activate f2',
      'activate f1',
      'activate c',
    ]);
    t.ok(machine.modules.every(({ state }) => state === 'running'));
    t.end();
  },
);

t.test(
  'S13: enabling on a live switch pauses top-down, attaches, restarts bottom-up; activation is not told again (A46, A47)',
  (t) => {
    const log: string[] = [];
    const c = living(log, 'capture', 'c');
    const w = living(log, 'forward', 'w');
    const machine = startSwitch(switchWorld(), [c, w]);
    log.length = 0;
    t.same(now(machine.changeStack([c, living(log, 'filter', 'f'), w])), []);
    t.same(log, ['pause c', 'pause w', 'attach f', 'restart w', 'restart f', 'restart c']);
    t.end();
  },
);

t.test(
  'S14: disabling pauses top-down, detaches, restarts the rest; no property OIDs (A46, A52)',
  (t) => {
    const log: string[] = [];
    const world = switchWorld();
    const f = living(log, 'filter', 'f');
    const w = living(log, 'forward', 'w');
    const machine = startSwitch(world, [f, w]);
    now(machine.addProperty(makePort(machine), portProperty(world)));
    const before = world.trace.entries().length;
    log.length = 0;
    now(machine.changeStack([w]));
    t.same(log, ['pause f', 'pause w', 'detach f', 'restart w']);
    t.equal(world.trace.entries().length, before);
    t.equal(machine.modules.length, 1);
    t.end();
  },
);

t.test('reordering inside a class keeps the instances (A43)', (t) => {
  const log: string[] = [];
  const a = living(log, 'filter', 'a');
  const b = living(log, 'filter', 'b');
  const machine = startSwitch(switchWorld(), [a, b]);
  const before = [...machine.modules];
  log.length = 0;
  now(machine.changeStack([b, a]));
  t.same(machine.modules, [before[1], before[0]]);
  t.same(log, ['pause a', 'pause b', 'restart a', 'restart b']);
  t.end();
});

t.test('a second forwarding extension is refused before anything is touched (A41, OP-30)', (t) => {
  const log: string[] = [];
  const w = living(log, 'forward', 'w');
  const machine = startSwitch(switchWorld(), [w]);
  log.length = 0;
  const second = living(log, 'forward', 'w2');
  t.throws(() => machine.changeStack([w, second]), {
    code: 'SECOND_FORWARDING_EXTENSION',
    place: { rule: 'A41', extensionId: second.id },
  });
  t.same(log, []);
  t.equal(machine.modules[0]?.state, 'running');
  t.end();
});

t.test('an extension that refuses in restart is detached, the rest runs (A49, A50, OP-31)', (t) => {
  const log: string[] = [];
  const world = switchWorld();
  const bad = living(log, 'filter', 'bad', {
    restart: () => {
      throw new Error('too many ports');
    },
  });
  const w = living(log, 'forward', 'w');
  const machine = startSwitch(world, [w]);
  const failures = now(machine.changeStack([bad, w]));
  t.match(failures, [
    {
      definition: { name: 'bad' },
      error: {
        code: 'EXTENSION_FAILED',
        message: 'bad refused in restart: Error: too many ports',
        place: { extensionId: bad.id },
      },
    },
  ]);
  t.equal(failures.length, 1);
  t.same(
    machine.modules.map(({ name, state }) => `${name} ${state}`),
    ['w running'],
  );
  t.equal(log.at(-1), 'detach bad');
  t.equal(now(machine.createPort(portOptions())).request.status, NdisStatus.SUCCESS);
  t.end();
});

t.test(
  'an extension that fails in attach goes back to detached with everything it took (A49, A54)',
  (t) => {
    const attaches: ((sw: SwitchContext) => unknown)[] = [
      () => {
        throw new TypeError('no hardware');
      },
      () => undefined,
      () => 'handlers',
      async () => ({}),
      async () => {
        throw new Error('rejected');
      },
      () => ({ createPorts: () => undefined }),
      () => ({ createPort: 5 }),
      (sw) => sw.ports(),
    ];
    const messages = attaches.map((attach) => {
      const world = switchWorld();
      const machine = startSwitch(world, []);
      const port = makePort(machine);
      const fired: string[] = [];
      const [failure] = now(
        machine.changeStack([
          extension(
            'filter',
            (sw) => {
              t.equal(sw.referencePort(1), NdisStatus.SUCCESS);
              sw.after(1, () => fired.push('tick'));
              return attach(sw) as ExtensionHandlers;
            },
            'x',
          ),
        ]),
      );
      t.equal(machine.modules.length, 0);
      t.equal(port.references, 0, 'its reference came back');
      const issues = /rule A53/.test(failure?.error.message ?? '') ? ['A53'] : [];
      t.same(rules(world), [...issues, 'B39']);
      world.clock.advance(5);
      t.same(fired, []);
      now(machine.deletePort(port));
      return failure?.error.message.replace(/known: .*/, 'known: …');
    });
    t.same(messages, [
      'x refused in attach: TypeError: no hardware',
      'x refused in attach: ExtSwitchError: attach returned undefined; expected an object of handlers',
      'x refused in attach: ExtSwitchError: attach returned "handlers"; expected an object of handlers',
      'x refused in attach: ExtSwitchError: attach returned an object; expected an object of handlers',
      'x refused in attach: ExtSwitchError: attach returned an object; expected an object of handlers',
      'x refused in attach: ExtSwitchError: attach returned an unknown handler createPorts; known: …',
      'x refused in attach: ExtSwitchError: handler createPort is 5, not a function',
      'x refused in attach: ExtSwitchError: x may issue no OID while attaching (rule A53): use restart or activate',
    ]);
    t.end();
  },
);

t.test('a handler of a later version is told and not called (D13)', (t) => {
  const world = switchWorld();
  startSwitch(world, [
    extension('filter', { startIngress: () => 'forward' } as unknown as ExtensionHandlers),
  ]);
  t.match(world.findings, [
    {
      rule: 'D13',
      severity: 'info',
      message: 'filter has the handler startIngress, which this version never calls',
    },
  ]);
  t.end();
});

t.test('handlers may be methods of a class with its own this', (t) => {
  class Counter implements ExtensionHandlers {
    ports = 0;
    createPort(): void {
      this.count(1);
    }
    count(by: number): void {
      this.ports += by;
    }
    oidRequest(): 'forward' {
      this.ports += 100;
      return 'forward';
    }
  }
  const counter = new Counter();
  const machine = startSwitch(switchWorld(), [extension('filter', counter)]);
  makePort(machine);
  t.equal(counter.ports, 101);
  t.end();
});

t.test(
  'pause and detach cannot fail; throwing in activate does not stop the event (A61, A71, A72)',
  (t) => {
    const log: string[] = [];
    const boom = (): never => {
      throw new Error('boom');
    };
    const world = switchWorld();
    const bad = living(log, 'forward', 'bad', { pause: boom, detach: boom, activate: boom });
    const machine = startSwitch(world, [bad, living(log, 'capture', 'c')]);
    t.equal(log.at(-1), 'activate c');
    now(machine.changeStack([]));
    t.equal(machine.modules.length, 0);
    t.same(rules(world), ['A72', 'A61', 'A61']);
    t.end();
  },
);

t.test('restart and pause may promise; operations wait meanwhile (A62)', async (t) => {
  const log: string[] = [];
  const world = switchWorld();
  const f = extension('filter', (sw) => ({
    restart: () => new Promise<void>((done) => sw.after(10, done)),
    pause: () => new Promise<void>((done) => sw.after(20, done)),
  }));
  const machine = startSwitch(world, []);
  const changed = machine.changeStack([f]);
  const port = machine.createPort(portOptions());
  t.ok(changed instanceof Promise);
  world.clock.advance(9);
  await settle();
  t.equal(machine.state.ports.size, 0, 'waits for the restart');
  world.clock.advance(1);
  await changed;
  await port;
  t.equal(machine.modules[0]?.state, 'running');
  const off = machine.changeStack([]);
  world.clock.advance(20);
  await off;
  t.same(log, []);
  t.equal(machine.modules.length, 0);
  t.equal(world.clock.nextAt(), undefined);
});

t.test(
  'a promise of restart or pause that is never kept is given up after 12,000 ms (A50, A61, A62)',
  async (t) => {
    const never = (): Promise<void> => new Promise(() => undefined);
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const refused = machine.changeStack([extension('filter', { restart: never })]);
    world.clock.advance(12_000);
    t.match(await refused, [
      { error: { code: 'EXTENSION_FAILED', message: /12000 ms \(rule A62\)/ } },
    ]);
    now(machine.changeStack([extension('filter', { pause: never })]));
    const off = machine.changeStack([]);
    world.clock.advance(12_000);
    await off;
    t.equal(machine.modules.length, 0);
    t.same(rules(world), ['NdisFilterTimedPauseComplete']);
  },
);

t.test('a restart that rejects refuses; a pause that rejects is reported (A50, A61)', async (t) => {
  const reject = async (): Promise<void> => {
    throw new Error('late no');
  };
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const failures = await machine.changeStack([extension('filter', { restart: reject })]);
  t.match(failures[0]?.error.message, 'refused in restart: Error: late no');
  now(machine.changeStack([extension('filter', { pause: reject })]));
  await machine.changeStack([]);
  t.same(rules(world), ['A61']);
});

t.test(
  'an extension enabled on a live switch catches up by queries in restart; past OIDs are not replayed (J11, A64, A65)',
  (t) => {
    const world = switchWorld();
    const seen: unknown[] = [];
    const machine = startSwitch(world, []);
    const port = makePort(machine);
    now(machine.connectNic(port, nicOptions()));
    now(machine.addProperty(port, portProperty(world)));
    now(machine.addProperty(machine.state, switchProperty(world)));
    now(
      machine.changeStack([
        extension('filter', (sw) => ({
          oidRequest: (request) => {
            seen.push(request.oidName);
          },
          restart: () => {
            const { isActive, numSwitchPorts } = sw.parameters();
            seen.push([isActive, numSwitchPorts]);
            seen.push(sw.ports().map(({ portId, state }) => [portId, state]));
            seen.push(sw.nics().map(({ portId, index, state }) => [portId, index, state]));
            seen.push(sw.portProperties(1, 'Fabrikam_PortSettingData').map((p) => p.settings));
            seen.push(sw.switchProperties('fabrikam_switchsettingdata').map((p) => p.settings));
          },
        })),
      ]),
    );
    t.same(seen, [
      [true, 1],
      [[1, 'created']],
      [[1, 0, 'connected']],
      [{ A: 1, B: 2n }],
      [{ Limit: 7 }],
    ]);
    t.same(world.findings, []);
    t.end();
  },
);

t.test(
  'before the switch is active only OID_SWITCH_PARAMETERS may be asked (A69, A70, E50)',
  (t) => {
    const world = switchWorld();
    const seen: unknown[] = [];
    startSwitch(world, [
      extension('filter', (sw) => ({
        restart: () => {
          seen.push(sw.parameters().isActive, sw.ports().length);
        },
        activate: () => {
          seen.push(sw.parameters().isActive, sw.ports().length);
        },
      })),
    ]);
    t.same(seen, [false, 0, true, 0]);
    t.match(world.findings, [{ rule: 'A70', oid: 'OID_SWITCH_PORT_ARRAY' }]);
    t.end();
  },
);

t.test('an extension that was detached may issue no OID and take no reference', (t) => {
  let context: SwitchContext | undefined;
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', (sw) => {
      context = sw;
      return {};
    }),
  ]);
  makePort(machine);
  now(machine.changeStack([]));
  t.throws(() => context?.ports(), { code: 'ILLEGAL_TRANSITION', place: { rule: 'A53' } });
  t.equal(context?.referencePort(1), NdisStatus.INVALID_PARAMETER);
  t.end();
});

t.test('references left at detach are given back and reported (B39, C60)', (t) => {
  const world = switchWorld();
  let context: SwitchContext | undefined;
  const machine = startSwitch(world, [
    extension('filter', (sw) => {
      context = sw;
      return {};
    }),
  ]);
  const port = makePort(machine);
  const { nic } = now(machine.connectNic(port, nicOptions()));
  context?.referencePort(1);
  context?.referencePort(1);
  context?.referenceNic(1, 0);
  now(machine.changeStack([]));
  t.equal(port.references + nic.references, 0);
  t.same(
    world.findings.map(({ rule, message }) => `${rule} ${message}`),
    [
      'B39 filter detached with 2 reference(s) on port 1',
      'C60 filter detached with 1 reference(s) on NIC 1/0',
    ],
  );
  t.end();
});

t.test(
  'an extension knows its switch: id, name, NDIS version, virtual time, seeded randomness, log',
  (t) => {
    const facts: unknown[] = [];
    const world = switchWorld('6.40', 'seed-1');
    world.clock.advance(42);
    startSwitch(world, [
      extension('filter', (sw) => {
        facts.push(sw.id, sw.name, sw.ndisVersion, sw.now());
        const roll = sw.random();
        t.ok(roll >= 0 && roll < 1);
        sw.log('hello', { port: 1 });
        return {};
      }),
    ]);
    t.same(facts, ['5a5a5a5a-0000-0000-0000-000000000001', 'sw', '6.40', 42]);
    t.same(world.logs, ['sw/filter: hello {"port":1}']);
    t.end();
  },
);
