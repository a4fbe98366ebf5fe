import t from 'tap';
import type { OidRequest, SwitchContext } from '../../src/sdk/extension.ts';
import { living, states } from '../support/living.ts';
import {
  extension,
  now,
  portOptions,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

t.test(
  'restartStack pauses and restarts the stack when its turn comes, never inside the call (A46, A66)',
  async (t) => {
    const log: string[] = [];
    const world = switchWorld();
    let context: SwitchContext | undefined;
    const f = living(log, 'filter', 'f', (sw) => {
      context = sw;
      return {};
    });
    const machine = startSwitch(world, [f, living(log, 'forward', 'w')]);
    log.length = 0;
    context?.restartStack();
    context?.restartStack();
    t.same(log, [], 'later');
    await settle();
    t.same(log, ['pause f', 'pause w', 'restart w', 'restart f'], 'once, whoever asked how often');
    t.same(states(machine), ['f running', 'w running']);
    log.length = 0;
    context?.restartStack();
    await settle();
    t.same(log, [], 'not twice in one millisecond');
    world.clock.advance(1);
    await settle();
    t.equal(log.length, 4);
    now(machine.changeStack([]));
    context?.restartStack();
    world.clock.advance(10);
    await settle();
    t.same(world.findings, [], 'who is gone asks in vain');
  },
);

t.test(
  'a restart that was asked for waits until the extension has completed its pending OIDs; one it never completes is a finding (A66)',
  async (t) => {
    for (const completes of [true, false]) {
      const log: string[] = [];
      const world = switchWorld();
      const held: OidRequest[] = [];
      let context: SwitchContext | undefined;
      let upper: SwitchContext | undefined;
      const top = living(log, 'capture', 'top', (sw) => {
        upper = sw;
        return {};
      });
      const f = living(log, 'filter', 'f', (sw) => {
        context = sw;
        return {
          oidRequest: (request) => {
            held.push(request);
            return request.pend();
          },
        };
      });
      const machine = startSwitch(world, [top, f]);
      log.length = 0;
      const asked = upper?.request('query', 0x10275, new Uint8Array(0));
      context?.restartStack();
      await settle();
      world.clock.advance(500);
      await settle();
      t.same(log, [], 'waits');
      if (completes) held[0]?.forward();
      else world.clock.advance(11_500);
      await asked;
      await settle();
      t.same(log, ['pause top', 'pause f', 'restart f', 'restart top']);
      t.same(rules(world), completes ? [] : ['NdisTimedOidComplete', 'A66']);
      t.same(states(machine), ['top running', 'f running']);
    }
  },
);

t.test('a restart asked for while restarting or pausing is a violation (A51)', async (t) => {
  const world = switchWorld();
  const again = extension('filter', (sw) => ({
    restart: () => sw.restartStack(),
    pause: () => sw.restartStack(),
  }));
  const machine = startSwitch(world, [again]);
  now(machine.changeStack([]));
  await settle();
  world.clock.advance(5);
  await settle();
  t.match(world.findings, [
    { rule: 'A51', message: 'filter asked for a restart while restarting' },
    { rule: 'A51', message: 'filter asked for a restart while pausing' },
  ]);
});

t.test(
  'a stack that asks for a restart whenever it restarts keeps nobody else waiting (A66)',
  async (t) => {
    const world = switchWorld();
    let restarts = 0;
    const asker = extension('capture', (sw) => ({
      restart: () => {
        sw.parameters();
        restarts += 1;
      },
    }));
    const nagging = extension('filter', (sw) => ({ oidRequest: () => sw.restartStack() }));
    const machine = startSwitch(world, [asker, nagging]);
    await settle();
    t.ok(restarts <= 3, `${restarts} restarts without time passing`);
    const { port } = await machine.createPort(portOptions());
    t.equal(port.state, 'created');
    now(machine.changeStack([]));
    world.clock.advance(1000);
    await settle();
    t.equal(world.clock.nextAt(), undefined);
  },
);

t.test(
  'an extension that fails in a restart it asked for is detached with its reason (A49, A50)',
  async (t) => {
    const world = switchWorld();
    let context: SwitchContext | undefined;
    let restarts = 0;
    const f = extension(
      'filter',
      (sw) => {
        context = sw;
        return {
          restart: () => {
            restarts += 1;
            if (restarts > 1) throw new Error('cannot');
          },
        };
      },
      'f',
    );
    const machine = startSwitch(world, [f], 'external');
    context?.restartStack();
    await settle();
    t.same(states(machine), []);
    t.equal(machine.problemOf(f.id), 'f refused in restart: Error: cannot');
    t.equal(machine.state.life, 'active', 'it is optional');

    restarts = 0;
    now(machine.changeStack([f], [f.id]));
    world.clock.advance(1);
    context?.restartStack();
    await settle();
    t.equal(machine.state.life, 'down', 'required now');
  },
);
