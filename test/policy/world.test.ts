import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { OidRequest } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith, FABRIKAM } from '../support/fabrikam.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import {
  hex,
  holder,
  lastEntry,
  openWorld,
  PORT_SETTING,
  PORT_STATUS,
  turn,
} from './open-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'extswitch-world-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

t.test(
  'two worlds of one seed have the same ids and the same trace; neither sees the other',
  async (t) => {
    const run = async (options: FabricOptions = {}): Promise<{ fabric: Fabric; text: string }> => {
      const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))], options);
      await port.nics.connect();
      await port.properties.add(PORT_SETTING, {});
      const text = JSON.stringify([
        sw.info,
        port.info,
        sw.trace.entries().map((entry) => ({ ...entry, input: hex(entry.input) })),
      ]);
      return { fabric, text };
    };
    const [a, b, c] = [await run(), await run(), await run({ seed: 'another' })];
    t.equal(a?.text, b?.text);
    t.not(a?.text, c?.text);
    await a?.fabric.switches.create({ name: 'Only in a' });
    await a?.fabric.reset();
    t.equal([...(b?.fabric.switches.list() ?? [])].length, 1);
    for (const world of [a, b, c]) await world?.fabric.close();
    const [x, y] = [await Fabric.open(), await Fabric.open()];
    t.match(x?.seed, /^[0-9a-f]{16}$/);
    t.not(x?.seed, y?.seed);
    t.equal(x?.profile, 'ws2022');
    for (const world of [x, y]) await world?.close();
  },
);

t.test('trace entries and events share one count; both resume after any number', async (t) => {
  const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
  const seen: number[] = [];
  const stop = fabric.events.subscribe((seq) => seen.push(seq));
  const from = fabric.events.lastSeq;
  await port.properties.add(PORT_SETTING, {});
  await sw.ports.create({ name: 'Q' });
  await port.nics.connect();
  stop();
  await port.nics.disconnect(0);
  t.same(
    seen,
    [1, 2, 3, 4, 5, 6].map((n) => from + n),
  );
  const entries = sw.trace.entries({ afterSeq: from, untilSeq: from + 6 });
  const events = fabric.events.after(from).filter(({ seq }) => seq <= from + 6);
  t.same(
    [...entries, ...events].map(({ seq }) => seq).sort((a, b) => a - b),
    seen,
  );
  t.same(
    events.map(({ type, switch: name, data }) => [type, name, data['event']]),
    [
      ['state', 'S', 'portCreated'],
      ['state', 'S', 'nicConnected'],
    ],
  );
  t.same(
    sw.trace.entries({ limit: 1 }).map(({ oid }) => oid),
    ['OID_SWITCH_NIC_DELETE'],
  );
  t.same(fabric.events.after(fabric.events.lastSeq), []);
  const other = await fabric.switches.create({ name: 'T' });
  await other.ports.create();
  t.equal(other.trace.entries().length, 1, 'each switch shows its own');
  t.equal(other.trace.entries()[0]?.request, 1);
  t.equal(fabric.trace.entries().length, sw.trace.entries().length + 1);
  await fabric.close();
});

t.test('the history of events is bounded: at least the last 1,000 are there', async (t) => {
  const { fabric, sw } = await openWorld();
  for (let n = 0; n < 2500; n += 1) await sw.ports.create();
  const kept = fabric.events.after(0);
  t.ok(kept.length >= 1000 && kept.length <= 2000, `${kept.length} kept`);
  t.equal(kept.at(-1)?.seq, fabric.events.lastSeq);
  t.equal(fabric.events.after(fabric.events.lastSeq - 2).length, 1, 'one event and one OID a port');
  await fabric.close();
});

t.test(
  'decode: structures by their NDIS names, custom data by the registered class, hostile bytes as an error',
  async (t) => {
    const { fabric, sw, port } = await openWorld();
    await port.properties.add(PORT_SETTING, { SettingIntA: 3, SettingIntB: 2n ** 63n });
    const entry = lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_ADD');
    t.match(fabric.trace.decode(entry), {
      structure: 'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS',
      Header: { Type: 0x80, Revision: 1, Size: 64 },
      PortId: 1,
      PropertyType: 'NdisSwitchPortPropertyTypeCustom',
      PropertyVersion: 256,
      SerializationVersion: 1,
      PropertyBufferLength: 32,
      PropertyBufferOffset: 64,
      Property: { CustomData: { SettingIntA: 3, SettingIntB: '9223372036854775808' } },
    });
    await fabric.features.delete('Fabrikam_SwitchCustomSettingData');
    t.match(fabric.trace.decode({ ...entry, input: entry.input.subarray(0, 40) }), {
      error: {
        structure: 'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS',
        offset: 0,
        expected: 'at least 64 bytes',
        found: '40 bytes',
      },
    });
    t.same(fabric.trace.decode({ ...entry, oid: 'OID_GEN_NOTHING' }), {});
    await port.properties.delete([...port.properties.list()][0]?.id ?? '');
    await fabric.features.delete(PORT_SETTING);
    t.match(
      fabric.trace.decode(entry),
      { Property: { CustomData: '03000000000000000000000000000080' } },
      'the class is gone',
    );
    await fabric.close();
  },
);

