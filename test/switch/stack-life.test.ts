import t from 'tap';
import type { ExtensionHandlers, ExtensionType, SwitchContext } from '../../src/sdk/extension.ts';
import { lives, living, refusal, states } from '../support/living.ts';
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
  'S1: NetEventSwitchActivate comes to every module, bottom-up, as an event and then to its own handler (A67, A68, A71)',
  (t) => {
    const log: string[] = [];
    const world = switchWorld();
    const asked: boolean[] = [];
    const c = living(log, 'capture', 'c', () => ({
      netPnPEvent: () => {
        log.push('event c');
        throw new Error('boom');
      },
    }));
    const w = living(log, 'forward', 'w', (sw) => ({
      restart: () => void asked.push(sw.parameters().isActive),
      activate: () => void asked.push(sw.parameters().isActive),
    }));
    const machine = startSwitch(world, [c, w]);
    t.same(log, [
      'attach w',
      'attach c',
      'restart c',
      'switchActivate w of 2',
      'event c',
      'activate c',
    ]);
    t.same(asked, [false, true], 'IsActive is FALSE in the first restart, TRUE in the event');
    t.same(rules(world), ['A72'], 'what throws is reported, the event goes on');
    t.equal(
      refusal(() => machine.activateNow()),
      'ILLEGAL_TRANSITION A68',
      'once',
    );
    t.equal(
      refusal(() => machine.start([])),
      'ILLEGAL_TRANSITION A1',
    );
    t.end();
  },
);

t.test(
  'S13: pause top-down, attach, stack-change event to the protocol edge and all modules, restart bottom-up (A46, A47)',
  (t) => {
    const log: string[] = [];
    const world = switchWorld();
    const [c, w] = [living(log, 'capture', 'c'), living(log, 'forward', 'w')];
    const machine = startSwitch(world, [c, w]);
    log.length = 0;
    world.changes.length = 0;
    const f = living(log, 'filter', 'f');
    now(machine.changeStack([c, f, w]));
    t.same(log, [
      'pause c',
      'pause w',
      'attach f',
      'stackChange c of 3',
      'stackChange f of 3',
      'stackChange w of 3',
      'restart w',
      'restart f',
      'restart c',
    ]);
    t.same(
      world.changes.filter(({ event }) => event === 'netPnPEvent'),
      [{ event: 'netPnPEvent', netPnPEvent: 'stackChange', stack: [c.id, f.id, w.id] }],
      'the protocol edge is told too',
    );
    t.same(lives(world), [
      'c running>pausing',
      'c pausing>paused',
      'w running>pausing',
      'w pausing>paused',
      'f detached>attaching',
      'f attaching>paused',
      'w paused>restarting',
      'w restarting>running',
      'f paused>restarting',
      'f restarting>running',
      'c paused>restarting',
      'c restarting>running',
    ]);
    log.length = 0;
    now(machine.changeStack([c, f, w]));
    t.notOk(
      log.some((line) => line.startsWith('stackChange')),
      'nothing came or went',
    );
    t.end();
  },
);

t.test(
  'S14: who leaves is told before it is paused; the rest gets the stack-change event and restarts (A46, A52, A75)',
  (t) => {
    const log: string[] = [];
    const world = switchWorld();
    const [f, w] = [living(log, 'filter', 'f'), living(log, 'forward', 'w')];
    const machine = startSwitch(world, [f, w]);
    log.length = 0;
    now(machine.changeStack([w]));
    t.same(log, [
      'filterPreDetach f of 2',
      'pause f',
      'pause w',
      'detach f',
      'stackChange w of 1',
      'restart w',
    ]);
    t.same(world.trace.entries(), [], 'no property OIDs');
    t.end();
  },
);

t.test('any number of capturing and filtering extensions run at once (A40)', (t) => {
  const many = ['capture', 'filter'].flatMap((type) =>
    Array.from({ length: 20 }, (_, i) => extension(type as ExtensionType, {}, `${type} ${i}`)),
  );
  const machine = startSwitch(switchWorld(), many);
  t.equal(machine.modules.filter(({ state }) => state === 'running').length, 40);
  const { request } = now(machine.createPort(portOptions()));
  t.equal(request.modules.length, 40);
  t.end();
});

