import fc from 'fast-check';
import t, { type Test } from 'tap';
import { isErrorStatus } from '../../src/core/status.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import type { Port, PropertyInstance, PropertyOwner } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import { BEHAVIOURS, randomExtension, Watcher } from '../support/random-extension.ts';
import {
  nicOptions,
  PORT_STATUS,
  portOptions,
  portProperty,
  type SwitchWorld,
  settle,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

const OPERATIONS = [
  'createPort',
  'deletePort',
  'connect',
  'disconnect',
  'add',
  'update',
  'delete',
  'addToSwitch',
  'status',
  'withoutFilter',
  'withFilter',
  'reverse',
] as const;
type Operation = (typeof OPERATIONS)[number];

/** A switch under random operations: which objects to take next is decided by `pick`. */
class Machine {
  readonly world: SwitchWorld;
  readonly watcher = new Watcher();
  readonly machine: Switch;
  readonly #random: readonly ExtensionDefinition[];
  #made = 0;

  constructor(scripts: readonly Parameters<typeof randomExtension>[2][]) {
    this.world = switchWorld();
    this.#random = [
      randomExtension('filter', 'f1', scripts[0] ?? []),
      randomExtension('filter', 'f2', scripts[1] ?? []),
      randomExtension('forward', 'w', scripts[2] ?? []),
    ];
    this.machine = startSwitch(this.world, [this.watcher.definition, ...this.#random]);
  }

  /** Starts an operation; the outcome is `refused` when an OID came back with an error or a rule forbids it. */
  run(operation: Operation, pick: number): Promise<'done' | 'refused'> {
    try {
      const result = this.#start(operation, pick);
      return Promise.resolve(result).then(
        (value) => this.#outcome(value),
        () => 'refused',
      );
    } catch {
      return Promise.resolve('refused');
    }
  }

  #outcome(value: unknown): 'done' | 'refused' {
    const status =
      (value as { request?: { status: number } } | undefined)?.request?.status ??
      (value as { status?: number } | undefined)?.status;
    return status !== undefined && isErrorStatus(status) ? 'refused' : 'done';
  }

  #start(operation: Operation, pick: number): unknown {
    const { machine, world } = this;
    const ports = [...machine.state.ports.values()];
    const port = ports[pick % Math.max(1, ports.length)];
    const owner: PropertyOwner = pick % 5 === 0 ? machine.state : (port ?? machine.state);
    const held = [...owner.properties.values()];
    const property = held[pick % Math.max(1, held.length)];
    const [f1, f2, w] = this.#random as readonly [
      ExtensionDefinition,
      ExtensionDefinition,
      ExtensionDefinition,
    ];
    this.#made += 1;
    const id = `00000000-0000-0000-0000-${String(this.#made).padStart(12, '0')}`;
    switch (operation) {
      case 'createPort':
        return machine.createPort(portOptions('synthetic', `p${this.#made}`));
      case 'deletePort':
        return port && machine.deletePort(port);
      case 'connect':
        return port && machine.connectNic(port, nicOptions());
      case 'disconnect':
        return port && this.#disconnect(port);
      case 'add':
        return port && machine.addProperty(port, portProperty(world, { A: pick, B: 1n }, id));
      case 'addToSwitch':
        return machine.addProperty(machine.state, switchProperty(world, { Limit: pick }, id));
      case 'update':
        return property && machine.updateProperty(owner, property, this.#settings(property, pick));
      case 'delete':
        return property && machine.deleteProperty(owner, property);
      case 'status':
        return port && machine.queryStatus(port.portId, PORT_STATUS, undefined);
      case 'withoutFilter':
        return machine.changeStack([this.watcher.definition, f2, w]);
      case 'withFilter':
        return machine.changeStack([this.watcher.definition, f1, f2, w]);
      default:
        return machine.changeStack([this.watcher.definition, f2, f1, w]);
    }
  }

  #settings(property: PropertyInstance, pick: number) {
    return 'Limit' in property.settings ? { Limit: pick } : { A: pick, B: 2n };
  }

  #disconnect(port: Port): unknown {
    const nic = port.nics.get(0);
    return nic && this.machine.disconnectNic(port, nic);
  }

  /** Moves the clock until `waited` has settled; false when that takes more virtual time than any sequence can. */
  async finish(waited: Promise<unknown>): Promise<boolean> {
    let isOver = false;
    void waited.then(() => {
      isOver = true;
    });
    for (let i = 0; i < 400; i += 1) {
      await settle();
      if (isOver) return true;
      this.world.clock.advance(3000);
    }
    return false;
  }

  /** Everything the switch stores, as text. */
  snapshot(): string {
    const properties = ({ properties: held }: PropertyOwner): unknown =>
      [...held.values()].map(({ id, settings, revision }) => [
        id,
        Object.values(settings).map(String),
        revision,
      ]);
    const { state } = this.machine;
    return JSON.stringify([
      properties(state),
      [...state.ports.values()].map((port) => [
        port.portId,
        port.state,
        [...port.nics.values()].map(({ index, state: nicState, mtu }) => [index, nicState, mtu]),
        properties(port),
      ]),
    ]);
  }

  /** What the watcher must know: the switch's tables. */
  check(t: Test): void {
    const { machine, watcher, world } = this;
    const { state } = machine;
    const ports = [...state.ports.values()];
    t.strictSame([...watcher.ports].sort(), ports.map(({ portId }) => portId).sort());
    t.strictSame(
      [...watcher.nics].sort(),
      ports.flatMap((port) => [...port.nics.keys()].map((i) => `${port.portId}/${i}`)).sort(),
    );
    const stored: [string, string][] = [state, ...ports].flatMap((owner) =>
      [...owner.properties.values()].map(({ id, codec, settings }): [string, string] => {
        const bytes = new Uint8Array(codec.size(settings));
        codec.write(settings, bytes, 0);
        return [`${owner.portId}/${id}`, bytes.join()];
      }),
    );
    t.strictSame([...watcher.properties].sort(), stored.sort());
    // Every request completed exactly once: each number is in the trace, and once.
    const numbers = world.trace.entries().map(({ request }) => request);
    t.equal(new Set(numbers).size, numbers.length);
    t.equal(Math.max(0, ...numbers), numbers.length);
    t.equal(machine.pipeline.inFlight.size, 0);
    t.equal(machine.queued, 0);
    for (const module of machine.modules) {
      t.equal(module.current, undefined);
      t.equal(module.queue.length, 0);
      t.equal(module.state, 'running');
    }
  }
}