t.test('pending: who holds what, how long, and how many wait behind it', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_CREATE');
  const fabric = await Fabric.open({ clock: 'manual', extensions: [extension] });
  const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
  t.same(fabric.pending(), []);
  const waiting = [sw.ports.create(), sw.ports.create(), sw.ports.create()];
  await turn();
  fabric.clock.advance(250);
  t.same(fabric.pending(), [
    {
      request: 1,
      switch: 'S',
      oid: 'OID_SWITCH_PORT_CREATE',
      heldBy: FABRIKAM,
      pendingForMs: 250,
      queued: 2,
      requestType: 'set',
      origin: 'protocolEdge',
      route: [FABRIKAM],
      endsInMs: 11_750,
    },
  ]);
  t.match(fabric.counters(), { switches: 1, ports: 0, oids_in_flight: 1, oids_completed_total: 0 });
  while (held.length > 0) {
    held.shift()?.forward();
    await turn();
  }
  await Promise.all(waiting);
  t.same(fabric.counters(), {
    switches: 1,
    vms: 0,
    vms_off: 0,
    vms_running: 0,
    vms_paused: 0,
    vms_saved: 0,
    ports: 3,
    properties: 0,
    oids_in_flight: 0,
    oids_completed_total: 3,
    faults_injected_total: 0,
    vetoes_total: 0,
    findings_total: 0,
  });
  await fabric.close();
});

t.test(
  'an OID that an extension sends and a module below pends is shown with its holder',
  async (t) => {
    const held: OidRequest[] = [];
    const lower = extensionWith(
      () => ({
        oidRequest: (request) => {
          if (request.oidName !== 'OID_SWITCH_PARAMETERS') return 'forward';
          held.push(request);
          return request.pend();
        },
      }),
      { id: '00000000-0000-4000-8000-000000000002', name: 'Lower', type: 'forward' },
    );
    const upper = extensionWith((sw) => ({
      addPortProperty: () => {
        void sw.request('query', 0x00010275, new Uint8Array(0), 2000);
        return 'forward';
      },
    }));
    const { fabric, port } = await openWorld([upper, lower]);
    const adding = port.properties.add(PORT_SETTING, {});
    await turn();
    t.equal(held.length, 1);
    t.same(
      fabric
        .pending()
        .map(({ oid, heldBy, queued }) => `${oid} ${heldBy} ${queued}`)
        .sort(),
      [`OID_SWITCH_PARAMETERS ${lower.id} 1`, `OID_SWITCH_PORT_PROPERTY_ADD ${lower.id} 0`],
      'D1: the module has one request, the other waits behind it',
    );
    held[0]?.forward();
    await adding;
    t.same(fabric.pending(), []);
    await fabric.close();
  },
);

t.test('wall clock: a pended OID is ended after oidTimeoutMs of real time', async (t) => {
  const { extension } = holder('OID_SWITCH_PORT_PROPERTY_ADD');
  const before = Date.now();
  const { fabric, port } = await openWorld([extension], { clock: 'wall', oidTimeoutMs: 60 });
  t.ok(
    fabric.clock.now() >= before && fabric.clock.now() <= Date.now(),
    'virtual time is the time of the day',
  );
  const start = performance.now();
  // The driver's timer keeps no program alive, so the test does.
  const alive = setTimeout(() => undefined, 10_000);
  await t.rejects(port.properties.add(PORT_SETTING, {}), {
    code: 'VETOED',
    place: { ndisStatus: 'NDIS_STATUS_REQUEST_ABORTED', extensionId: FABRIKAM },
  });
  clearTimeout(alive);
  const passed = performance.now() - start;
  t.ok(passed >= 59 && passed < 5000, `${passed} ms`);
  await fabric.close();
});

