import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers, FinalVerdict, Verdict } from '../../src/sdk/extension.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portProperty,
  rules,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/** One extension with these handlers on a switch with a port. */
function withPort(handlers: ExtensionHandlers) {
  const world = switchWorld();
  const machine = startSwitch(world, [extension('filter', handlers)]);
  return { world, machine, port: makePort(machine) };
}

/** Throws whatever is asked of it. */
const untouchable = new Proxy(
  {},
  {
    get() {
      throw new Error('a trap');
    },
    getPrototypeOf() {
      throw new Error('a trap');
    },
  },
);

/** An error of which nothing can be read. */
function unreadable(): Error {
  const error = new Error('unread');
  for (const member of ['stack', 'name', 'message']) {
    Object.defineProperty(error, member, {
      get() {
        throw new Error('a getter');
      },
    });
  }
  return error;
}

/** A promise whose own members throw. */
function trapped(): Promise<FinalVerdict> {
  const made = {
    get() {
      throw new Error('a getter');
    },
  };
  return Object.defineProperty(Promise.resolve<FinalVerdict>('forward'), 'constructor', made);
}

for (const [what, thrown] of [
  ['a proxy that throws', untouchable],
  ['an error that cannot be read', unreadable()],
  ['an object without prototype', Object.create(null)],
  ['a symbol', Symbol('s')],
] as const) {
  t.test(`a handler, a timer and a completion that throw ${what} are contained (D6, D14)`, (t) => {
    const fail = (): never => {
      throw thrown;
    };
    const { world, machine, port } = withPort({
      addPortProperty: fail,
      oidRequestComplete: ({ oidName }) => {
        if (oidName === 'OID_SWITCH_NIC_CREATE') fail();
      },
    });
    t.equal(now(machine.addProperty(port, portProperty(world)))?.status, NdisStatus.FAILURE);
    now(machine.connectNic(port, nicOptions()));
    t.equal(port.nics.get(0)?.state, 'connected');
    t.same(rules(world), ['D6', 'D14']);
    t.end();
  });
}

t.test('what a handler answers cannot be read: reported, and nothing waits (D6)', async (t) => {
  const answers: unknown[] = [untouchable, trapped(), 5n];
  const { world, machine, port } = withPort({
    addPortProperty: () => answers.shift() as Verdict,
  });
  for (const status of [NdisStatus.SUCCESS, NdisStatus.FAILURE, NdisStatus.SUCCESS]) {
    t.equal((await machine.addProperty(port, portProperty(world)))?.status, status);
  }
  t.same(rules(world), ['D6', 'D6', 'D6']);
  t.match(world.findings[2]?.message, /answered 5n: a verdict is/);
});

t.test('a message of many megabytes is shown by its beginning (D6)', (t) => {
  const { world, machine, port } = withPort({
    addPortProperty() {
      throw new Error('x'.repeat(10_000_000));
    },
  });
  now(machine.addProperty(port, portProperty(world)));
  t.ok((world.findings[0]?.message.length ?? 0) < 1_000);
  t.end();
});
