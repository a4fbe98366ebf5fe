import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { SwitchContext } from '../../src/sdk/extension.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { openWorld, turn } from './open-world.ts';

const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

const folder = mkdtempSync(join(tmpdir(), 'extswitch-required-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** An extension whose restart fails while `broken` says so. */
function fragile(n: number, broken: () => boolean) {
  return extensionWith(
    () => ({
      restart: () => {
        if (broken()) throw new Error('licence expired');
      },
    }),
    { id: id(n), name: `Fragile ${n}` },
  );
}

t.test(
  'a required extension that is disabled takes the stack down; enabled again it brings it up (A50, OP-31)',
  async (t) => {
    const must = fragile(1, () => false);
    const other = extensionWith(() => ({}), { id: id(2), name: 'Other' });
    const { fabric, sw, port } = await openWorld([must, other]);
    t.match(await sw.extensions.change('Fragile 1', { required: true }), {
      required: true,
      enabled: true,
      running: true,
    });
    t.match(await sw.extensions.change('Fragile 1', { enabled: false }), {
      required: true,
      enabled: false,
      running: false,
    });
    t.match(sw.extensions.get('Other'), {
      enabled: true,
      running: false,
      problem: `the stack is down: required extension ${id(1)} does not run (A50)`,
    });
    t.equal(sw.info.isActive, false);
    const refused = { code: 'ILLEGAL_TRANSITION', httpStatus: 409, place: { rule: 'A50' } };
    await t.rejects(sw.ports.create({ name: 'Q' }), refused);
    await t.rejects(port.nics.connect(), refused);
    await t.rejects(port.properties.add('Fabrikam_PortCustomSettingData', {}), refused);
    t.equal([...sw.ports.list()].length, 1, 'nothing changed');
    t.match(await sw.extensions.change('Fragile 1', { enabled: true }), { running: true });
    t.match(sw.extensions.get('Other'), { running: true });
    t.notOk('problem' in sw.extensions.get('Other'));
    t.equal(sw.info.isActive, true);
    await sw.ports.create({ name: 'Q' });
    await fabric.close();
  },
);

t.test(
  'one that fails when another change restarts the stack takes it down and says why; the change itself stays (A50, OP-31)',
  async (t) => {
    let broken = false;
    const must = fragile(1, () => broken);
    const optional = extensionWith(() => ({}), { id: id(2), name: 'Optional' });
    const { fabric, sw } = await openWorld([must]);
    await fabric.extensions.install(optional);
    await sw.extensions.change('Fragile 1', { required: true });
    broken = true;
    t.match(await sw.extensions.change('Optional', { enabled: true }), {
      enabled: true,
      running: false,
      problem: /stack is down/,
    });
    t.match(sw.extensions.get('Fragile 1'), {
      enabled: true,
      running: false,
      problem: /refused in restart: Error: licence expired/,
    });
    await t.rejects(sw.extensions.change('Fragile 1', { enabled: true }), {
      code: 'EXTENSION_FAILED',
    });
    t.equal(sw.info.isActive, false, 'still down');
    broken = false;
    t.match(await sw.extensions.change('Fragile 1', { enabled: true }), { running: true });
    t.match(sw.extensions.get('Optional'), { running: true });
    t.match(await sw.extensions.change('Fragile 1', { required: false, enabled: false }), {
      required: false,
      running: false,
    });
    t.equal(sw.info.isActive, true, 'no longer required');
    await fabric.close();
  },
);

t.test(
  'a switch whose stack is down is deleted like any other, with its ports (A50)',
  async (t) => {
    const { fabric, sw, port } = await openWorld([fragile(1, () => false)]);
    await port.nics.connect();
    await sw.extensions.change('Fragile 1', { required: true });
    await sw.extensions.change('Fragile 1', { enabled: false });
    await port.nics.disconnect(0);
    await sw.delete();
    t.throws(() => fabric.switches.get('S'), { code: 'NOT_FOUND' });
    await fabric.close();
  },
);

t.test(
  'required extensions are stored; without one the stored ports come back and nobody runs until it does (A50, J12)',
  async (t) => {
    const path = join(folder, 'store');
    const first = await openWorld([fragile(1, () => false)], { store: path });
    await first.port.nics.connect();
    await first.port.properties.add('Fabrikam_PortCustomSettingData', {});
    await first.sw.extensions.change('Fragile 1', { required: true });
    await first.fabric.close();

    let broken = true;
    const seen: unknown[] = [];
    const must = extensionWith(
      (sw: SwitchContext) => ({
        restart: () => {
          if (broken) throw new Error('no licence');
        },
        activate: () => {
          seen.push(sw.ports().length, sw.nics().length);
          seen.push(sw.portProperties(1, 'Fabrikam_PortCustomSettingData').length);
        },
      }),
      { id: id(1), name: 'Fragile 1' },
    );
    const fabric = await Fabric.open({ store: path, clock: 'manual', extensions: [must] });
    const sw = fabric.switches.get('S');
    t.match(sw.extensions.get('Fragile 1'), {
      required: true,
      enabled: true,
      running: false,
      problem: /no licence/,
    });
    t.equal(sw.info.isActive, false);
    t.match(sw.ports.get('P').info, { state: 'created', nics: [{ state: 'connected' }] });
    await t.rejects(sw.ports.create({ name: 'Q' }), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'A50' },
    });
    broken = false;
    await sw.extensions.change('Fragile 1', { enabled: true });
    t.same(seen, [1, 1, 1], 'it asks what there is');
    await sw.ports.create({ name: 'Q' });
    await fabric.close();
  },
);

