import t from 'tap';
import { Rng } from '../../src/core/rng.ts';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { FeatureRegistry } from '../../src/policy/feature-registry.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import { replayText, replayTrace } from '../../src/testing/index.ts';
import { byteDifference } from '../../src/testing/replay/byte-difference.ts';
import { Changes } from '../policy/world-stress-changes.ts';
import { Draw } from '../policy/world-stress-mischief.ts';
import { Observer } from '../sequences/observer.ts';
import { extensionWith, FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';

const PORT_SETTING = 'Fabrikam_PortCustomSettingData';
const PORT_STATUS = 'Fabrikam_CustomPortData';

/** Refuses SettingIntA `refused`, says `status`. */
function version(
  name: string,
  { refused = 666, status = 123 } = {},
  more: (sw: SwitchContext) => ExtensionHandlers = () => ({}),
): ExtensionDefinition {
  return extensionWith(
    (sw) => ({
      addPortProperty: ({ settings }) =>
        settings?.['SettingIntA'] === refused ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
      queryPortFeatureStatus: (query) => query.respond({ CurrentStatus: status }),
      ...more(sw),
    }),
    { name },
  );
}

/** A world with a switch and a port, changed by `act`; gives the recording. */
async function record(
  extensions: readonly ExtensionDefinition[],
  act: (fabric: Fabric) => Promise<unknown>,
  options: { readonly snapshot?: string } = {},
): Promise<string> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'replay', extensions });
  await fabric.features.register(FABRIKAM_MOF);
  await fabric.switches.create({ name: 'S', extensions });
  await act(fabric);
  const text = fabric.recording(options);
  await fabric.close();
  return text;
}

async function policies(fabric: Fabric): Promise<void> {
  const port = await fabric.switches.get('S').ports.create({ name: 'P' });
  await port.nics.connect();
  await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  const second = await port.properties.add(PORT_SETTING, { SettingIntA: 13 });
  await t.rejects(port.properties.add(PORT_SETTING, { SettingIntA: 666 }), { code: 'VETOED' });
  await port.status(PORT_STATUS);
  await port.properties.delete(second.id);
  await port.delete();
}

t.test('the same extension on its own recording: every request as recorded', async (t) => {
  const text = await record([version('v1')], policies);
  const report = await replayTrace(text, version('v1'));
  t.strictSame(report.differences, []);
  t.strictSame(report.findings, []);
  // PORT_CREATE, NIC_CREATE, NIC_CONNECT, three adds, the status query twice (room first), a delete, and four to take away.
  t.equal(report.requests, report.same);
  t.ok(report.requests >= 12);
  t.match(replayText(report), /^--- recorded: v1 1\.0, as ws2022\n\+\+\+ replayed: v1 1\.0\n/);
  t.match(replayText(report), /(\d+) of \1 requests as recorded; no differences\n$/);
});

t.test(
  'a version that refuses something else, and answers with another value: what, where, which byte of which member',
  async (t) => {
    const text = await record([version('v1')], policies);
    const changed = version('v2', { refused: 13, status: 200 });
    const report = await replayTrace(text, changed);
    t.strictSame(
      report.differences.map(({ oid, what, recorded, replayed }) =>
        what === 'output' ? [oid, what] : [oid, what, recorded, replayed],
      ),
      [
        ['OID_SWITCH_PORT_PROPERTY_ADD', 'verdict', 'forward', 'NDIS_STATUS_DATA_NOT_ACCEPTED'],
        [
          'OID_SWITCH_PORT_PROPERTY_ADD',
          'status',
          'NDIS_STATUS_SUCCESS',
          'NDIS_STATUS_DATA_NOT_ACCEPTED',
        ],
        ['OID_SWITCH_PORT_PROPERTY_ADD', 'verdict', 'NDIS_STATUS_DATA_NOT_ACCEPTED', 'forward'],
        [
          'OID_SWITCH_PORT_PROPERTY_ADD',
          'status',
          'NDIS_STATUS_DATA_NOT_ACCEPTED',
          'NDIS_STATUS_SUCCESS',
        ],
        ['OID_SWITCH_PORT_FEATURE_STATUS_QUERY', 'output'],
      ],
    );
    const at = report.differences.at(-1)?.at;
    // 64 bytes of parameters and 16 of the custom structure stand before the data (ndis-switch-abi.md).
    t.match(at?.field, /^NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS > .* > CurrentStatus$/);
    t.match(at, { recorded: '123', replayed: '200' });
    t.equal(report.requests - report.same, 3);
    const shown = replayText(report);
    t.match(shown, /^@@ \d+ OID_SWITCH_PORT_PROPERTY_ADD request \d+ on S$/m);
    t.match(shown, /^- verdict forward\n\+ verdict NDIS_STATUS_DATA_NOT_ACCEPTED$/m);
    t.match(
      shown,
      /^- output byte \d+, NDIS.* > CurrentStatus: 123\n\+ output byte \d+, NDIS.* > CurrentStatus: 200$/m,
    );
    t.equal(
      JSON.stringify(await replayTrace(text, changed)),
      JSON.stringify(report),
      'deterministic',
    );
  },
);

