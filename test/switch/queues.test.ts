import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { OidRequest } from '../../src/sdk/extension.ts';
import {
  extension,
  portOptions,
  portProperty,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

t.test(
  'operations of the protocol edge run one at a time in the order they came (D1)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    const names: string[] = [];
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: (port, request) => {
          names.push(port.name);
          if (port.name !== 'a') return 'forward';
          held.push(request);
          return request.pend();
        },
      }),
    ]);
    const a = machine.createPort(portOptions('synthetic', 'a'));
    const b = machine.createPort(portOptions('synthetic', 'b'));
    const refused = machine.createPort(portOptions('synthetic', 'c'), {
      check: () => {
        throw new Error('not wanted');
      },
    });
    const d = machine.createPort(portOptions('synthetic', 'd'));
    t.same(names, ['a']);
    t.equal(machine.queued, 3);
    held[0]?.forward();
    await t.rejects(Promise.resolve(refused), /not wanted/);
    t.equal((await a).port.portId, 1);
    t.equal((await b).port.portId, 2);
    t.equal((await d).port.portId, 3);
    t.same(names, ['a', 'b', 'd']);
    t.equal(machine.queued, 0);
  },
);

t.test('20,000 operations behind a pended one are run without deep recursion', async (t) => {
  const world = switchWorld();
  const held: OidRequest[] = [];
  const machine = startSwitch(world, [
    extension('filter', {
      createPort: (_port, request) => {
        held.push(request);
        return request.pend();
      },
    }),
  ]);
  const first = machine.createPort(portOptions());
  const rest = Array.from({ length: 20_000 }, () =>
    machine.queryStatus(-1, portProperty(world).codec.id, undefined),
  );
  held[0]?.forward();
  await first;
  const answers = await Promise.all(rest);
  t.ok(answers.every(({ status }) => status === NdisStatus.NOT_SUPPORTED));
});

t.test(
  'an OID of an extension meets a module that holds another one and waits behind it (D1, D2)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    const seen: string[] = [];
    let ask: (() => unknown) | undefined;
    const machine = startSwitch(world, [
      extension('capture', (sw) => {
        ask = () => sw.request('query', 0x10276, new Uint8Array(0), 0);
        return {};
      }),
      extension('forward', {
        oidRequest: (request) => {
          seen.push(request.oidName);
          if (held.length > 0) return 'forward';
          held.push(request);
          return request.pend();
        },
      }),
    ]);
    const sent = machine.createPort(portOptions());
    const asked = [ask?.(), ask?.(), ask?.()] as Promise<{ status: number; bytesNeeded: number }>[];
    t.ok(asked.every((one) => one instanceof Promise));
    t.same(seen, ['OID_SWITCH_PORT_CREATE'], 'one request at a time in one module');
    t.equal(machine.modules[1]?.queue.length, 3);
    held[0]?.forward();
    await sent;
    const [one] = await Promise.all(asked);
    t.equal(one?.status, NdisStatus.INVALID_LENGTH);
    t.equal(one?.bytesNeeded, 24 + 1056, 'asked after PORT_CREATE completed: one port');
    t.same(seen.slice(1), Array(3).fill('OID_SWITCH_PORT_ARRAY'));
    t.equal(world.trace.entries()[1]?.origin, machine.modules[0]?.id, 'seen below its issuer only');
  },
);

t.test(
  '10,000 OIDs of an extension behind a held one are run without deep recursion (D1)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    let ask: (() => unknown) | undefined;
    const machine = startSwitch(world, [
      extension('capture', (sw) => {
        ask = () => sw.request('query', 0x10276, new Uint8Array(0), 0);
        return {};
      }),
      extension('forward', {
        createPort: (_port, request) => {
          held.push(request);
          return request.pend();
        },
      }),
    ]);
    const sent = machine.createPort(portOptions());
    const asked = Array.from({ length: 10_000 }, () => ask?.());
    held[0]?.forward();
    await sent;
    t.equal((await Promise.all(asked)).length, 10_000);
    t.equal(machine.pipeline.inFlight.size, 0);
  },
);

t.test('a request queued behind a held one is pended in its turn by the same module', async (t) => {
  const world = switchWorld();
  const held: OidRequest[] = [];
  let ask: (() => unknown) | undefined;
  const machine = startSwitch(world, [
    extension('capture', (sw) => {
      ask = () => sw.request('query', 0x10276, new Uint8Array(0), 0);
      return {};
    }),
    extension('forward', {
      oidRequest: (request) => {
        held.push(request);
        return request.pend();
      },
    }),
  ]);
  const sent = machine.createPort(portOptions());
  const first = ask?.();
  const second = ask?.();
  held[0]?.forward();
  await sent;
  t.equal(held.length, 2);
  held[1]?.forward();
  await first;
  t.equal(held.length, 3);
  held[2]?.forward();
  await second;
  t.same(world.findings, []);
});

t.test(
  'an operation whose caller fails in its turn is rejected, at once or after waiting, and the next one runs',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    const machine = startSwitch(world, [
      extension('forward', {
        createPort: (port, request) => {
          if (port.name === 'a') return 'forward';
          held.push(request);
          return request.pend();
        },
        addPortProperty: (property) => {
          held.push(property.request);
          return property.request.pend();
        },
      }),
    ]);
    const accepted = (): never => {
      throw new Error('no room');
    };
    t.throws(() => machine.createPort(portOptions('synthetic', 'a'), { accepted }), /no room/);
    const created = machine.createPort(portOptions('synthetic', 'b'), { accepted });
    held[0]?.forward();
    await t.rejects(Promise.resolve(created), /no room/);
    const port = machine.state.ports.get(2);
    if (port === undefined) throw new Error('port 2 is there');
    const added = machine.addProperty(port, portProperty(world), { accepted });
    const next = machine.queryStatus(-1, port.id, undefined);
    held[1]?.complete(NdisStatus.SUCCESS);
    await t.rejects(Promise.resolve(added), /no room/);
    t.equal((await next).status, NdisStatus.NOT_SUPPORTED);
    t.same(world.findings, [], 'no extension is blamed for it');
  },
);
