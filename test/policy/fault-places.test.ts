import t, { type Test } from 'tap';
import { VirtualClock } from '../../src/core/clock.ts';
import type { FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { FaultableWrites } from '../../src/policy/fault-writes.ts';
import type { FaultAct, FaultRuleOptions } from '../../src/policy/faults-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import type { WorldFaults } from '../../src/policy/world-faults.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { natsServerMissing, startNatsServers } from '../../src/testing/nats-servers.ts';
import { extensionWith } from '../support/fabrikam.ts';
import '../support/uncovered-children.ts';
import { openHost, runningVm } from './migration-world.ts';
import { openWorld, PORT_SETTING, turn } from './open-world.ts';

t.setTimeout(180_000);

const CREATE = { at: 'oid', oid: 'OID_SWITCH_PORT_CREATE', extension: 'Fabrikam Filter' } as const;
const passing = extensionWith(() => ({}));

// --- messages --------------------------------------------------------------------------------------------------------

/** A VM moves from `a` to `b` while `a` meets `rule`; how it ended, and what was sent. */
async function move(rule: FaultRuleOptions | undefined) {
  const sent: string[] = [];
  class Heard extends LocalHosts {
    override peer(host: string) {
      const peer = super.peer(host);
      if (peer === undefined || host !== 'b') return peer;
      return new Proxy(peer, {
        get: (of, name) => {
          const value: unknown = Reflect.get(of, name);
          if (typeof value !== 'function') return value;
          return (...given: unknown[]): unknown => {
            sent.push(String(name));
            return Reflect.apply(value, of, given);
          };
        },
      });
    }
  }
  const hosts = new Heard();
  let died = 0;
  const crash = (): void => {
    died += 1;
  };
  const a = await openHost(hosts, 'a', { faults: { crash } });
  const b = await openHost(hosts, 'b');
  const vm = await runningVm(a);
  if (rule !== undefined) a.fabric.faults.add({ times: 1, ...rule });
  const { id } = await a.fabric.migrations.start({ vm: vm.info.id, destination: { host: 'b' } });
  const state = (): string => a.fabric.migrations.get(id).state;
  const begun = a.fabric.clock.now();
  for (let i = 0; i < 1_000 && state() === 'running'; i += 1) {
    for (const { fabric } of [a, b]) await fabric.time.warp(100);
  }
  const where = [a, b].map(({ fabric }) => [...fabric.vms.list()].length).join('/');
  const info = a.fabric.migrations.get(id);
  const took = a.fabric.clock.now() - begun;
  const hits = a.fabric.faults.list().at(-1)?.hits;
  await a.fabric.close();
  await b.fabric.close();
  const count = (message: string): number => sent.filter((one) => one === message).length;
  return { info, where, took, count, hits, died };
}

t.test('message: each effect by itself, on the one that hands a VM over', async (t) => {
  const take = (effect: FaultRuleOptions['effect']) =>
    move({ at: 'message', message: 'take', to: 'b', effect });
  const plain = await move(undefined);
  t.match([plain.info.state, plain.where, plain.count('take')], ['succeeded', '0/1', 1]);
  const lost = await take('lost');
  t.equal(lost.hits, 1, 'lost');
  t.equal(lost.count('take'), 0, 'it never came');
  t.match(
    [lost.info.state, lost.where],
    ['failed', '1/0'],
    'asked whose the VM is, b says: not mine',
  );
  const unanswered = await take('lostAnswer');
  t.ok(unanswered.count('take') > 0, 'it came');
  t.ok(unanswered.count('outcome') > 0, 'and is asked after');
  t.match([unanswered.info.state, unanswered.where], ['succeeded', '0/1'], 'one owner');
  const twice = await take('twice');
  t.equal(twice.count('take'), 2);
  t.match([twice.info.state, twice.where], ['succeeded', '0/1']);
  const late = await move({ at: 'message', message: 'take', effect: 'delay', delayMs: 5_000 });
  t.match([late.info.state, late.where, late.count('take')], ['succeeded', '0/1', 1]);
  t.ok(late.took >= 5_000 && plain.took < 5_000, 'virtual time');
  const crashed = await take('crash');
  t.match([crashed.died, crashed.hits], [1, 1]);
  const answered = await take('crashAnswered');
  t.equal(answered.died, 1);
  t.ok(answered.count('take') >= 1, 'the other host has got it before this one dies');
});

t.test('message: others, and those to another host, do not meet it', async (t) => {
  const { hits, info } = await move({ at: 'message', message: 'take', to: 'c', effect: 'lost' });
  t.match([hits, info.state], [0, 'succeeded']);
});

t.test('a world that is closed while a message is late does not wait for it', async (t) => {
  const hosts = new LocalHosts();
  const a = await openHost(hosts, 'a');
  const b = await openHost(hosts, 'b');
  const vm = await runningVm(a);
  a.fabric.faults.add({ at: 'message', message: 'prepare', effect: 'delay', delayMs: 1_000_000 });
  await a.fabric.migrations.start({ vm: vm.info.id, destination: { host: 'b' } });
  await a.fabric.time.warp(10);
  t.equal(a.fabric.faults.list()[0]?.hits, 1);
  await a.fabric.close();
  await b.fabric.close();
});

// --- writes ----------------------------------------------------------------------------------------------------------

t.test(
  'store: queued writes reject with the one that fails, none is applied (store contract)',
  async (t) => {
    const store = new MemoryStore();
    const clock = new VirtualClock();
    const rule = (effect: 'fail' | 'crash' | 'crashAnswered') => {
      let met = false;
      let died = 0;
      const faults = {
        write: () => {
          if (met) return undefined;
          met = true;
          return { id: 'r', options: { at: 'store', effect } };
        },
        crash: () => {
          died += 1;
        },
      } as unknown as WorldFaults;
      return { writes: new FaultableWrites(store, faults, clock), died: () => died };
    };
    const put = (key: string) => [{ op: 'put', key, value: 1 }] as const;
    const failing = rule('fail').writes;
    const both = [failing.write(put('a')), failing.write(put('b'))];
    for (const one of both)
      await t.rejects(one ?? Promise.resolve(), { code: 'STORE_UNAVAILABLE' });
    t.strictSame([store.get('a'), store.get('b')], [undefined, undefined]);
    t.equal(failing.write(put('c')), undefined, 'the store takes writes again');
    const before = rule('crash');
    await t.rejects(before.writes.write(put('d')) ?? Promise.resolve(), {
      code: 'STORE_UNAVAILABLE',
    });
    const after = rule('crashAnswered');
    await t.rejects(after.writes.write(put('e')) ?? Promise.resolve(), {
      code: 'STORE_UNAVAILABLE',
    });
    t.strictSame([before.died(), after.died()], [1, 1], 'the world has died');
    t.strictSame([store.get('d'), store.get('e')], [undefined, 1], 'before it, or when it is kept');
  },
);

// --- acts ------------------------------------------------------------------------------------------------------------

t.test('act: each in the instant of an OID, which goes on', async (t) => {
  const acted = async (act: FaultAct, more: Partial<FaultRuleOptions> = {}) => {
    const { fabric, port } = await openWorld([passing]);
    const oid = 'OID_SWITCH_PORT_PROPERTY_ADD';
    const place = { at: 'oid', oid, extension: passing.name } as const;
    fabric.faults.add({ ...place, effect: 'act', act, ...more });
    const seq = fabric.events.lastSeq;
    const added = await port.properties.add(PORT_SETTING, { SettingIntA: 7 });
    await fabric.time.warp(13_000);
    const told = fabric.events.after(seq).map(({ data }) => data);
    return { fabric, added, told };
  };
  const disabled = await acted('disableExtension');
  t.match(disabled.fabric.switches.get('S').extensions.list(), [{ enabled: false }]);
  t.match(disabled.added, { settings: { SettingIntA: 7 } }, 'it went on');
  t.match(disabled.told, [
    { event: 'faultInjected', rule: 'fault-1', effect: 'act', act: 'disableExtension' },
  ]);
  const restarted = await acted('restartStack');
  const states = restarted.told.filter(({ event }) => event === 'moduleState').map(({ to }) => to);
  t.ok(states.includes('paused') && states.at(-1) === 'running', 'down and up again');
  const torn = await acted('teardownPort');
  t.throws(() => torn.fabric.switches.get('S').ports.get('P'), { code: 'NOT_FOUND' });
  const deleted = await acted('deleteSwitch');
  t.strictSame([...deleted.fabric.switches.list()], []);
  for (const { fabric } of [disabled, restarted, torn, deleted]) {
    t.strictSame(fabric.findings.entries(), []);
    t.equal(fabric.faults.list()[0]?.hits, 1, 'once, when no times are given');
    await fabric.close();
  }
  const edge = await acted('deleteSwitch', { extension: 'miniportEdge' });
  t.strictSame([...edge.fabric.switches.list()], [], 'at the miniport edge');
  await edge.fabric.close();
});

t.test('act: what cannot be done is told, and nobody waits for it', async (t) => {
  const { fabric, sw } = await openWorld([passing]);
  fabric.faults.add({ at: 'store', effect: 'act', act: 'deleteSwitch', switch: 'gone' });
  await sw.ports.create();
  await turn();
  t.match(
    fabric.events.after(0).filter(({ data }) => data['event'] === 'faultActFailed'),
    [{ data: { rule: 'fault-1', act: 'deleteSwitch', message: /gone/ } }],
  );
  t.equal([...fabric.switches.list()].length, 1, 'the switch of the write is not the one named');
  await fabric.close();
});

// --- time ------------------------------------------------------------------------------------------------------------

t.test('a warp does not wait for an undo that waits for time', async (t) => {
  for (const isAtomic of [false, true]) {
    const { fabric, sw } = await openWorld([passing]);
    fabric.faults.add(
      { at: 'store', effect: 'fail', times: 1 },
      { at: 'oid', oid: 'OID_SWITCH_PORT_TEARDOWN', extension: passing.name, effect: 'hang' },
    );
    const failed = isAtomic
      ? fabric.atomic(async (inside) => inside.switches.get('S').ports.create())
      : sw.ports.create();
    const code = failed.then(
      () => undefined,
      (error) => error.code,
    );
    await turn();
    t.equal(fabric.pending().length, 1, 'the undo is held');
    await fabric.time.warp(12_000);
    t.equal(await code, 'STORE_UNAVAILABLE');
    t.equal([...sw.ports.list()].length, 1, 'only the port that was there');
    await fabric.close();
  }
});

t.test('a world on a manual clock opens although faults let time pass', async (t) => {
  const full = new MemoryStore();
  const options: FabricOptions = { extensions: [passing], clock: 'manual', seed: 'o' };
  const first = await openWorld([passing], { store: full });
  const store = full.fork();
  await first.fabric.close();
  for (const [rule, at] of [
    [{ ...CREATE, effect: 'hang', times: 1 }, 12_000],
    [{ ...CREATE, effect: 'delay', delayMs: 700, times: 1 }, 700],
    [{ at: 'store', effect: 'delay', delayMs: 300, times: 1 }, 300],
  ] as const) {
    // Something new is written while it opens: an extension that is installed.
    const other = extensionWith(() => ({}), {
      id: `a5ca5ca5-0000-4000-8000-0000000${String(at).padStart(5, '0')}`,
      name: `Other ${at}`,
    });
    const fabric = await Fabric.open({
      ...options,
      extensions: [passing, other],
      store: store.fork(),
      faults: { rules: [rule] },
    });
    const hits = fabric.faults.list()[0]?.hits;
    if (hits === 1) t.equal(fabric.clock.now(), at, rule.effect);
    else t.equal(rule.at, 'store', 'nothing was written');
    await fabric.close();
  }
});

// --- what the trace tells --------------------------------------------------------------------------------------------

t.test('trace: an entry names the rules it met, where, and what they did', async (t) => {
  const asking = extensionWith((sw) => ({
    createPort: ({ portId }) => {
      sw.referencePort(portId);
    },
  }));
  const { fabric, sw } = await openWorld([asking]);
  const faultsOf = async (...rules: readonly FaultRuleOptions[]) => {
    fabric.faults.add(...rules.map((rule) => ({ times: 1, ...rule })));
    const done = sw.ports.create().catch(() => undefined);
    await fabric.time.warp(13_000);
    await done;
    fabric.faults.clear();
    return sw.trace.entries({ oid: 'OID_SWITCH_PORT_CREATE', limit: 1 })[0]?.faults;
  };
  const module = asking.id;
  for (const effect of ['status', 'throw', 'hang', 'delay', 'twice'] as const) {
    const expected = [{ rule: 'mine', module, effect }];
    t.strictSame(await faultsOf({ ...CREATE, id: 'mine', effect }), expected, effect);
  }
  t.strictSame(
    await faultsOf(
      { at: 'call', id: 'c', effect: 'status' },
      { at: 'oid', id: 'e', effect: 'status', extension: 'miniportEdge' },
      { ...CREATE, id: 'a', effect: 'act', act: 'restartStack' },
    ),
    [
      { rule: 'a', module, effect: 'restartStack' },
      { rule: 'c', module, effect: 'status', call: 'referencePort' },
      { rule: 'e', module: 'miniportEdge', effect: 'status' },
    ],
  );
  t.equal(await faultsOf({ ...CREATE, effect: 'status', probability: 0 }), undefined);
  t.match(
    fabric.recording(),
    /"faults":\[\{"rule":"mine","module":"[0-9a-f-]{36}","effect":"hang"\}\]/,
  );
  await fabric.close();
});

t.test('findings: what the extension does itself beside a fault is its own doing', async (t) => {
  const throwing = extensionWith(() => ({
    createPort: () => {
      throw new Error('mine');
    },
  }));
  for (const effect of ['delay', 'twice'] as const) {
    const { fabric, sw } = await openWorld();
    await fabric.extensions.install(throwing);
    await sw.extensions.change(throwing.id, { enabled: true });
    const begun = fabric.findings.entries().length;
    fabric.faults.add({ ...CREATE, effect });
    const done = sw.ports.create().catch((error) => error);
    await fabric.time.warp(1_000);
    await done;
    const found = fabric.findings.entries().slice(begun);
    t.match(found[0], { rule: 'D6', message: /mine/ });
    t.equal(found[0]?.injected, undefined, effect);
    await fabric.close();
  }
});

t.test('findings without a request: what a fault kept an extension from giving back', async (t) => {
  const taken: (() => number)[] = [];
  const keeping = extensionWith((sw) => ({
    connectNic: ({ portId, index }) => {
      taken.push(() => sw.referenceNic(portId, index));
    },
    disconnectNic: ({ portId, index }) => {
      sw.dereferenceNic(portId, index);
    },
  }));
  for (const effect of ['throw', 'hang', 'status'] as const) {
    const { fabric, sw, port } = await openWorld([keeping]);
    await port.nics.connect();
    t.equal(taken.pop()?.(), 0, 'it has a reference');
    const oid = 'OID_SWITCH_NIC_DISCONNECT';
    fabric.faults.add({ at: 'oid', oid, extension: keeping.name, effect, times: 1 });
    const gone = port.nics.disconnect(0);
    for (let i = 0; i < 4; i += 1) await fabric.time.warp(13_000);
    await gone;
    await sw.extensions.change(keeping.id, { enabled: false });
    // Those of the switch itself blame no extension.
    const blaming = fabric.findings
      .entries()
      .filter(({ extensionId }) => extensionId !== undefined);
    t.strictSame(
      blaming.slice(1).map(({ message }) => message.replace(/^Fabrikam Filter /, '')),
      [
        'kept 1 reference(s) on NIC 1/0 for 12000 ms; deleted all the same',
        'detached with 1 reference(s) on NIC 1/0',
      ],
      `${effect}: the request, and the reference`,
    );
    t.strictSame([...new Set(blaming.map(({ injected }) => injected))], [true], effect);
    await fabric.close();
  }
});

// --- rules -----------------------------------------------------------------------------------------------------------

t.test('update: a default goes with the effect it was of', async (t) => {
  const { fabric } = await openWorld();
  const { faults } = fabric;
  faults.add({ id: 'r', at: 'oid', effect: 'status' });
  t.match(faults.update('r', { effect: 'delay' }), { effect: 'delay', delayMs: 1_000 });
  t.notOk('delayMs' in faults.update('r', { effect: 'hang' }));
  t.match(faults.update('r', { effect: 'act', act: 'restartStack' }), { times: 1 });
  t.notOk('times' in faults.update('r', { effect: 'status', act: undefined }));
  faults.update('r', { status: 'FAILURE' });
  t.throws(() => faults.update('r', { effect: 'hang' }), { message: /^fault rule "r": status: / });
  t.match(faults.update('r', { effect: 'hang', status: undefined }), { effect: 'hang' });
  await fabric.close();
});

// --- stores ----------------------------------------------------------------------------------------------------------

/** Fails one write, delays the next two behind it, closes, and looks at what the store has. */
async function tryStore(
  t: Test,
  open: (faults: readonly FaultRuleOptions[]) => Promise<Fabric>,
): Promise<void> {
  const fabric = await open([]);
  const sw = await fabric.switches.create({ name: 'S' });
  fabric.faults.add({ at: 'store', effect: 'fail', times: 1 });
  await t.rejects(sw.ports.create({ name: 'refused' }), { code: 'STORE_UNAVAILABLE' });
  fabric.faults.add({ at: 'store', effect: 'delay', delayMs: 150, times: 1 });
  const order: string[] = [];
  const both = ['x', 'y'].map((name) => sw.ports.create({ name }).then(() => order.push(name)));
  await Promise.all(both);
  t.strictSame(order, ['x', 'y'], 'in the order of the calls');
  fabric.faults.add({ at: 'store', effect: 'delay', delayMs: 100_000, times: 1 });
  const last = sw.ports.create({ name: 'last' });
  await turn();
  await fabric.close();
  await last;
  const again = await open([]);
  const names = [...again.switches.get('S').ports.list()].map(({ name }) => name).sort();
  t.strictSame(names, ['last', 'x', 'y'], 'nothing acknowledged lost, nothing refused kept');
  await again.close();
}

t.test('store faults on LMDB', async (t) => {
  const folder = t.testdir();
  await tryStore(t, async () => Fabric.open({ store: await openStore(folder), seed: 'l' }));
});

t.test('store faults on NATS', { skip: natsServerMissing() }, async (t) => {
  const servers = await startNatsServers({ count: 1 });
  t.teardown(() => servers.stop());
  await tryStore(t, () => Fabric.open({ store: servers.url, name: 'a', seed: 'n' }));
});
