import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import teamingProvider from '../../extensions/teaming-provider/extension.ts';
import { Team } from '../../extensions/teaming-provider/team.ts';
import type { SwitchHandle, TraceEntry } from '../../src/policy/api.ts';
import { defineExtension, type ExtensionHandlers, NdisStatus } from '../../src/sdk/index.ts';
import { expectNoFindings, type TestSwitch, testSwitch } from '../../src/testing/index.ts';
import { blocks, files, run } from './page-runner.ts';

const TEAM = {
  team: 'switch' as const,
  adapters: [
    { name: 'pNIC 1', virtualFunctions: 1 },
    { name: 'pNIC 2', virtualFunctions: 1 },
  ],
};

/** A switch with a team of two adapters, the provider, and what else is wanted above it. */
async function teamed(
  t: { teardown(end: () => unknown): void },
  above: readonly ReturnType<typeof defineExtension>[] = [],
) {
  const sw = await testSwitch({ type: 'external', extensions: [...above, teamingProvider] });
  t.teardown(() => sw.close());
  await sw.switch.host.connectUplink(TEAM);
  return sw;
}

const used = (sw: SwitchHandle): readonly number[] =>
  sw.host.uplink?.adapters.map(({ virtualFunctionsUsed }) => virtualFunctionsUsed) ?? [];

const adapterOf = async (sw: TestSwitch, name: string) => {
  const vm = await sw.vm(name);
  const [adapter] = vm.adapters;
  if (adapter === undefined) throw new Error('the VM has one adapter');
  return adapter;
};

/** DestinationNicIndex and who issued it, of every NIC_REQUEST. */
const destinations = (entries: readonly TraceEntry[]): string[] =>
  entries
    .filter(({ oid }) => oid === 'OID_SWITCH_NIC_REQUEST')
    .map(({ origin, input }) => `${origin === teamingProvider.id ? 'own' : origin} ${input[20]}`);

t.test(
  'S16, D38: virtual functions go to the adapter that serves the fewest, and back to the same one',
  async (t) => {
    const sw = await teamed(t);
    const first = await adapterOf(sw, 'VM 1');
    const second = await adapterOf(sw, 'VM 2');
    await first.assignVf();
    t.strictSame(used(sw.switch), [1, 0]);
    await second.assignVf();
    t.strictSame(used(sw.switch), [1, 1]);
    t.strictSame(destinations(sw.oids()), [
      ...['own 1', 'protocolEdge 0', 'own 1', 'protocolEdge 0'],
      ...['own 2', 'protocolEdge 0', 'own 2', 'protocolEdge 0'],
    ]);
    const third = await adapterOf(sw, 'VM 3');
    await t.rejects(third.assignVf(), {
      code: 'VETOED',
      place: { ndisStatus: 'NDIS_STATUS_RESOURCES' },
    });
    await second.removeVf();
    t.strictSame(used(sw.switch), [1, 0]);
    await third.assignVf();
    t.strictSame(used(sw.switch), [1, 1], 'the first adapter refused, the second had one');
    await (await sw.vm('VM 1')).stop();
    t.strictSame(used(sw.switch), [0, 1]);
    expectNoFindings(sw);
  },
);

t.test(
  'C5, H6, H7: the team shows one link: down with the last adapter, up with the first',
  async (t) => {
    const seen: string[] = [];
    const watcher = defineExtension({
      id: '11111111-2222-3333-4444-555555555555',
      name: 'Watcher',
      vendor: 'Fabrikam',
      version: '1.0',
      type: 'filter',
      attach: (): ExtensionHandlers => ({
        nicStatus: ({ source, statusName, data }) =>
          void seen.push(`${source.nicIndex} ${statusName} ${data[4]}`),
      }),
    });
    const sw = await teamed(t, [watcher]);
    const { host } = sw.switch;
    await host.setLink(1, false);
    t.strictSame(seen, []);
    await host.setLink(2, false);
    t.strictSame(seen, ['0 NDIS_STATUS_LINK_STATE 2']);
    await host.setLink(1, true);
    t.strictSame(seen.slice(1), ['0 NDIS_STATUS_LINK_STATE 1']);
    await host.setLink(2, true);
    t.equal(seen.length, 2);
    const first = await adapterOf(sw, 'VM 1');
    await host.setLink(1, false);
    await first.assignVf();
    t.strictSame(used(sw.switch), [0, 1], 'who has a link is chosen first');
    expectNoFindings(sw);
  },
);

