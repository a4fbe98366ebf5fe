import t from 'tap';
import { runCli } from '../cli/run-in-process.ts';
import { CutHosts } from '../policy/migration-settle-world.ts';
import { openPlane, PORT_SETTING, type TestPlane } from './plane.ts';
import { extensions, KEEPER, withVm } from './vm-plane.ts';

/** World `there`, found as a host by `default`, with a switch of the same name whose extensions run. */
async function withHosts(plane: TestPlane): Promise<void> {
  const { call } = plane;
  await withVm(plane);
  await call('POST', '/v1/worlds', { name: 'there' });
  const there = '/worlds/there/v1';
  const { mof } = { mof: (await import('./plane.ts')).MOF };
  await call('POST', `${there}/features`, { mof });
  await call('POST', `${there}/switches`, { name: 's' });
  for (const { id } of extensions) {
    await call('PATCH', `${there}/switches/s/extensions/${id}`, { enabled: true });
  }
}

async function ended({ call }: TestPlane, path: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await call('GET', path);
    if (body.state !== 'running') return body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

t.test(
  'a migration over HTTP: 202 with Location, steps, and the VM is there (S11, S12, interfaces.md 3)',
  async (t) => {
    const plane = await openPlane(t, { fabric: { extensions } });
    const { call } = plane;
    await withHosts(plane);
    const at = '/v1/vms/vm/adapters/a/properties';
    await call('POST', at, { feature: PORT_SETTING, settings: { SettingIntA: 5 } });
    await call('POST', '/v1/vms/vm/start');

    const started = await call('POST', '/v1/migrations', {
      vm: 'vm',
      destination: { host: 'there' },
    });
    t.equal(started.status, 202);
    const location = String(started.headers['location']);
    t.equal(location, `/v1/migrations/${started.body.id}`);
    const done = await ended(plane, location);
    t.equal(done['state'], 'succeeded');
    t.strictSame(
      (done['steps'] as { name: string }[]).map(({ name }) => name),
      ['compare', 'validate', 'prepare', 'save', 'release', 'take', 'finish'],
    );
    t.strictSame((await call('GET', '/v1/vms')).body.items, []);
    const [vm] = (await call('GET', '/worlds/there/v1/vms')).body.items;
    t.equal(vm.state, 'running');
    const there = await call('GET', '/worlds/there/v1/vms/vm/adapters/a/properties');
    t.match(there.body.items, [{ settings: { SettingIntA: 5 } }]);
    t.match((await call('GET', '/v1/migrations')).body.items, [{ id: started.body.id }]);
    t.strictSame((await call('GET', '/worlds/there/v1/arrivals')).body.items, []);
    t.match((await call('POST', `${location}/resume`)).body, { state: 'succeeded' });

    const gone = await call('POST', '/v1/vms/vm/stop');
    t.equal(gone.status, 404);
  },
);

t.test(
  'what a migration over HTTP refuses: dry run with a report, unknown host, its own host',
  async (t) => {
    const plane = await openPlane(t, { fabric: { extensions } });
    const { call } = plane;
    await withHosts(plane);
    await call('PATCH', `/worlds/there/v1/switches/s/extensions/${KEEPER}`, { enabled: false });
    const body = { vm: 'vm', destination: { host: 'there', switch: 'none' } };
    const dry = await call('POST', '/v1/migrations', { ...body, dryRun: true });
    t.equal(dry.status, 200);
    t.match(dry.body, {
      state: 'failed',
      report: {
        ok: false,
        problems: [{ code: 'SWITCH_MISSING', severity: 'error', adapter: 'a' }],
      },
      error: { code: 'INCOMPATIBLE' },
    });
    const real = await call('POST', '/v1/migrations', body);
    const failed = await ended(plane, String(real.headers['location']));
    t.match(failed, { state: 'failed', error: { code: 'INCOMPATIBLE' } });
    t.equal((await call('GET', '/v1/vms/vm')).status, 200);
    const wrong: readonly [object, number][] = [
      [{ vm: 'vm', destination: { host: 'nowhere' } }, 404],
      [{ vm: 'vm', destination: {} }, 422],
      [{ vm: 'other', destination: { host: 'there' } }, 404],
      [{ vm: 'vm', destination: { host: 'there' }, how: 'fast' }, 400],
    ];
    for (const [input, status] of wrong) {
      t.equal((await call('POST', '/v1/migrations', input)).status, status, JSON.stringify(input));
    }
    t.equal((await call('GET', '/v1/migrations/3f2504e0-4f89-41d3-9a0c-0305e82c3301')).status, 404);
  },
);

t.test('migrations are listed as they began, on pages too', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withHosts(plane);
  await call('POST', '/v1/sim/time', { stop: true });
  const ids: string[] = [];
  const times: number[] = [];
  // Ids are random: in the order of ids, eight would be in this one once in 40,320 runs.
  for (let i = 0; i < 8; i += 1) {
    const body = { vm: 'vm', destination: { host: 'there' }, dryRun: true };
    const { id, started } = (await call('POST', '/v1/migrations', body)).body;
    ids.push(id);
    times.push(started);
    await call('POST', '/v1/sim/time', { warpMs: 1_000 });
  }
  t.strictSame(
    times.map((time) => time - (times[0] ?? 0)),
    [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000],
  );
  const listed: string[] = [];
  let cursor = '';
  do {
    const { body } = await call('GET', `/v1/migrations?limit=3${cursor}`);
    for (const { id } of body.items) listed.push(id);
    cursor = body.next === undefined ? '' : `&cursor=${body.next}`;
  } while (cursor !== '');
  t.strictSame(listed, ids);
});

