import t from 'tap';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { Switch } from '../../switch/switch.ts';
import { blob, keeper, nicOidsOf } from '../support/save-scene.ts';
import {
  extension,
  nicOptions,
  portOptions,
  rules,
  type SwitchWorld,
  switchWorld,
} from '../support/switch-world.ts';

async function startSeeded(
  world: SwitchWorld,
  extensions: readonly ExtensionDefinition[],
): Promise<Switch> {
  const machine = new Switch(
    { id: '5a5a5a5a-0000-0000-0000-000000000002', name: 'seeded', type: 'private' },
    world.environment,
  );
  await machine.start(extensions);
  return machine;
}

t.test(
  'saves of different NICs overlap when the seed says so, each with its own data (G9, G22)',
  async (t) => {
    const orders = new Set<string>();
    for (const seed of ['a', 'b', 'c', 'd']) {
      const world = switchWorld('6.85', seed, { scheduling: 'seeded' });
      const left = new Map<number, number>();
      const machine = startSeeded(world, [
        extension('filter', {
          saveNic: (state) => {
            const count = left.get(state.portId) ?? 3;
            left.set(state.portId, count - 1);
            return count <= 0 ? 'forward' : state.save(blob(count, state.portId));
          },
        }),
      ]);
      const sw = await machine;
      const ports = [1, 2];
      const nics = await Promise.all(
        ports.map(async (i) => {
          const { port } = await sw.createPort({
            id: `00000000-0000-0000-0000-00000000000${i}`,
            name: `p${i}`,
            friendlyName: '',
            type: 'synthetic',
          });
          return { port, nic: (await sw.connectNic(port, nicOptions({ name: `n${i}` }))).nic };
        }),
      );
      world.trace.clear();
      const outcomes = await Promise.all(nics.map(({ port, nic }) => sw.saveNic(port, nic)));
      outcomes.forEach(({ records }, i) => {
        const portId = nics[i]?.port.portId ?? 0;
        t.same(
          records.map(({ data, portId: saved }) => [saved, ...data]),
          [
            [portId, portId, portId, portId],
            [portId, portId, portId],
            [portId, portId],
          ],
        );
      });
      orders.add(
        world.trace
          .entries()
          .map(({ input }) => input[8])
          .join(''),
      );
    }
    t.ok(
      [...orders].some((order) => /12.*1/.test(order) && /21.*2/.test(order)),
      [...orders].join(),
    );
  },
);

t.test(
  'an extension that leaves between two of its records: what it gave is kept, the others go on (G5, G8, S14)',
  async (t) => {
    const given = new Set<number>();
    for (let i = 0; i < 12; i += 1) {
      const world = switchWorld('6.85', `leave ${i}`, { scheduling: 'seeded' });
      const leaver = keeper(
        [1, 2, 3, 4, 5].map((n) => blob(n)),
        'filter',
        'leaver',
      );
      const stayer = keeper([blob(6), blob(7)], 'forward', 'stayer');
      const machine = await startSeeded(world, [leaver, stayer]);
      const { port } = await machine.createPort(portOptions());
      const { nic } = await machine.connectNic(port, nicOptions());
      world.trace.clear();
      const [outcome] = await Promise.all([
        machine.saveNic(port, nic),
        machine.changeStack([stayer]),
      ]);
      const lengths = outcome.records.map(({ data }) => data.length);
      const left = lengths.length - 2;
      given.add(left);
      t.same(lengths, [...[1, 2, 3, 4, 5].slice(0, left), 6, 7]);
      t.equal(nicOidsOf(world).at(-1), 'SAVE_COMPLETE SUCCESS');
      t.same(rules(world), []);
    }
    t.ok(
      [...given].some((count) => count > 0 && count < 5),
      [...given].join(),
    );
  },
);