t.test('J11, D37: enabled on a live switch it asks for adapters and their links', async (t) => {
  const sw = await testSwitch({ type: 'external', extensions: [teamingProvider] });
  t.teardown(() => sw.close());
  await sw.disable(teamingProvider);
  await sw.switch.host.connectUplink(TEAM);
  const first = await adapterOf(sw, 'VM 1');
  await t.rejects(first.assignVf(), { code: 'VETOED' }, 'nobody chooses an adapter of the team');
  await sw.switch.host.setLink(1, false);
  await sw.enable(teamingProvider);
  await first.assignVf();
  t.strictSame(used(sw.switch), [0, 1]);
  await sw.switch.host.disconnectUplink();
  t.equal(first.info.vfAssigned, false);
  expectNoFindings(sw);
});

t.test(
  'D27: what is for inspection passes, and what it cannot send on it leaves alone',
  async (t) => {
    const sw = await testSwitch({ type: 'external', extensions: [teamingProvider] });
    t.teardown(() => sw.close());
    const handlers = teamingProvider.attach({
      referenceNic: () => NdisStatus.INVALID_PARAMETER,
      dereferenceNic: () => NdisStatus.SUCCESS,
      nics: () => [{ portId: 7, index: 1, type: 'external', state: 'connected' }],
    } as never);
    handlers.activate?.();
    const request = (portId: number, nicIndex: number) =>
      handlers.nicRequest?.({
        source: { portId: 0, nicIndex: 0 },
        destination: { portId, nicIndex },
        data: new Uint8Array(0),
      } as never);
    t.equal(request(0, 0), 'forward');
    t.equal(request(7, 1), 'forward', 'it names an adapter already');
    t.equal(request(7, 0), 'forward', 'no reference, no request (rule C58)');
    const status = (nicIndex: number, statusCode: number, length: number) =>
      handlers.nicStatus?.({
        source: { portId: 7, nicIndex },
        statusCode,
        data: new Uint8Array(length),
      } as never);
    t.equal(status(0, NdisStatus.LINK_STATE, 40), 'forward');
    t.equal(status(1, NdisStatus.NETWORK_CHANGE, 40), 'forward');
    t.equal(status(1, NdisStatus.LINK_STATE, 4), 'forward');
  },
);

t.test('A27: a team keeps a state of its own for every adapter', (t) => {
  const team = new Team();
  const vm = { portId: 9, nicIndex: 0 };
  t.strictSame(team.choices(vm), []);
  team.join(3, 1);
  team.join(3, 2);
  team.join(3, 1);
  t.equal(team.portId, 3);
  team.pin(vm, 2);
  t.strictSame(team.choices(vm), [2], 'where it is already');
  t.strictSame(team.choices({ portId: 8, nicIndex: 0 }), [1, 2]);
  t.equal(team.setLink(1, false), false);
  t.equal(team.setLink(9, false), false, 'no member');
  t.strictSame(team.choices({ portId: 8, nicIndex: 0 }), [2, 1]);
  team.leave(2);
  t.strictSame(team.choices(vm), [1], 'chooses again');
  team.pin(vm, 1);
  team.unpin(vm);
  team.leave(1);
  t.equal(team.portId, 0);
  t.end();
});

t.test('the library example prints what the README shows', async (t) => {
  const root = process.cwd();
  const page = readFileSync(join('extensions', 'teaming-provider', 'README.md'), 'utf8');
  const file = join(t.testdir({}), 'example.mts');
  const example = files(page)['example.ts'] ?? '';
  writeFileSync(file, example.replaceAll("from './", `from '${root}/`));
  const command = `"${process.execPath}" --import tsx "${file}"`;
  const { code, out, err } = await run(command, root, process.env);
  t.equal(code, 0, err);
  t.equal(out, blocks(page).find(({ mark }) => mark === 'output')?.text);
});
