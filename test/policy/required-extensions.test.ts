import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { BehaviourOptions } from '../../src/policy/behaviour-api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { SwitchContext } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { openWorld, PORT_SETTING, SWITCH_SETTING, turn } from './open-world.ts';

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

/** A switch that is down, and everything on it that management can take away. */
async function downWorld(behaviour: BehaviourOptions = {}) {
  const must = fragile(1, () => false);
  const store = new MemoryStore();
  const options = { store, behaviour, extensions: [must] };
  const fabric = await Fabric.open({ clock: 'manual', seed: 'down', ...options });
  await fabric.features.register(FABRIKAM_MOF);
  const sw = await fabric.switches.create({ name: 'S', type: 'external', extensions: [must] });
  const port = await sw.ports.create({ name: 'P' });
  await fabric.switches.create({ name: 'T' });
  await sw.host.connectUplink({ adapters: [{ name: 'e0', virtualFunctions: 1 }] });
  await sw.host.addInternalNic({ name: 'I' });
  await port.nics.connect();
  const ofPort = await port.properties.add(PORT_SETTING, {});
  const ofSwitch = await sw.properties.add(SWITCH_SETTING, {});
  const vm = await fabric.vms.create({ name: 'V' });
  const adapter = await vm.addAdapter({ name: 'n0', switch: 'S' });
  const ofVm = await adapter.properties.add(PORT_SETTING, {});
  await vm.start();
  await adapter.assignVf();
  const goDown = async (): Promise<void> => {
    await sw.extensions.change('Fragile 1', { required: true });
    await sw.extensions.change('Fragile 1', { enabled: false });
    t.equal(sw.info.isActive, false);
  };
  return { fabric, store, sw, port, vm, adapter, ofPort, ofSwitch, ofVm, goDown };
}

type DownWorld = Awaited<ReturnType<typeof downWorld>>;

/** Everything there is, whatever its place in a list. */
function shown({ fabric }: DownWorld): unknown {
  const byName = <T extends { readonly name: string }>(all: Iterable<T>): T[] =>
    [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    vms: Array.from(fabric.vms.list(), (info) => ({
      info,
      policies: fabric.vms.get(info.id).adapters.map(({ properties }) => [...properties.list()]),
    })),
    switches: byName(fabric.switches.list()).map((info) => ({
      info,
      properties: [...fabric.switches.get(info.id).properties.list()],
      ports: byName(fabric.switches.get(info.id).ports.list()).map((each) => ({
        // The number of a validation port is its switch's, and not stored (OP-38).
        each: each.isValidationPort ? each.name : each,
        properties: [...fabric.switches.get(info.id).ports.get(each.id).properties.list()],
      })),
    })),
  };
}

const TAKE_AWAY: Readonly<Record<string, (on: DownWorld) => Promise<unknown>>> = {
  'a VM is turned off': ({ vm }) => vm.stop(),
  'an adapter is disconnected': ({ adapter }) => adapter.disconnect(),
  'an adapter goes to another switch': ({ adapter }) => adapter.connect('T'),
  'an adapter is removed': ({ vm }) => vm.removeAdapter('n0'),
  'a virtual function goes back': ({ adapter }) => adapter.removeVf(),
  'a policy of an adapter is removed': ({ adapter, ofVm }) => adapter.properties.delete(ofVm.id),
  'a policy of a port is removed': ({ port, ofPort }) => port.properties.delete(ofPort.id),
  'a policy of the switch is removed': ({ sw, ofSwitch }) => sw.properties.delete(ofSwitch.id),
  'a NIC is disconnected': ({ port }) => port.nics.disconnect(0),
  'a port is deleted': ({ port }) => port.delete(),
  'the uplink is disconnected': ({ sw }) => sw.host.disconnectUplink(),
};

for (const [what, act] of Object.entries(TAKE_AWAY)) {
  for (const behaviour of [
    { saveOnStop: true },
    { validationPorts: 'standing', saveOnStop: false },
  ] as const) {
    const how = JSON.stringify(behaviour);
    t.test(`${what} while the switch is down, ${how}: done, or undone (A50, S3)`, async (t) => {
      for (const isKept of [true, false]) {
        const world = await downWorld(behaviour);
        const { fabric, store, goDown } = world;
        await goDown();
        const before = shown(world);
        if (!isKept) fabric.faults.add({ at: 'store', effect: 'fail', nth: 1, times: 1 });
        const done = act(world);
        if (isKept) await done;
        else await t.rejects(done, { code: 'STORE_UNAVAILABLE' });
        const now = shown(world);
        if (isKept) t.strictNotSame(now, before);
        else t.strictSame(now, before, 'as it was');
        const kept = store.fork();
        await fabric.close();
        const again = await Fabric.open({
          store: kept,
          clock: 'manual',
          seed: 'down',
          behaviour,
          extensions: [fragile(1, () => false)],
        });
        t.strictSame(shown({ ...world, fabric: again }), now, 'what is shown is what is stored');
        await again.close();
      }
    });
  }
}

t.test('everything on a switch that is down can go, and then the switch (A50, S3)', async (t) => {
  const world = await downWorld({ saveOnStop: true });
  const { fabric, store, sw, vm, goDown } = world;
  await goDown();
  await vm.stop();
  const told = fabric.events
    .after(0)
    .flatMap(({ type, data }) => (type === 'finding' ? [data] : []));
  t.match(
    told.filter(({ rule }) => rule === 'A50'),
    [{ message: /"n0" of VM "V" is asked for no run-time data, .* is down; the VM is turned off/ }],
  );
  await vm.delete();
  await sw.delete();
  t.strictSame(
    Array.from(fabric.switches.list(), ({ name }) => name),
    ['T'],
  );
  const keys = Array.from(store.range(''), ([key]) => key).filter((key) =>
    /^(vm|port|property)/.test(key),
  );
  t.strictSame(keys, []);
  await fabric.close();
});