t.test(
  'the verbs of migration: a dry run that fails exits 1 and names why; --wait prints the end',
  async (t) => {
    const plane = await openPlane(t, { fabric: { extensions } });
    await withHosts(plane);
    await plane.app.listen({ host: '127.0.0.1', port: 0 });
    const address = plane.app.server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    const url = ['--url', `http://127.0.0.1:${address.port}`];

    const dry = await runCli([
      'migration',
      'start',
      'vm',
      '--to',
      'there',
      '--switch',
      'x',
      '--dry-run',
      ...url,
    ]);
    t.equal(dry.code, 1);
    t.match(
      dry.out,
      /^vm cannot run on there\nerror SWITCH_MISSING a: adapter "a" connects to switch "s" \(33012\)/,
    );
    const fine = await runCli(['migration', 'start', 'vm', '--to', 'there', '--dry-run', ...url]);
    t.strictSame([fine.code, fine.out], [0, 'vm can run on there\n']);
    const wrong = await runCli(['migration', 'start', 'vm', ...url]);
    t.equal(wrong.code, 2);

    const moved = await runCli(['migration', 'start', 'vm', '--to', 'there', '--wait', ...url]);
    t.equal(moved.code, 0);
    t.match(
      moved.out,
      /^migration of vm on there: succeeded \(([0-9a-f-]{36})\)\n {2}compare {2}succeeded\n/,
    );
    const id = /\(([0-9a-f-]{36})\)/.exec(moved.out)?.[1] ?? '';
    const shown = await runCli(['migration', 'show', id, ...url]);
    t.equal(shown.out, moved.out);
    const listed = await runCli(['migration', 'list', ...url]);
    t.match(listed.out, /Z +vm +there +would fail +compare +/m, 'a dry run has moved nothing');
    t.match(listed.out, /^\d{4}-\d\d-\d\dT.*Z +vm +there +would succeed +compare +/m);
    const [dryId = ''] =
      /[0-9a-f-]{36}$/m.exec(/^.*would fail.*$/m.exec(listed.out)?.[0] ?? '') ?? [];
    const shownDry = await runCli(['migration', 'show', dryId, ...url]);
    t.equal(shownDry.out, dry.out, 'shown as it was printed');
    t.match(
      listed.out,
      /STARTED +VM +TO +STATE +STEP +ID\n(.*\n)*\S+Z +vm +there +succeeded +finish +[0-9a-f-]{36}\n/,
    );
    const json = await runCli([
      'migration',
      'start',
      'vm',
      '--to',
      'default',
      '--world',
      'there',
      '--wait',
      '--json',
      ...url,
    ]);
    t.match(JSON.parse(json.out), { state: 'succeeded', vm: { name: 'vm' } });
  },
);