t.test('time is that of the recording: timers and pended requests end as they did', async (t) => {
  const pending = (ms: number): ExtensionDefinition =>
    version('timer', {}, (sw) => ({
      createPort(_port, request) {
        sw.after(ms, () => request.complete(NdisStatus.SUCCESS));
        return request.pend();
      },
    }));
  const text = await record([pending(500)], async (fabric) => {
    const sw = fabric.switches.get('S');
    const creating = [sw.ports.create({ name: 'A' }), sw.ports.create({ name: 'B' })];
    await fabric.time.warp(2_000);
    await Promise.all(creating);
  });
  t.equal((await replayTrace(text, pending(500))).differences.length, 0);
  t.equal(
    (await replayTrace(text, pending(100))).differences.length,
    0,
    'sooner is no other answer',
  );
  const never = await replayTrace(text, pending(20_000));
  t.strictSame(
    never.differences.map(({ what, recorded, replayed }) => [what, recorded, replayed]),
    [
      ['verdict', 'pend > NDIS_STATUS_SUCCESS', 'pend > NDIS_STATUS_REQUEST_ABORTED'],
      ['status', 'NDIS_STATUS_SUCCESS', 'NDIS_STATUS_REQUEST_ABORTED'],
      ['verdict', 'pend > NDIS_STATUS_SUCCESS', 'pend > NDIS_STATUS_REQUEST_ABORTED'],
      ['status', 'NDIS_STATUS_SUCCESS', 'NDIS_STATUS_REQUEST_ABORTED'],
    ],
  );
  t.match(never.findings[0], { rule: 'NdisTimedOidComplete' });
});

t.test(
  'an extension finds the switch as it was: what it asks is answered from the recorded state',
  async (t) => {
    const asked: string[] = [];
    const asks = version('asks', {}, (sw) => ({
      activate: () => void asked.push(`active ${sw.parameters().isActive}`),
      deletePortProperty: ({ portId }) => {
        const ports = sw.ports().map(({ portId: id, friendlyName }) => `${id} ${friendlyName}`);
        const nics = sw.nics().map(({ mtu, state }) => `${mtu} ${state}`);
        const values = sw
          .portProperties(portId, PORT_SETTING)
          .map(({ settings }) => settings?.['SettingIntA']);
        asked.push(JSON.stringify([ports, nics, values]));
        return 'forward';
      },
    }));
    const text = await record([asks], policies);
    const recorded = asked.splice(0);
    t.strictSame(recorded, ['active true', '[["1 P"],["1500 connected"],[1,13]]']);
    const report = await replayTrace(text, asks);
    t.strictSame(asked, recorded);
    t.strictSame(report.differences, [], 'and what it issues is what it issued');
    const silent = await replayTrace(text, version('silent'));
    t.match(silent.differences[0], {
      what: 'issued',
      oid: 'activate',
      recorded: 'OID_SWITCH_PARAMETERS query',
      replayed: 'nothing',
    });
  },
);