t.test('wall clock: a time limit of months neither fires early nor spins', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_PROPERTY_ADD');
  const { fabric, port } = await openWorld([extension], { clock: 'wall', oidTimeoutMs: 2 ** 33 });
  const adding = port.properties.add(PORT_SETTING, {});
  await turn();
  const { setTimeout: original } = globalThis;
  let timers = 0;
  globalThis.setTimeout = ((...given: Parameters<typeof original>) => {
    timers += 1;
    return original(...given);
  }) as typeof original;
  await new Promise((resolve) => original(resolve, 60));
  globalThis.setTimeout = original;
  t.equal(timers, 0, 'no timer was set again');
  held.shift()?.forward();
  t.equal((await adding).revision, 1);
  await fabric.close();
});

/** Runs a program over an open world whose extension pends PORT_PROPERTY_ADD; gives its output and how it ended. */
function runProgram(attach: string, rest: string): { stdout: string; status: number | null } {
  const program = `
    import { Fabric } from './src/policy/fabric.ts';
    import { PORT_SETTING } from './test/policy/open-world.ts';
    import { extensionWith, FABRIKAM_MOF } from './test/support/fabrikam.ts';
    const extension = extensionWith((sw) => (${attach}));
    const fabric = await Fabric.open({ extensions: [extension], oidTimeoutMs: 1000 });
    await fabric.features.register(FABRIKAM_MOF);
    const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
    const port = await sw.ports.create();
    ${rest}
  `;
  return spawnSync(process.execPath, [...FROM_SOURCES, '--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
  });
}

t.test('a program that waits for a pended OID stays alive until it completes', async (t) => {
  const { stdout, status } = runProgram(
    `{ addPortProperty: ({ request }) => (sw.after(300, () => request.forward()), request.pend()) }`,
    `console.log((await port.properties.add(PORT_SETTING, {})).revision);`,
  );
  t.equal(stdout, '1\n');
  t.equal(status, 0, 'and ends when nothing is in flight, the world still open');
});

t.test('a program ends when the switch has ended what an extension keeps for ever', async (t) => {
  const { stdout, status } = runProgram(
    `{ addPortProperty: ({ request }) => (sw.after(1e9, () => undefined), request.pend()) }`,
    `port.properties.add(PORT_SETTING, {}).catch(({ code }) => console.log(code));`,
  );
  t.equal(
    stdout,
    'VETOED\n',
    'NdisTimedOidComplete; a timer of the extension keeps nobody waiting',
  );
  t.equal(status, 0);
});

t.test('close: twice is once; afterwards nothing is stored', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_PROPERTY_ADD');
  const { fabric, sw, port } = await openWorld([extension], { store: join(folder, 'closed') });
  const pended = t.rejects(port.properties.add(PORT_SETTING, {}), { code: 'VETOED' });
  await turn();
  t.equal(held.length, 1);
  const first = fabric.close();
  await Promise.all([first, fabric.close(), pended]);
  await fabric.close();
  await t.rejects(fabric.switches.create({ name: 'T' }), { code: 'STORE_UNAVAILABLE' });
  await t.rejects(sw.ports.create(), { code: 'NOT_FOUND' });
  await t.rejects(fabric.features.delete(PORT_STATUS), { code: 'STORE_UNAVAILABLE' });
  const again = await Fabric.open({ store: join(folder, 'closed'), clock: 'manual' });
  t.same(
    [...again.switches.list()].map(({ name }) => name),
    ['S'],
  );
  t.equal(again.features.get(PORT_STATUS).kind, 'status');
  await again.close();
});

t.test('open refuses what it cannot work with, and closes the store it was given', async (t) => {
  let closed = 0;
  class Counting extends MemoryStore {
    override async close(): Promise<void> {
      closed += 1;
      await super.close();
    }
  }
  const twice = extensionWith(() => ({}));
  const wrong: readonly [object, object][] = [
    [
      { profile: 'ws2008' },
      { code: 'INVALID_ARGUMENT', place: { member: 'profile', found: 'ws2008' } },
    ],
    [{ oidTimeoutMs: 0 }, { code: 'INVALID_ARGUMENT', place: { member: 'oidTimeoutMs' } }],
    [{ oidTimeoutMs: Number.NaN }, { code: 'INVALID_ARGUMENT', place: { member: 'oidTimeoutMs' } }],
    [{ traceLimit: -1 }, { code: 'INVALID_ARGUMENT', place: { member: 'traceLimit' } }],
    [{ traceLimit: 1.5 }, { code: 'INVALID_ARGUMENT', place: { member: 'traceLimit' } }],
    ...(
      [
        [{ scheduling: 'random' }, 'scheduling'],
        [{ behaviour: { activation: 'never' } }, 'activation'],
        [{ behaviour: { validationPorts: 'long' } }, 'validationPorts'],
        [{ behaviour: { internalNics: -1 } }, 'internalNics'],
        [{ behaviour: { transientRetries: Number.NaN } }, 'transientRetries'],
      ] as const
    ).map(([given, member]): [object, object] => [
      given,
      { code: 'INVALID_ARGUMENT', place: { member } },
    ]),
    [{ extensions: [twice, twice] }, { code: 'ALREADY_EXISTS' }],
    [{ extensions: [{ id: 'x' }] }, { code: 'EXTENSION_INVALID', place: { member: 'id' } }],
  ];
  for (const [options, error] of wrong) {
    await t.rejects(
      Fabric.open({ ...options, store: new Counting() } as FabricOptions),
      error as Error,
      JSON.stringify(options),
    );
  }
  t.equal(closed, wrong.length);
});

