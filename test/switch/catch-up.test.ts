import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { SwitchContext } from '../../src/sdk/extension.ts';
import { viewer } from '../support/extension-view.ts';
import { Interleaving } from '../support/interleaving.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portProperty,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

t.test(
  'an extension that joins a live switch sees in restart what is there: a NIC that is created and not connected too (S13, J3, J8, J11, J13)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const bound = makePort(machine, 'synthetic', 'bound');
    const unbound = makePort(machine, 'synthetic', 'unbound');
    now(machine.connectNic(bound, nicOptions({ name: 'a' })));
    now(machine.openNics(unbound, [nicOptions({ name: 'b', mtu: 1400 })], { connect: false }));
    now(machine.addProperty(unbound, portProperty(world)));
    now(machine.addProperty(machine.state, switchProperty(world)));
    const seen: unknown[] = [];
    const references: unknown[] = [];
    now(
      machine.changeStack([
        extension('forward', (sw) => ({
          restart: () => {
            const { isActive, numSwitchPorts } = sw.parameters();
            seen.push([isActive, numSwitchPorts]);
            seen.push(
              sw.ports().map(({ portId, friendlyName, state }) => [portId, friendlyName, state]),
            );
            seen.push(sw.nics().map(({ portId, name, state, mtu }) => [portId, name, state, mtu]));
            seen.push(sw.portProperties(2, 'Fabrikam_PortSettingData').map((p) => p.settings));
            seen.push(sw.switchProperties('Fabrikam_SwitchSettingData').map((p) => p.settings));
            references.push(sw.referenceNic(1, 0), sw.referenceNic(2, 0));
            sw.dereferenceNic(1, 0);
          },
        })),
      ]),
    );
    t.same(seen, [
      [true, 2],
      [
        [1, 'bound', 'created'],
        [2, 'unbound', 'created'],
      ],
      [
        [1, 'a', 'connected', 1500],
        [2, 'b', 'created', 1400],
      ],
      [{ A: 1, B: 2n }],
      [{ Limit: 7 }],
    ]);
    t.same(references, [NdisStatus.SUCCESS, NdisStatus.INVALID_PARAMETER], 'not yet usable');
    t.same(world.findings, []);
    t.end();
  },
);

t.test(
  'who joins while a port is being torn down sees it so, may not reference it, and then sees it go (S13, B36, J8)',
  async (t) => {
    const world = switchWorld();
    let holder: SwitchContext | undefined;
    const holding = extension('filter', (sw) => {
      holder = sw;
      return {};
    });
    const machine = startSwitch(world, [holding]);
    const port = makePort(machine);
    now(machine.addProperty(port, portProperty(world)));
    t.equal(holder?.referencePort(1), NdisStatus.SUCCESS);
    const deleted = machine.deletePort(port);
    const joined = viewer('filter', 'joined', { asks: true });
    now(machine.changeStack([joined.definition, holding]));
    t.match([...joined.view.ports.values()], [{ portId: 1, state: 'teardown' }]);
    t.equal(joined.view.properties.size, 0);
    t.equal(holder?.referencePort(1), NdisStatus.INVALID_PARAMETER);
    holder?.dereferencePort(1);
    await deleted;
    t.equal(joined.view.ports.size, 0);
    t.same(world.findings, []);
  },
);

t.test(
  'after any sequence of operations what an extension learns by asking is what one that listened from the beginning knows (S13, J1, J2, J3, J8, J11, E39)',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, maxLength: 12 }),
        fc.constantFrom('fifo' as const, 'seeded' as const),
        fc.integer({ min: 0, max: 16 }),
        fc.integer({ min: 0, max: 6 }),
        async (seed, scheduling, before, after) => {
          const run = new Interleaving(seed, { scheduling });
          await run.start();
          await run.round(before);
          const joined = viewer('filter', 'joined', { asks: true });
          const stack = run.machine.modules.map(({ definition }) => definition);
          await run.finish(Promise.resolve(run.machine.changeStack([joined.definition, ...stack])));
          assert.deepEqual(joined.view.facts(), run.listener.view.facts());
          // It goes on by listening.
          await run.round(after);
          const runs = run.machine.modules.some(
            ({ definition }) => definition === joined.definition,
          );
          if (runs) assert.deepEqual(joined.view.facts(), run.listener.view.facts());
        },
      ),
      { numRuns: 100 },
    );
  },
);
