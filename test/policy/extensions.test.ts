import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import type { ExtensionDefinition, ExtensionHandlers } from '../../src/sdk/extension.ts';
import { extensionWith, FABRIKAM } from '../support/fabrikam.ts';
import { mofClass, openWorld, turn } from './open-world.ts';

const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

/** An extension that writes down what happens to it. */
function watched(
  n: number,
  type: ExtensionDefinition['type'],
  said: string[],
  handlers: ExtensionHandlers = {},
): ExtensionDefinition {
  const name = `${type} ${n}`;
  return extensionWith(
    () => {
      said.push(`attach ${name}`);
      return {
        restart: () => {
          said.push(`restart ${name}`);
        },
        pause: () => {
          said.push(`pause ${name}`);
        },
        detach: () => {
          said.push(`detach ${name}`);
        },
        ...handlers,
      };
    },
    { id: id(n), name, type },
  );
}

const folder = mkdtempSync(join(tmpdir(), 'extswitch-policy-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

function withMof(mof: string, options: { id?: string; name?: string } = {}): ExtensionDefinition {
  const path = join(folder, `${Math.abs(Buffer.from(mof).readInt32LE(mof.length >> 1))}.mof`);
  writeFileSync(path, mof);
  return defineExtension({
    id: options.id ?? FABRIKAM,
    name: options.name ?? 'With MOF',
    vendor: 'Fabrikam',
    version: '1.2',
    type: 'filter',
    mof: [path],
    attach: () => ({}),
  });
}

t.test(
  'A36: installed means bound to every switch, disabled; a plain object is as good as a definition',
  async (t) => {
    const fabric = await Fabric.open({ clock: 'manual' });
    const sw = await fabric.switches.create({ name: 'S' });
    const plain = {
      id: id(1).toUpperCase(),
      name: 'Plain',
      vendor: 'V',
      version: '1.0',
      type: 'filter' as const,
      attach: () => ({}),
    };
    const info = { id: id(1), name: 'Plain', vendor: 'V', version: '1.0', type: 'filter' };
    t.same(await fabric.extensions.install(plain), info);
    t.same(fabric.extensions.list(), [info]);
    t.same(fabric.extensions.get('Plain'), info);
    t.same(fabric.extensions.get(`{${id(1)}}`), info);
    t.same(sw.extensions.list(), [
      {
        ...info,
        enabled: false,
        running: false,
        order: 0,
        required: false,
        desynchronized: false,
      },
    ]);
    const later = await fabric.switches.create({ name: 'T' });
    t.equal(later.extensions.get('Plain').enabled, false);
    t.throws(() => fabric.extensions.get('Other'), { code: 'NOT_FOUND' });
    t.throws(() => sw.extensions.get(id(7)), { code: 'NOT_FOUND' });
    await t.rejects(sw.extensions.change('Other', { enabled: true }), { code: 'NOT_FOUND' });
    await t.rejects(fabric.switches.create({ name: 'U', extensions: ['Other'] }), {
      code: 'NOT_FOUND',
    });
    await fabric.close();
  },
);

t.test('the same definition again is no change, another one with its id is refused', async (t) => {
  const { fabric } = await openWorld();
  const mine = extensionWith(() => ({}));
  await fabric.extensions.install(mine);
  await fabric.extensions.install(mine);
  t.equal(fabric.extensions.list().length, 1);
  const other = extensionWith(() => ({}), { name: 'Other' });
  const refused = { code: 'ALREADY_EXISTS', place: { extensionId: FABRIKAM } };
  await t.rejects(fabric.extensions.install(other), refused);
  await t.rejects(fabric.switches.create({ name: 'T', extensions: [other] }), refused);
  t.equal(fabric.extensions.get(FABRIKAM).name, 'Fabrikam Filter');
  t.throws(() => fabric.switches.get('T'), { code: 'NOT_FOUND' });
  await t.rejects(Fabric.open({ extensions: [mine, mine] }), {
    code: 'ALREADY_EXISTS',
    message: /given twice/,
  });
  await t.rejects(Fabric.open({ extensions: [mine, other] }), refused);
  await fabric.close();
});

t.test('two extensions of one name are told apart by their ids only', async (t) => {
  const fabric = await Fabric.open({
    clock: 'manual',
    extensions: [1, 2].map((n) => extensionWith(() => ({}), { id: id(n), name: 'Twin' })),
  });
  const sw = await fabric.switches.create({ name: 'S' });
  t.throws(() => fabric.extensions.get('Twin'), { code: 'AMBIGUOUS_NAME', httpStatus: 409 });
  await t.rejects(sw.extensions.change('Twin', { enabled: true }), { code: 'AMBIGUOUS_NAME' });
  t.equal((await sw.extensions.change(id(2), { enabled: true })).running, true);
  await fabric.close();
});

t.test(
  'A42-A44, A46, A47: newest on top of its class; enable, reorder and disable restart the stack',
  async (t) => {
    const said: string[] = [];
    const fabric = await Fabric.open({
      clock: 'manual',
      extensions: [
        watched(1, 'filter', said),
        watched(2, 'filter', said),
        watched(3, 'capture', said),
        watched(4, 'forward', said),
      ],
    });
    const sw = await fabric.switches.create({ name: 'S' });
    await fabric.extensions.install(watched(5, 'filter', said));
    const names = (): string[] =>
      sw.extensions.list().map(({ name, order }) => `${name} @${order}`);
    t.same(names(), ['capture 3 @0', 'filter 5 @0', 'filter 2 @1', 'filter 1 @2', 'forward 4 @0']);
    t.same(said, [], 'nothing runs before it is enabled');
    t.match(await sw.extensions.change('filter 1', { enabled: true }), {
      enabled: true,
      running: true,
      order: 2,
    });
    t.same(said.splice(0), ['attach filter 1', 'restart filter 1']);
    await sw.extensions.change('filter 2', { enabled: true });
    t.same(
      said.splice(0),
      ['pause filter 1', 'attach filter 2', 'restart filter 1', 'restart filter 2'],
      'A47: restart bottom-up',
    );
    t.match(await sw.extensions.change('filter 1', { order: 0 }), { order: 0, running: true });
    t.same(names(), ['capture 3 @0', 'filter 1 @0', 'filter 5 @1', 'filter 2 @2', 'forward 4 @0']);
    t.same(said.splice(0), [
      'pause filter 2',
      'pause filter 1',
      'restart filter 2',
      'restart filter 1',
    ]);
    await sw.ports.create({ name: 'P' });
    t.same(
      sw.trace.entries({ oid: 'OID_SWITCH_PORT_CREATE' })[0]?.route.map(({ module }) => module),
      [id(1), id(2), 'miniportEdge'],
    );
    for (const order of [-1, 3, 0.5]) {
      await t.rejects(sw.extensions.change('filter 1', { order }), {
        code: 'INVALID_ARGUMENT',
        place: { rule: 'A43', member: 'order', expected: '0 to 2' },
      });
    }
    t.match(await sw.extensions.change('filter 1', { enabled: false, order: 1 }), {
      enabled: false,
      running: false,
      order: 1,
    });
    t.same(said.splice(0), [
      'pause filter 1',
      'pause filter 2',
      'detach filter 1',
      'restart filter 2',
    ]);
    t.same(
      fabric.events
        .after(0)
        .filter(({ data }) => data['event'] === 'stackChanged')
        .at(-1)?.data['stack'],
      [id(2)],
    );
    await fabric.close();
    t.same(said, ['pause filter 2', 'detach filter 2']);
  },
);

t.test(
  'A37, A39, A45: each switch has extensions, flags and an order of its own, and says so',
  async (t) => {
    const extensions = [
      watched(1, 'filter', []),
      watched(2, 'filter', []),
      watched(3, 'capture', []),
    ];
    const fabric = await Fabric.open({ clock: 'manual', extensions });
    const one = await fabric.switches.create({ name: 'one' });
    const two = await fabric.switches.create({ name: 'two' });
    await one.extensions.change('filter 1', { enabled: true, order: 0 });
    await two.extensions.change('capture 3', { enabled: true });
    const shown = [one, two].map((sw) =>
      sw.extensions
        .list()
        .map(({ name, type, enabled }) => `${sw.info.name}: ${name} (${type}) ${enabled}`),
    );
    t.same(shown, [
      [
        'one: capture 3 (capture) false',
        'one: filter 1 (filter) true',
        'one: filter 2 (filter) false',
      ],
      [
        'two: capture 3 (capture) true',
        'two: filter 2 (filter) false',
        'two: filter 1 (filter) false',
      ],
    ]);
    await one.extensions.change('filter 1', { enabled: false });
    t.equal(one.extensions.get('filter 1').running, false);
    t.equal(two.extensions.get('capture 3').running, true, 'the other switch is not touched');
    await fabric.close();
  },
);

t.test('A41: a second forwarding extension is refused and nothing changes', async (t) => {
  const said: string[] = [];
  const extensions = [watched(1, 'forward', said), watched(2, 'forward', said)];
  const { fabric } = await openWorld([], { extensions });
  const sw = await fabric.switches.create({ name: 'F', extensions: ['forward 1'] });
  said.length = 0;
  const before = sw.extensions.list();
  const refused = { code: 'SECOND_FORWARDING_EXTENSION', httpStatus: 409 };
  await t.rejects(sw.extensions.change('forward 2', { enabled: true }), refused);
  await t.rejects(fabric.switches.create({ name: 'G', extensions }), refused);
  t.same(sw.extensions.list(), before);
  t.same(said, []);
  t.throws(() => fabric.switches.get('G'), { code: 'NOT_FOUND' });
  await sw.extensions.change('forward 1', { enabled: false });
  t.equal((await sw.extensions.change('forward 2', { enabled: true })).running, true);
  const place = { extensionId: sw.extensions.get('forward 1').id };
  await t.rejects(
    sw.extensions.change('forward 1', { enabled: true }),
    { ...refused, place },
    'names the one that was asked for, wherever it stands',
  );
  await fabric.close();
});

for (const [what, handlers] of [
  ['attach', undefined],
  ['restart', { restart: () => Promise.reject(new Error('cannot live here')) }],
] as const) {
  t.test(`OP-31: a failing ${what} is EXTENSION_FAILED and nothing changed`, async (t) => {
    const said: string[] = [];
    const bad = extensionWith(
      () => {
        if (handlers === undefined) throw new Error('cannot live here');
        return handlers;
      },
      { id: id(2), name: 'Bad' },
    );
    const { fabric, sw } = await openWorld([watched(1, 'filter', said)]);
    const failed = { code: 'EXTENSION_FAILED', httpStatus: 409, message: /cannot live here/ };
    await t.rejects(fabric.switches.create({ name: 'T', extensions: [bad] }), failed);
    t.same(
      fabric.extensions.list().map(({ name }) => name),
      ['filter 1'],
      'not even installed',
    );
    t.throws(() => fabric.switches.get('T'), { code: 'NOT_FOUND' });
    await fabric.extensions.install(bad);
    await t.rejects(sw.extensions.change('Bad', { enabled: true }), failed);
    t.match(sw.extensions.get('Bad'), { enabled: false, running: false });
    t.match(sw.extensions.get('filter 1'), { enabled: true, running: true });
    t.equal((await sw.ports.create({ name: 'Q' })).info.portId, 2, 'the switch lives on');
    await fabric.switches.create({ name: 'T' });
    await fabric.close();
  });
}

t.test('a failing change does not take back the one behind it', async (t) => {
  const said: string[] = [];
  let fail = (): void => undefined;
  const slow = extensionWith(
    () => ({
      restart: () =>
        new Promise((_resolve, reject) => {
          fail = () => reject(new Error('no'));
        }),
    }),
    { id: id(2), name: 'Slow' },
  );
  const { fabric, sw } = await openWorld([watched(1, 'filter', said)]);
  await fabric.extensions.install(slow);
  const first = t.rejects(sw.extensions.change('Slow', { enabled: true }), {
    code: 'EXTENSION_FAILED',
  });
  const second = sw.extensions.change('filter 1', { enabled: false });
  await turn();
  fail();
  await first;
  await second;
  t.match(sw.extensions.get('Slow'), { enabled: false, running: false });
  t.match(sw.extensions.get('filter 1'), { enabled: false, running: false });
  await fabric.close();
});

t.test(
  "its MOF is registered with it, unless it is broken, in use or another extension's (A32)",
  async (t) => {
    const { fabric, port } = await openWorld();
    const foreign = withMof(mofClass({ name: 'Fabrikam_Foreign', extensionId: id(9) }));
    await t.rejects(fabric.extensions.install(foreign), {
      code: 'EXTENSION_INVALID',
      place: { rule: 'A32', extensionId: FABRIKAM, line: 5 },
    });
    await t.rejects(fabric.extensions.install(withMof(`${mofClass({})} oops`)), {
      code: 'MOF_INVALID',
    });
    t.same(fabric.extensions.list(), []);
    t.throws(() => fabric.features.get('Fabrikam_Test'), { code: 'NOT_FOUND' });

    await fabric.features.register(mofClass({}));
    const property = await port.properties.add('Fabrikam_Test', {});
    const newer = withMof(mofClass({ version: '2' }));
    await t.rejects(fabric.extensions.install(newer), { code: 'FEATURE_IN_USE' });
    await t.rejects(fabric.switches.create({ name: 'T', extensions: [newer] }), {
      code: 'FEATURE_IN_USE',
    });
    t.equal(fabric.features.get('Fabrikam_Test').version, 0x0100);
    await port.properties.delete(property.id);
    await fabric.extensions.install(newer);
    t.equal(fabric.features.get('Fabrikam_Test').version, 0x0200);
    await fabric.close();
  },
);

t.test('a switch that cannot be created leaves the classes as they were', async (t) => {
  const { fabric } = await openWorld();
  await fabric.features.register(mofClass({}));
  const good = withMof(
    mofClass({ version: '3' }) + mofClass({ name: 'Fabrikam_New', uuid: id(8) }),
  );
  const bad = extensionWith(
    () => {
      throw new Error('no');
    },
    { id: id(2), name: 'Bad' },
  );
  await t.rejects(fabric.switches.create({ name: 'T', extensions: [good, bad] }), {
    code: 'EXTENSION_FAILED',
  });
  t.equal(fabric.features.get('Fabrikam_Test').version, 0x0100);
  t.throws(() => fabric.features.get('Fabrikam_New'), { code: 'NOT_FOUND' });
  t.same(fabric.extensions.list(), []);
  await fabric.close();
});

t.test(
  'an extension that was replaced at restart by one that fails is shown with its problem',
  async (t) => {
    const path = join(folder, 'store');
    const first = await openWorld([extensionWith(() => ({}))], { store: path });
    await first.fabric.close();
    const broken = extensionWith(() => {
      throw new Error('licence expired');
    });
    const fabric = await Fabric.open({
      store: path,
      clock: 'manual',
      extensions: [broken, watched(1, 'filter', [])],
    });
    const sw = fabric.switches.get('S');
    t.match(sw.extensions.get(FABRIKAM), {
      enabled: true,
      running: false,
      problem: /licence expired/,
    });
    t.match(
      sw.extensions.get('filter 1'),
      { enabled: false, order: 0 },
      'A36: new here, so disabled, on top',
    );
    t.equal(sw.ports.get('P').info.portId, 1);
    t.match(
      await sw.extensions.change('filter 1', { enabled: true }),
      { running: true },
      'others may change meanwhile',
    );
    t.match(sw.extensions.get(FABRIKAM), { enabled: true, running: false });
    await fabric.close();
  },
);

t.test(
  'an extension given at opening with a newer MOF upgrades a class that has stored instances',
  async (t) => {
    const path = join(folder, 'upgrade');
    const first = await openWorld([withMof(mofClass({}))], { store: path });
    const { id } = await first.port.properties.add('Fabrikam_Test', { A: 7 });
    await first.fabric.close();
    const newer = withMof(
      mofClass({ version: '1.2' }, '[WmiDataId(1)] uint32 A = 5; [WmiDataId(2)] uint16 B = 6;'),
    );
    const fabric = await Fabric.open({ store: path, clock: 'manual', extensions: [newer] });
    t.match(fabric.switches.get('S').ports.get('P').properties.get(id), {
      version: 0x0102,
      settings: { A: 7, B: 6 },
      revision: 1,
    });
    const told = fabric.trace.entries({ oid: 'OID_SWITCH_PORT_PROPERTY_ADD' }).at(-1);
    t.equal(Buffer.from(told?.input.subarray(80) ?? []).toString('hex'), '0700000006000000');
    await fabric.close();
  },
);