t.test(
  'a host that does not come back, over HTTP and the verbs: settled, told, what it had is kept (interfaces.md 3)',
  async (t) => {
    const hosts = new CutHosts();
    const plane = await openPlane(t, { fabric: { extensions, hosts } });
    const { call } = plane;
    await withHosts(plane);
    await plane.app.listen({ host: '127.0.0.1', port: 0 });
    const address = plane.app.server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    const url = ['--url', `http://127.0.0.1:${address.port}`];
    await call('POST', '/v1/vms/vm/start');
    hosts.cutsAt = 'afterTake';
    const body = { vm: 'vm', destination: { host: 'there' } };
    const { id } = (await call('POST', '/v1/migrations', body)).body;
    while (!hosts.isCut) await new Promise((resolve) => setTimeout(resolve, 5));
    const path = `/v1/migrations/${id}`;
    t.equal((await call('GET', path)).body.state, 'running');
    const wrong: readonly [object, number][] = [
      [{ owner: 'source' }, 400],
      [{ owner: 'me', confirm: 'there' }, 422],
      [{ owner: 'source', confirm: 'default' }, 422],
    ];
    for (const [input, status] of wrong) {
      t.equal((await call('POST', `${path}/settle`, input)).status, status, JSON.stringify(input));
    }
    const settle = ['migration', 'settle', id, '--owner', 'source', '--confirm', 'there', ...url];
    const settled = await runCli(settle);
    t.equal(settled.code, 0, settled.err);
    t.match(settled.out, /\nsettled for the source; copy there: not heard of since\n/);
    t.equal((await call('GET', '/v1/vms/vm')).body.state, 'running');
    t.equal((await call('GET', '/worlds/there/v1/vms/vm')).body.state, 'running', 'a copy');

    hosts.mend();
    await call('POST', `${path}/resume`);
    const told = await call('GET', path);
    t.match(told.body, {
      state: 'failed',
      settled: { owner: 'source', found: { copy: 'kept' } },
      error: { code: 'HOST_UNREACHABLE' },
    });
    t.equal((await call('GET', '/worlds/there/v1/vms/vm')).status, 404);
    const arrivals = await call('GET', '/worlds/there/v1/arrivals');
    t.match(arrivals.body.items, [{ id, state: 'superseded', kept: true }]);
    const again = await runCli(settle);
    t.equal(again.code, 1);
    t.match(again.err, 'there is nothing to settle');

    const there = [...url, '--world', 'there'];
    const kept = await runCli(['migration', 'kept', id, ...there]);
    t.match(JSON.parse(kept.out), { format: 'extswitch-portable', vms: [{ name: 'vm' }] });
    t.equal((await runCli(['migration', 'discard', id, ...there])).code, 0);
    t.equal((await runCli(['migration', 'kept', id, ...there])).code, 1);
    const given = await runCli(['migration', 'abandon', id, ...there]);
    t.equal(given.out, 'vm is superseded here\n', 'nothing is left to give up');
    const nobody = '/v1/arrivals/3f2504e0-4f89-41d3-9a0c-0305e82c3301/abandon';
    t.equal((await call('POST', nobody)).status, 404);
    t.equal((await call('GET', `/worlds/there${path}/kept`)).status, 404);
  },
);

t.test(
  'a migration or an arrival that is not there is 404, whatever its id looks like',
  async (t) => {
    const { call } = await openPlane(t);
    for (const id of ['nope', '00000000-0000-4000-8000-000000000001']) {
      for (const [method, path] of [
        ['GET', `/v1/migrations/${id}`],
        ['GET', `/v1/migrations/${id}/kept`],
        ['POST', `/v1/migrations/${id}/resume`],
        ['POST', `/v1/arrivals/${id}/abandon`],
      ] as const) {
        const answer = await call(method, path);
        t.match(
          answer.body,
          { status: 404, type: 'urn:extswitch:error:NOT_FOUND' },
          `${method} ${path}`,
        );
        t.match(answer.body.detail, id);
      }
    }
  },
);

t.test(
  'a migration that names a switch and no host goes to that switch of this host',
  async (t) => {
    const plane = await openPlane(t, { fabric: { extensions } });
    const { call } = plane;
    await withVm(plane);
    await call('POST', '/v1/switches', { name: 'other' });
    await call('POST', '/v1/vms/vm/start');
    const started = await call('POST', '/v1/migrations', {
      vm: 'vm',
      destination: { switch: 'other' },
    });
    t.match(started, { status: 202, body: { state: 'running', destination: { switch: 'other' } } });
    const over = await ended(plane, String(started.headers['location']));
    t.match(over, { state: 'succeeded' });
    t.match((await call('GET', '/v1/vms/vm/adapters/a')).body, { switch: { name: 'other' } });
    t.match(await call('POST', '/v1/migrations', { vm: 'vm', destination: {} }), {
      status: 422,
      body: { member: 'destination.host' },
    });
  },
);
