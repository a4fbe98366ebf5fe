import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
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

/** What the library checks when the turn of an operation has come. */
function mustBeHeld(owner: PropertyOwner, property: PropertyInstance): void {
  if (owner.properties.get(property.id) !== property) throw new Error('gone meanwhile');
}

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
        return (
          property &&
          machine.updateProperty(owner, property, this.#settings(property, pick), {
            check: () => mustBeHeld(owner, property),
          })
        );
      case 'delete':
        return (
          property &&
          machine.deleteProperty(owner, property, { check: () => mustBeHeld(owner, property) })
        );
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
  check(): void {
    const { machine, watcher, world } = this;
    const { state } = machine;
    const ports = [...state.ports.values()];
    assert.deepEqual([...watcher.ports].sort(), ports.map(({ portId }) => portId).sort());
    assert.deepEqual(
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
    assert.deepEqual([...watcher.properties].sort(), stored.sort());
    // Every request completed exactly once: each number is in the trace, and once.
    const numbers = world.trace.entries().map(({ request }) => request);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.equal(Math.max(0, ...numbers), numbers.length);
    assert.equal(machine.pipeline.inFlight.size, 0);
    assert.equal(machine.queued, 0);
    for (const module of machine.modules) {
      assert.equal(module.current, undefined);
      assert.equal(module.queue.length, 0);
      assert.equal(module.state, 'running');
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
async function tearDown(sut: Machine): Promise<void> {
  for (const port of [...sut.machine.state.ports.values()]) {
    assert.ok(await sut.finish(Promise.resolve(sut.machine.deletePort(port))), 'a port is deleted');
    assert.ok(port.references === 0 || sut.world.findings.some(({ rule }) => rule === 'B42'));
  }
  assert.ok(await sut.finish(Promise.resolve(sut.machine.stop())), 'the switch stops');
  assert.equal(sut.machine.state.ports.size, 0);
  assert.equal(sut.machine.modules.length, 0);
}

t.test(
  'one operation after the other: refused ones change nothing, views and tables agree, nothing hangs (B17, C23, D1, D6, E16)',
  async () => {
    await fc.assert(
      fc.asyncProperty(scripts, operations, async (given, steps) => {
        const sut = new Machine(given);
        for (const [operation, pick] of steps) {
          const before = sut.snapshot();
          const outcome = sut.run(operation, pick);
          assert.ok(await sut.finish(outcome), `${operation} ends`);
          if ((await outcome) === 'refused') assert.equal(sut.snapshot(), before, operation);
        }
        sut.world.clock.advance(40_000);
        await settle();
        sut.check();
        await tearDown(sut);
      }),
      { numRuns: 400 },
    );
  },
);

t.test(
  'operations at once: each ends, views and tables agree, every request completes exactly once (D1, D6, E16)',
  async () => {
    await fc.assert(
      fc.asyncProperty(scripts, operations, async (given, steps) => {
        const sut = new Machine(given);
        const all = Promise.all(steps.map(([operation, pick]) => sut.run(operation, pick)));
        assert.ok(await sut.finish(all), 'all end');
        sut.world.clock.advance(40_000);
        await settle();
        sut.check();
        await tearDown(sut);
      }),
      { numRuns: 400 },
    );
  },
);

t.test('a switch stopped in the middle of anything stops without time passing', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, operations, async (given, steps) => {
      const sut = new Machine(given);
      const all = Promise.all(steps.map(([operation, pick]) => sut.run(operation, pick)));
      await sut.machine.stop();
      await all;
      assert.equal(sut.world.clock.now(), 0);
      assert.equal(sut.machine.pipeline.inFlight.size, 0);
    }),
    { numRuns: 200 },
  );
});
