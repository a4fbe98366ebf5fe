import t from 'tap';
import { replayTrace } from '../../src/testing/index.ts';
import { EXTENSION, openPlane, testExtension, withPort } from './plane.ts';

t.test(
  'sim/time of a world that follows the wall: stopped it stands, a warp moves it, resumed it goes on',
  async (t) => {
    const { call } = await openPlane(t, { fabric: { clock: 'wall' } });
    const running = (await call('GET', '/v1/sim/time')).body;
    t.equal(running.mode, 'wall');
    const stopped = (await call('POST', '/v1/sim/time', { stop: true })).body;
    t.equal(stopped.mode, 'stopped');
    t.ok(stopped.nowMs >= running.nowMs, 'not back');
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.equal((await call('GET', '/v1/sim/time')).body.nowMs, stopped.nowMs, 'stands still');
    const warped = (await call('POST', '/v1/sim/time', { warpMs: 3_600_000 })).body;
    t.strictSame(warped, { mode: 'stopped', nowMs: stopped.nowMs + 3_600_000 });
    const resumed = (await call('POST', '/v1/sim/time', { resume: true })).body;
    t.equal(resumed.mode, 'wall');
    t.ok(resumed.nowMs >= warped.nowMs, 'an hour ahead of the wall, and not back');
    t.ok(resumed.nowMs < warped.nowMs + 60_000, 'nor further ahead');
  },
);

t.test(
  'an OID an extension pends ends by a warp of its 12 seconds, before the warp answers',
  async (t) => {
    const plane = await openPlane(t);
    const { call, held } = plane;
    await withPort(plane);
    const adding = call('POST', '/v1/switches/s/ports/p/properties', {
      feature: 'Test_PortSetting',
      settings: { SettingIntA: 777 },
    });
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const time = (await call('GET', '/v1/sim/time')).body;
    t.strictSame(time, { mode: 'manual', nowMs: 0, nextTimerMs: 12_000 });
    t.equal((await call('POST', '/v1/sim/time', { warpMs: 11_999 })).body.nextTimerMs, 12_000);
    t.equal((await call('GET', '/v1/sim/pending')).body.items.length, 1, 'still held at 11,999 ms');
    t.strictSame((await call('POST', '/v1/sim/time', { warpMs: 1 })).body, {
      mode: 'manual',
      nowMs: 12_000,
    });
    t.equal((await call('GET', '/v1/sim/pending')).body.items.length, 0, 'ended at 12,000 ms');
    const answer = await adding;
    t.equal(answer.status, 409);
    t.match(answer.body, { ndisStatus: 'NDIS_STATUS_REQUEST_ABORTED', extensionId: EXTENSION });
  },
);

t.test('sim/time says what is wrong with a body, and changes nothing', async (t) => {
  const { call } = await openPlane(t);
  for (const body of [{}, { stop: true, warpMs: 5 }, { stop: true, resume: true }]) {
    const { status, body: problem } = await call('POST', '/v1/sim/time', body);
    t.equal(status, 422, JSON.stringify(body));
    t.match(problem, { expected: 'one of {"stop":true}, {"warpMs":n}, {"resume":true}' });
  }
  for (const body of [
    { warpMs: -1 },
    { warpMs: 31_536_000_001 },
    { warpMs: 1.5 },
    { stop: false },
  ]) {
    const { status } = await call('POST', '/v1/sim/time', body);
    t.ok(status === 400 || status === 422, JSON.stringify(body));
  }
  const manual = await call('POST', '/v1/sim/time', { resume: true });
  t.equal(manual.status, 409);
  t.match(manual.body, { type: 'urn:extswitch:error:ILLEGAL_TRANSITION' });
  t.strictSame((await call('GET', '/v1/sim/time')).body, { mode: 'manual', nowMs: 0 });
});