t.test(
  'who missed an OID is shown as desynchronized; who failed in a restart of its own with its problem (OP-28, A50)',
  async (t) => {
    let restart = (): void => undefined;
    let restarts = 0;
    const rude = extensionWith(() => ({ connectNic: () => NdisStatus.SUCCESS }), {
      id: id(1),
      name: 'Rude',
    });
    const below = extensionWith(
      (sw) => {
        restart = () => sw.restartStack();
        return {
          restart: () => {
            restarts += 1;
            if (restarts > 1) throw new Error('cannot');
          },
        };
      },
      { id: id(2), name: 'Below', type: 'forward' },
    );
    const { fabric, sw, port } = await openWorld([rude, below]);
    t.match(sw.extensions.list(), [{ desynchronized: false }, { desynchronized: false }]);
    await port.nics.connect();
    t.equal(sw.extensions.get('Below').desynchronized, true);
    t.equal(sw.extensions.get('Rude').desynchronized, false);
    restart();
    await turn();
    t.match(sw.extensions.get('Below'), {
      enabled: true,
      running: false,
      desynchronized: false,
      problem: 'Below refused in restart: Error: cannot',
    });
    await fabric.close();
  },
);

t.test('an extension that is not installed at a restart is named in the log (A50)', async (t) => {
  const store = join(folder, 'gone');
  const { fabric: first, sw } = await openWorld(
    [fragile(1, () => false), fragile(2, () => false)],
    { store },
  );
  await sw.extensions.change('Fragile 1', { required: true });
  await first.close();
  const logged: unknown[] = [];
  const fabric = await Fabric.open({
    store,
    clock: 'manual',
    log: (level, message, fields) => logged.push([level, message, fields]),
  });
  t.equal(fabric.switches.get('S').info.isActive, false);
  const about = (n: number, how: string) => [
    'warn',
    new RegExp(`^extension ${id(n)}, ${how}$`),
    { switch: 'S', extensionId: id(n) },
  ];
  t.match(logged.sort(), [
    about(1, 'required on switch S, is not installed: .* down until it is \\(rule A50\\)'),
    about(2, 'enabled on switch S, is not installed: the switch runs without it'),
  ]);
  t.equal(logged.length, 2);
  await fabric.close();
});