t.test('extensions below answer as they did, though they are not there', async (t) => {
  const below = extensionWith(
    () => ({
      createNic: ({ mtu }) => (mtu > 9_000 ? NdisStatus.RESOURCES : 'forward'),
    }),
    { id: '00000000-0000-4000-8000-0000000000b1', name: 'Below', type: 'forward' },
  );
  const seen: string[] = [];
  const watcher = version('watcher', {}, () => ({
    oidRequestComplete: ({ oidName, status }) =>
      void seen.push(`${oidName} ${status === NdisStatus.SUCCESS}`),
  }));
  const text = await record([watcher, below], async (fabric) => {
    const port = await fabric.switches.get('S').ports.create({ name: 'P' });
    await t.rejects(port.nics.connect({ mtu: 9_014 }), { code: 'VETOED' });
  });
  const recorded = seen.splice(0);
  t.ok(recorded.includes('OID_SWITCH_NIC_CREATE false'));
  t.strictSame((await replayTrace(text, watcher)).differences, []);
  t.strictSame(
    seen.filter((line) => /PORT_CREATE|NIC_/.test(line)),
    recorded.filter((line) => /PORT_CREATE|NIC_/.test(line)),
  );
});

t.test(
  'disabled, enabled, restarted, on a switch that is deleted and made again: attached as it was',
  async (t) => {
    const lives: string[] = [];
    const life = version('life', {}, (sw) => {
      lives.push(`attach ${sw.name}`);
      return {
        restart: () => void lives.push('restart'),
        pause: () => void lives.push('pause'),
        detach: () => void lives.push('detach'),
        activate: () => void lives.push('activate'),
        createPort: ({ friendlyName }) => void lives.push(friendlyName),
      };
    });
    const other = extensionWith(() => ({}), {
      id: '00000000-0000-4000-8000-0000000000b2',
      name: 'Other',
    });
    const text = await record([life, other], async (fabric) => {
      const sw = fabric.switches.get('S');
      await sw.ports.create({ name: 'one' });
      await sw.extensions.change(FABRIKAM, { enabled: false });
      await sw.ports.create({ name: 'unseen' });
      await sw.extensions.change(FABRIKAM, { enabled: true });
      await sw.ports.create({ name: 'two' });
      await sw.extensions.change(other.id, { enabled: false });
      await sw.delete();
      const again = await fabric.switches.create({ name: 'S', extensions: [life] });
      await again.ports.create({ name: 'three' });
    });
    const recorded = lives.splice(0, lives.lastIndexOf('three') + 1);
    lives.length = 0;
    const report = await replayTrace(text, life);
    t.strictSame(report.differences, []);
    t.strictSame(lives.slice(0, lives.lastIndexOf('three') + 1), recorded);
  },
);

t.test(
  'a recording from a snapshot begins with what there was, told as after a restart',
  async (t) => {
    const told: string[] = [];
    const knows = (known: boolean): ExtensionDefinition =>
      version('knows', {}, () => {
        const ports = new Set<number>();
        return {
          createPort: ({ portId, friendlyName }) => {
            ports.add(portId);
            told.push(friendlyName);
          },
          addPortProperty: ({ portId }) =>
            ports.has(portId) === known ? 'forward' : NdisStatus.DATA_NOT_ACCEPTED,
        };
      });
    const text = await record(
      [knows(true)],
      async (fabric) => {
        const port = await fabric.switches.get('S').ports.create({ name: 'before' });
        await fabric.snapshots.create({ name: 'a' });
        await port.properties.add(PORT_SETTING);
      },
      { snapshot: 'a' },
    );
    told.length = 0;
    const report = await replayTrace(text, knows(true));
    t.strictSame(told, ['before']);
    t.equal(report.requests, 1, 'only what came after the snapshot is compared');
    t.strictSame(report.differences, []);
    t.equal((await replayTrace(text, knows(false))).differences.length, 2, 'verdict and status');
  },
);

t.test(
  'a trace that is not all there is no recording; a snapshot is where to begin then',
  async (t) => {
    const extension = version('v1');
    const fabric = await Fabric.open({ clock: 'manual', extensions: [extension], traceLimit: 4 });
    const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await sw.ports.create({ name });
    t.throws(() => fabric.recording(), {
      code: 'ILLEGAL_TRANSITION',
      message:
        /^the trace keeps only its newest entries, and those up to number \d+ are gone: take a snapshot/,
    });
    await fabric.snapshots.create({ name: 'now' });
    await sw.ports.create({ name: 'f' });
    const report = await replayTrace(fabric.recording({ snapshot: 'now' }), extension);
    t.match(report, { requests: 1, same: 1 });
    await fabric.snapshots.restore('now');
    t.throws(() => fabric.recording({ snapshot: 'now' }), {
      code: 'ILLEGAL_TRANSITION',
      message: /^the world was reset or restored after snapshot now/,
    });
    t.throws(() => fabric.recording({ snapshot: 'never' }), { code: 'NOT_FOUND' });
    await fabric.close();
  },
);