const script = fc.array(
  fc.tuple(fc.constantFrom(...BEHAVIOURS), fc.constantFrom(0, 1, 10, 5000, 13_000)),
  { maxLength: 30 },
);
const scripts = fc.tuple(script, script, script);
const operations = fc.array(fc.tuple(fc.constantFrom(...OPERATIONS), fc.nat(30)), {
  maxLength: 25,
});

/** Deletes everything; at the end nobody holds anything any more. */
async function tearDown(t: Test, sut: Machine): Promise<void> {
  for (const port of [...sut.machine.state.ports.values()]) {
    t.ok(await sut.finish(Promise.resolve(sut.machine.deletePort(port))), 'a port is deleted');
    t.ok(port.references === 0 || sut.world.findings.some(({ rule }) => rule === 'B42'));
  }
  t.ok(await sut.finish(Promise.resolve(sut.machine.stop())), 'the switch stops');
  t.equal(sut.machine.state.ports.size, 0);
  t.equal(sut.machine.modules.length, 0);
}

t.test(
  'one operation after the other: refused ones change nothing, views and tables agree, nothing hangs (B17, C23, D1, D6, E16)',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(scripts, operations, async (given, steps) => {
        const sut = new Machine(given);
        for (const [operation, pick] of steps) {
          const before = sut.snapshot();
          const outcome = sut.run(operation, pick);
          t.ok(await sut.finish(outcome), `${operation} ends`);
          if ((await outcome) === 'refused') t.equal(sut.snapshot(), before, operation);
        }
        sut.world.clock.advance(40_000);
        await settle();
        sut.check(t);
        await tearDown(t, sut);
        return t.passing();
      }),
      { numRuns: 400 },
    );
  },
);

t.test(
  'operations at once: each ends, views and tables agree, every request completes exactly once (D1, D6, E16)',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(scripts, operations, async (given, steps) => {
        const sut = new Machine(given);
        const all = Promise.all(steps.map(([operation, pick]) => sut.run(operation, pick)));
        t.ok(await sut.finish(all), 'all end');
        sut.world.clock.advance(40_000);
        await settle();
        sut.check(t);
        await tearDown(t, sut);
        return t.passing();
      }),
      { numRuns: 400 },
    );
  },
);

t.test('a switch stopped in the middle of anything stops without time passing', async (t) => {
  await fc.assert(
    fc.asyncProperty(scripts, operations, async (given, steps) => {
      const sut = new Machine(given);
      const all = Promise.all(steps.map(([operation, pick]) => sut.run(operation, pick)));
      await sut.machine.stop();
      await all;
      t.equal(sut.world.clock.now(), 0);
      t.equal(sut.machine.pipeline.inFlight.size, 0);
      return t.passing();
    }),
    { numRuns: 200 },
  );
});