t.test('open with a broken store names what is wrong with it', async (t) => {
  const file = join(folder, 'a-file');
  writeFileSync(file, 'no folder');
  await t.rejects(Fabric.open({ store: file }), { code: 'STORE_UNAVAILABLE' });
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'data.mdb'), 'this is no database');
  await t.rejects(Fabric.open({ store: foreign }), {
    code: /^STORE_(CORRUPT|UNAVAILABLE|VERSION)$/,
  });
  await t.rejects(Fabric.open({ store: 'nats://user:secret@host' }), {
    code: 'INVALID_ARGUMENT',
    message: /^(?!.*secret).*give it a name/,
    place: { member: 'name' },
  });
  await t.rejects(Fabric.open({ store: 'nats://user:secret@host/la.b', name: 'a' }), {
    code: 'INVALID_ARGUMENT',
    message: /^(?!.*secret)/,
  });
  for (const name of ['', 'a.b', 'a b', '*', 'x'.repeat(64)]) {
    await t.rejects(Fabric.open({ store: 'nats://user:secret@host', name }), {
      code: 'INVALID_ARGUMENT',
      message: /^(?!.*secret).*host name/,
    });
  }
  await t.rejects(Fabric.open({ store: 'redis://user:secret@host' }), {
    code: 'USAGE',
    message: /^(?!.*secret)/,
  });
});

t.test('a world of a given seed that is opened again makes no id a second time', async (t) => {
  class KeptStore extends MemoryStore {
    override async close(): Promise<void> {
      return undefined;
    }
  }
  const run = async (): Promise<string[]> => {
    const store = new KeptStore();
    const ids: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const fabric = await Fabric.open({ store, clock: 'manual', seed: 'again' });
      // The second and third rounds make nothing but a NIC.
      if (round === 0) await fabric.switches.create({ name: 'S', type: 'external' });
      const { ports } = fabric.switches.get('S');
      if (round === 0) await ports.create({ name: 'P', type: 'external' });
      const { name, mac } = await ports.get('P').nics.connect({ index: round });
      ids.push(name, mac);
      if (round === 0 || round === 3) ids.push((await ports.create()).info.id);
      await fabric.close();
    }
    return ids;
  };
  const first = await run();
  t.equal(new Set(first).size, 10);
  t.same(await run(), first, 'and the same ones every time');
});

t.test('a misspelt option is refused with the nearest one, and nothing is opened', async (t) => {
  const wrong = (options: object) => Fabric.open(options);
  await t.rejects(wrong({ seeed: 'x' }), {
    code: 'UNKNOWN_FIELD',
    message: 'Fabric.open has no option "seeed"; did you mean seed?',
    place: { member: 'seeed', expected: 'seed' },
  });
  await t.rejects(wrong({ zzzzzzzz: 1 }), { message: /it takes store, / });
  const fabric = await Fabric.open();
  t.teardown(() => fabric.close());
  const sw: object = { name: 's', extension: [] };
  await t.rejects(fabric.switches.create(sw as { name: string }), {
    message: 'switches.create has no option "extension"; did you mean extensions?',
  });
  const vm: object = { name: 'v', adapter: [] };
  await t.rejects(fabric.vms.create(vm as { name: string }), {
    message: 'vms.create has no option "adapter"; did you mean adapters?',
  });
  const adapter: object = { swich: 's' };
  await t.rejects(fabric.vms.create({ name: 'v', adapters: [adapter] }), {
    message: 'an adapter has no option "swich"; did you mean switch?',
  });
  t.same([[...fabric.switches.list()], [...fabric.vms.list()]], [[], []]);
});