t.test('what is no recording is refused with its line', async (t) => {
  const text = await record([version('v1')], policies);
  const lines = text.split('\n');
  const cases: readonly (readonly [string, string, RegExp, string?])[] = [
    ['', 'empty', /^line 1 of the recording: expected a JSON object/],
    [
      '{"format":"other"}\n{"type":"end","lines":0}\n',
      'another format',
      /^line 1 .*extswitch-trace/,
    ],
    [
      text.replace('"version":1', '"version":2'),
      'newer',
      /has version 2 .* reads version 1$/,
      'INVALID_ARGUMENT',
    ],
    [lines.slice(0, -3).join('\n'), 'cut off', /the file is cut off$/],
    [
      text.replace('"oid":"OID_SWITCH_PORT_CREATE"', '"oid":7'),
      'a number',
      /expected oid, a string, found number$/,
    ],
    [text.replace('{"type":"oid"', '{"type":"what"'), 'unknown', /expected type oid or event/],
  ];
  for (const [given, name, message, code = 'MALFORMED'] of cases) {
    await t.rejects(replayTrace(given, version('v1')), { code, message }, name);
  }
  const stranger = extensionWith(() => ({}), { id: '00000000-0000-4000-8000-0000000000b3' });
  await t.rejects(replayTrace(text, stranger), { code: 'NOT_FOUND', message: /v1 \(5cbf81be-/ });
  const report = await replayTrace(text, stranger, { inPlaceOf: FABRIKAM });
  t.match(report.extension, { id: stranger.id });
  t.match(report.recorded, { id: FABRIKAM, name: 'v1' });
});

t.test(
  'law: whatever happened, an extension that has not changed replays its recording without a difference',
  async (t) => {
    for (let round = 0; round < 8; round += 1) {
      const seed = `replay law ${round}`;
      const observer = (): Observer =>
        new Observer({ id: FABRIKAM, name: 'filter', type: 'filter' });
      const { definition } = observer();
      const fabric = await Fabric.open({ clock: 'manual', seed, extensions: [definition] });
      await fabric.features.register(FABRIKAM_MOF);
      const extensions = [definition.id];
      const adapters = [{ name: 'phys', virtualFunctions: 2, queues: 2 }];
      await fabric.switches.create({
        name: 'A',
        type: 'external',
        extensions,
        uplink: { adapters },
      });
      await fabric.switches.create({ name: 'B', type: 'internal', extensions });
      const changes = new Changes(new Draw(new Rng(seed)), [definition]);
      const isLate = round % 2 === 1;
      for (let i = 0; i < 30; i += 1) {
        if (i === 15 && isLate)
          await fabric.snapshots.create({ name: 'half' }).catch(() => undefined);
        const ended = changes
          .next(fabric)
          .act()
          .catch(() => undefined);
        await fabric.time.warp(50);
        await ended;
      }
      const from = isLate && fabric.snapshots.list().length > 0 ? { snapshot: 'half' } : {};
      const text = fabric.recording(from);
      await fabric.close();
      const report = await replayTrace(text, observer().definition);
      t.strictSame(report.differences, [], seed);
      t.equal(report.same, report.requests, `${seed}: ${report.requests} requests`);
    }
  },
);

t.test('a buffer that goes on where the other one ends differs there', async (t) => {
  const registry = new FeatureRegistry('6.85');
  const short = Uint8Array.of(1, 2);
  const long = Uint8Array.of(1, 2, 3);
  const between = (recorded: Uint8Array, replayed: Uint8Array) =>
    byteDifference(registry, 'OID_OF_NOBODY', recorded, replayed);
  t.strictSame(between(short, long), { offset: 2, recorded: 'nothing', replayed: '0x03' });
  t.strictSame(between(long, short), { offset: 2, recorded: '0x03', replayed: 'nothing' });
  t.equal(between(long, long.slice()), undefined);
});