t.test('a snapshot is made, listed, restored exactly, and forgotten', async (t) => {
  const plane = await openPlane(t);
  const { call } = plane;
  await withPort(plane);
  const kept = (
    await call('POST', '/v1/switches/s/ports/p/properties', {
      feature: 'Test_PortSetting',
      settings: { SettingIntA: 1 },
    })
  ).body;
  const made = await call('POST', '/v1/sim/snapshots', { name: 'before' });
  t.equal(made.status, 201);
  t.equal(made.headers['location'], '/v1/sim/snapshots/before');
  t.match(made.body, { name: 'before', time: 0, switches: 1, ports: 1, properties: 1, vms: 0 });
  const property = `/v1/switches/s/ports/p/properties/${kept.id}`;
  await call('PUT', property, { settings: { SettingIntA: 2 } });
  await call('POST', '/v1/switches/s/ports', { name: 'later' });
  await call('POST', '/v1/switches', { name: 'later' });
  await call('DELETE', '/v1/switches/s/ports/p');
  const restored = await call('POST', '/v1/sim/snapshots/before/restore');
  t.equal(restored.status, 200);
  t.strictSame(restored.body, made.body);
  t.strictSame(
    (await call('GET', property)).body,
    kept,
    'the port, its property and its settings are back',
  );
  const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);
  t.strictSame(
    names((await call('GET', '/v1/switches')).body.items),
    ['s'],
    'what came since is gone',
  );
  t.strictSame(names((await call('GET', '/v1/switches/s/ports')).body.items), ['p']);
  t.equal((await call('POST', '/v1/sim/snapshots', { name: 'before' })).status, 409);
  t.match((await call('POST', '/v1/sim/snapshots')).body, { name: 'snapshot-1' });
  t.strictSame(names((await call('GET', '/v1/sim/snapshots')).body.items), [
    'before',
    'snapshot-1',
  ]);
  t.strictSame((await call('GET', '/v1/sim/snapshots/before')).body, made.body);
  t.equal((await call('DELETE', '/v1/sim/snapshots/before')).status, 204);
  for (const [method, path] of [
    ['GET', '/v1/sim/snapshots/before'],
    ['DELETE', '/v1/sim/snapshots/before'],
    ['POST', '/v1/sim/snapshots/before/restore'],
    ['POST', '/v1/sim/snapshots/before/fork'],
  ] as const) {
    t.equal((await call(method, path)).status, 404, `${method} ${path}`);
  }
});

t.test('a reset goes back to empty or to a snapshot, and snapshots outlive both', async (t) => {
  const plane = await openPlane(t);
  const { call } = plane;
  await withPort(plane);
  await call('POST', '/v1/sim/snapshots', { name: 'full' });
  t.equal((await call('POST', '/v1/sim/reset')).status, 204);
  t.strictSame((await call('GET', '/v1/switches')).body.items, []);
  t.equal((await call('POST', '/v1/sim/reset', { snapshot: 'full' })).status, 204);
  t.equal((await call('GET', '/v1/switches/s/ports/p')).status, 200);
  t.equal((await call('POST', '/v1/sim/reset', { snapshot: 'none' })).status, 404);
});

t.test(
  'a fork is a world beside the one it came of: equal at first, then each for itself',
  async (t) => {
    const plane = await openPlane(t, { worldLimit: 2 });
    const { call } = plane;
    await withPort(plane);
    await call('POST', '/v1/sim/snapshots', { name: 'a' });
    await call('DELETE', '/v1/switches/s/ports/p');
    const forked = await call('POST', '/v1/sim/snapshots/a/fork', { name: 'branch' });
    t.equal(forked.status, 201);
    t.equal(forked.headers['location'], '/v1/worlds/branch');
    t.match(forked.body, { name: 'branch', seed: 'http tests', store: 'memory' });
    t.equal((await call('GET', '/worlds/branch/v1/switches/s/ports/p')).status, 200);
    t.equal((await call('GET', '/v1/switches/s/ports/p')).status, 404, 'gone where it was deleted');
    await call('DELETE', '/worlds/branch/v1/switches/s');
    t.equal((await call('GET', '/v1/switches/s')).status, 200, 'there where it was not');
    t.strictSame((await call('GET', '/worlds/branch/v1/sim/snapshots')).body.items, []);
    t.equal((await call('POST', '/v1/sim/snapshots/a/fork', { name: 'branch' })).status, 409);
    t.equal((await call('POST', '/v1/sim/snapshots/a/fork', { name: '-' })).status, 422);
    t.equal(
      (await call('POST', '/v1/sim/snapshots/a/fork')).status,
      201,
      'a second one, named by the server',
    );
    t.equal((await call('POST', '/v1/sim/snapshots/a/fork')).status, 403, 'the limit of worlds');
  },
);

t.test('sim/recording is a trace to replay, whole or since a snapshot', async (t) => {
  const plane = await openPlane(t);
  const { app, call } = plane;
  await withPort(plane);
  await call('POST', '/v1/sim/snapshots', { name: 'a' });
  await call('POST', '/v1/switches/s/ports', { name: 'q' });
  const whole = await app.inject('/v1/sim/recording');
  t.equal(whole.statusCode, 200);
  t.match(whole.headers['content-type'], /^application\/jsonl/);
  const definition = testExtension().definition;
  const report = await replayTrace(whole.payload, definition);
  t.match(report, { requests: 2, same: 2, differences: [] });
  const since = await app.inject('/v1/sim/recording?snapshot=a');
  t.match(await replayTrace(since.payload, definition), { requests: 1, same: 1 });
  t.equal((await call('GET', '/v1/sim/recording?snapshot=none')).status, 404);
  await call('POST', '/v1/sim/reset', { snapshot: 'a' });
  t.equal((await call('GET', '/v1/sim/recording?snapshot=a')).status, 409, 'that way is gone');
});