t.test(
  'a required extension that fails takes the whole stack down: nothing is created, changed or asked, taking away goes on (A50, OP-31)',
  (t) => {
    const log: string[] = [];
    const world = switchWorld();
    let broken = false;
    const must = living(log, 'filter', 'must', () => ({
      restart: () => {
        if (broken) throw new Error('licence expired');
      },
    }));
    const [c, w] = [living(log, 'capture', 'c'), living(log, 'forward', 'w')];
    const machine = startSwitch(world, []);
    now(machine.changeStack([c, must, w], [must.id]));
    t.same([...machine.required], [must.id]);
    const port = makePort(machine);
    const { nic } = now(machine.connectNic(port, nicOptions()));
    const property = portProperty(world);
    now(machine.addProperty(port, property));
    log.length = 0;
    broken = true;
    const failures = now(machine.changeStack([must, w]));
    t.same(
      failures.map(({ definition }) => definition.name),
      ['must'],
    );
    t.same(log, [
      'filterPreDetach c of 3',
      'pause c',
      'pause must',
      'pause w',
      'detach c',
      'stackChange must of 2',
      'stackChange w of 2',
      'restart w',
      'detach must',
      'filterPreDetach w of 1',
      'pause w',
      'detach w',
    ]);
    t.same(states(machine), []);
    t.equal(machine.state.life, 'down');
    t.equal(machine.state.isActive, false);
    t.match(world.changes.at(-1), { event: 'stackDown', extensionId: must.id, rule: 'A50' });
    t.equal(machine.problemOf(must.id), 'must refused in restart: Error: licence expired');
    t.match(machine.problemOf(w.id), /stack is down: required extension .* \(A50\)/);
    t.equal(machine.problemOf(c.id), undefined, 'it is not wanted');
    const before = world.trace.entries().length;
    for (const operation of [
      () => machine.createPort(portOptions('synthetic', 'q')),
      () => machine.openConnection({ port: portOptions(), properties: [], nics: [] }),
      () => machine.connectNic(port, nicOptions()),
      () => machine.updatePort(port, { friendlyName: 'q' }),
      () => machine.addProperty(port, portProperty(world)),
      () => machine.updateProperty(port, property, { A: 2, B: 2n }),
      () => machine.queryStatus(port.portId, property.id, undefined),
      () => machine.activateNow(),
    ]) {
      t.equal(refusal(operation), 'ILLEGAL_TRANSITION A50');
    }
    t.throws(() => machine.createPort(portOptions()), {
      message: `switch sw, whose required extension ${must.id} does not run, is down: operate is not allowed (rule A50)`,
    });
    t.equal(world.trace.entries().length, before);
    now(machine.disconnectNic(port, nic));
    now(machine.deleteProperty(port, property));
    now(machine.deletePort(port));
    t.equal(machine.state.ports.size, 0);
    t.end();
  },
);

t.test(
  'enabling a required extension again brings the switch up: it activates anew and everybody catches up (A50, A68, J12)',
  (t) => {
    const log: string[] = [];
    const world = switchWorld();
    const seen: unknown[] = [];
    const look = (sw: SwitchContext): ExtensionHandlers => ({
      restart: () => void seen.push(['restart', sw.parameters().isActive]),
      activate: () => void seen.push(['activate', sw.ports().length, sw.nics().length]),
    });
    const must = living(log, 'filter', 'must', look);
    const machine = startSwitch(world, []);
    now(machine.connectNic(makePort(machine), nicOptions()));
    now(machine.changeStack([must], [must.id]));
    seen.length = 0;
    now(machine.changeStack([]));
    t.equal(machine.state.life, 'down', 'disabling it is taking it away');
    t.same([...machine.required], [must.id], 'it stays required');
    now(machine.changeStack([living(log, 'filter', 'other', look)]));
    t.same(states(machine), [], 'nothing else runs without it');
    now(machine.changeStack([must]));
    t.same(seen, [
      ['restart', false],
      ['activate', 1, 1],
    ]);
    t.equal(machine.state.life, 'active');
    t.equal(machine.state.isActive, true);
    t.equal(now(machine.createPort(portOptions('synthetic', 'q'))).port.portId, 2);
    now(machine.changeStack([], []));
    t.equal(machine.state.life, 'active', 'required no more: the switch runs without it');
    t.same(rules(world), []);
    t.end();
  },
);

t.test('a required extension that fails in attach takes the stack down as well (A49, A50)', (t) => {
  const log: string[] = [];
  const must = extension(
    'filter',
    () => {
      throw new Error('no memory');
    },
    'must',
  );
  const world = switchWorld();
  const machine = startSwitch(world, []);
  const failures = now(machine.changeStack([living(log, 'capture', 'c'), must], [must.id]));
  t.match(failures, [{ error: { message: 'must refused in attach: Error: no memory' } }]);
  t.equal(machine.state.life, 'down');
  t.notOk(log.includes('restart c'), 'nobody is restarted for nothing');
  t.ok(log.includes('detach c'));
  t.end();
});
