import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { loadIsolated } from '../../src/isolation/load-isolated.ts';
import type { IsolationOptions, SwitchHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import '../support/uncovered-children.ts';
import hangsInAttach from './fixtures/hangs-in-attach.ts';
import misbehaving from './fixtures/misbehaving.ts';

/*
 * Extensions that do to their thread what would end the process. Wall times are limits only: nothing here depends on how long
 * anything takes, except that what never returns is ended at last.
 */

t.setTimeout(300_000);

const NAME = 'Misbehaving';

async function world(
  options: Omit<IsolationOptions, 'extensions'> = {},
): Promise<{ readonly fabric: Fabric; readonly sw: SwitchHandle }> {
  const fabric = await Fabric.open({
    store: 'memory',
    seed: 'crash',
    extensions: [misbehaving],
    isolate: { extensions: [NAME], watchdogMs: 5_000, loadMs: 60_000, ...options },
  });
  const sw = await fabric.switches.create({ name: 'S', extensions: [NAME] });
  return { fabric, sw };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1_200; i += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
}

const isRunning = (sw: SwitchHandle): boolean => sw.extensions.get(NAME).running;
const countsOf = (fabric: Fabric) => fabric.extensions.get(NAME).isolated;
const messages = (fabric: Fabric): string[] =>
  fabric.findings.entries().map(({ message }) => message);

for (const { port, reason, counted, options = {} } of [
  {
    port: 'hang',
    reason: /did not return from createPort within 1500 ms/,
    counted: 'watchdogKills',
    options: { watchdogMs: 1_500 },
  },
  {
    port: 'hangAfterQuery',
    reason: /did not return from createPort within 1500 ms/,
    counted: 'watchdogKills',
    options: { watchdogMs: 1_500 },
  },
  {
    port: 'eat',
    reason: /needed more than 48 MB of memory/,
    counted: 'memoryKills',
    options: { watchdogMs: 60_000, memoryMb: 48 },
  },
  { port: 'exit', reason: /ended its thread with code 3/, counted: 'exits' },
  { port: 'exitWhilePended', reason: /ended its thread with code 4/, counted: 'exits' },
] as const) {
  t.test(
    `a handler that does "${port}" in a worker: the request fails and the module is attached anew (J11)`,
    async (t) => {
      const { fabric, sw } = await world(options);
      t.teardown(() => fabric.close());
      await sw.ports.create({ name: 'before' });
      await t.rejects(sw.ports.create({ name: port }), { code: 'VETOED' });
      const [threw] = fabric.findings.entries().filter(({ oid }) => oid !== undefined);
      t.match(threw, { rule: 'D6', severity: 'error', extensionId: misbehaving.id });
      t.match(threw?.message, reason);
      t.equal(threw?.oid, 'OID_SWITCH_PORT_CREATE');
      const entry = fabric.trace.entries().find(({ request }) => request === threw?.request);
      t.match(entry?.findings, [{ rule: 'D6', message: reason }], 'its trace entry tells');
      t.equal(entry?.status, 'NDIS_STATUS_FAILURE');
      await until('attached anew', () => countsOf(fabric)?.restarts === 1 && isRunning(sw));
      t.match(countsOf(fabric), { [counted]: 1, restarts: 1 });
      await sw.ports.create({ name: 'after' });
      t.equal(sw.ports.get('after').info.name, 'after');
      t.equal(sw.ports.get('before').info.name, 'before');
      t.equal(fabric.counters()['isolated_restarts_total'], 1);
    },
  );
}

for (const { port, message } of [
  { port: 'recurse', message: /RangeError: Maximum call stack size exceeded/ },
  { port: 'kill', message: /an isolated extension may not signal process/ },
]) {
  t.test(`a handler that does "${port}": the request fails, the worker goes on`, async (t) => {
    const { fabric, sw } = await world();
    t.teardown(() => fabric.close());
    await t.rejects(sw.ports.create({ name: port }), { code: 'VETOED' });
    t.match(messages(fabric), [message]);
    t.ok(isRunning(sw));
    t.match(countsOf(fabric), { restarts: 0, exits: 0 });
  });
}

for (const { port, message } of [
  { port: 'throwLater', message: /threw outside its handlers: Error: later/ },
  { port: 'dropPromise', message: /dropped a promise that was rejected .*: Error: dropped/ },
  { port: 'hangLater', message: /kept its thread busy for more than 1500 ms/ },
  {
    port: 'hangInMicrotask',
    message: /kept its thread busy for more than 1500 ms after a handler/,
  },
]) {
  t.test(`"${port}" between calls: a finding, and the module is attached anew`, async (t) => {
    const { fabric, sw } = await world({ watchdogMs: 1_500 });
    t.teardown(() => fabric.close());
    await sw.ports.create({ name: port });
    await until('attached anew', () => countsOf(fabric)?.restarts === 1 && isRunning(sw));
    t.match(messages(fabric), [message]);
    await sw.ports.create({ name: 'after' });
  });
}

t.test(
  'bytes changed in a worker: found with the byte, put back, told by the trace (B26)',
  async (t) => {
    const { fabric, sw } = await world();
    t.teardown(() => fabric.close());
    await sw.ports.create({ name: 'other' });
    const [other] = fabric.trace.entries({ oid: 'OID_SWITCH_PORT_CREATE' });
    await sw.ports.create({ name: 'scribble' });
    const entry = fabric.trace.entries({ oid: 'OID_SWITCH_PORT_CREATE' }).at(-1);
    t.match(entry?.findings, [
      { rule: 'B26', severity: 'error', offset: 4, extensionId: misbehaving.id },
    ]);
    t.equal(entry?.status, 'NDIS_STATUS_SUCCESS');
    t.equal(entry?.input[4], 0, 'put back');
    t.ok(other);
    t.equal(other?.findings, undefined, 'others carry none');
  },
);

t.test(
  'onCrash: report leaves it where it is, and requests it would see fail; disable takes it out',
  async (t) => {
    const reporting = await world({ onCrash: 'report' });
    t.teardown(() => reporting.fabric.close());
    await t.rejects(reporting.sw.ports.create({ name: 'exit' }), { code: 'VETOED' });
    await t.rejects(reporting.sw.ports.create({ name: 'next' }), { code: 'VETOED' });
    t.match(messages(reporting.fabric).at(-1), /does not run: its worker has ended/);
    const { extensions } = reporting.sw;
    await extensions.change(NAME, { enabled: false });
    await extensions.change(NAME, { enabled: true });
    await reporting.sw.ports.create({ name: 'next' });

    const disabling = await world({ onCrash: 'disable' });
    t.teardown(() => disabling.fabric.close());
    await t.rejects(disabling.sw.ports.create({ name: 'exit' }), { code: 'VETOED' });
    await until('disabled', () => !disabling.sw.extensions.get(NAME).enabled);
    await disabling.sw.ports.create({ name: 'exit' });
  },
);

t.test('a sixth crash within a minute: disabled, and a finding says so', async (t) => {
  const { fabric, sw } = await world();
  t.teardown(() => fabric.close());
  for (let crash = 1; crash <= 6; crash += 1) {
    await t.rejects(sw.ports.create({ name: 'exit' }), { code: 'VETOED' });
    if (crash < 6) {
      await until('again', () => countsOf(fabric)?.restarts === crash && isRunning(sw));
    }
  }
  await until('disabled', () => !sw.extensions.get(NAME).enabled);
  t.ok(
    messages(fabric).some((each) =>
      /crashed more than 5 times within 60 s and is disabled/.test(each),
    ),
  );
  await sw.ports.create({ name: 'exit' });
});

t.test('attach that never returns: the switch starts without it and says why', async (t) => {
  const fabric = await Fabric.open({
    store: 'memory',
    extensions: [hangsInAttach],
    isolate: { extensions: 'all', watchdogMs: 1_500, loadMs: 60_000 },
  });
  t.teardown(() => fabric.close());
  const sw = await fabric.switches
    .create({ name: 'S', extensions: [hangsInAttach.id] })
    .catch((error: unknown) => error);
  if (!isExtSwitchError(sw)) {
    const [shown] = (sw as SwitchHandle).extensions.list();
    t.equal(shown?.running, false);
    t.match(shown?.problem, /did not return from attach within 1500 ms/);
  } else {
    t.match(sw.message, /did not return from attach within 1500 ms/);
  }
  t.ok(await fabric.switches.create({ name: 'Other' }));
});

t.test(
  'a module that never ends loading: refused with its name, this thread goes on',
  async (t) => {
    const path = new URL('./fixtures/hangs-at-load.ts', import.meta.url).href;
    await t.rejects(
      loadIsolated(path, process.cwd(), { watchdogMs: 1_000, memoryMb: 128, loadMs: 3_000 }),
      { code: 'EXTENSION_FAILED', message: /hangs-at-load\.ts was not loaded within 3000 ms/ },
    );
  },
);

t.test(
  'what cannot be isolated is refused by name: an object, an unknown name, a limit out of range',
  async (t) => {
    const id = '1501a7ed-0000-4000-8000-0000000000ff';
    const made = defineExtension({
      ...{ id, name: 'Object', vendor: 'x', version: '1.0', type: 'filter' },
      attach: () => ({}),
    });
    const open = (isolate: IsolationOptions) =>
      Fabric.open({ store: 'memory', extensions: [made, misbehaving], isolate });
    await t.rejects(open({ extensions: 'all' }), {
      code: 'INVALID_ARGUMENT',
      message: /^extension Object cannot be isolated: it is an object of this program/,
    });
    await t.rejects(open({ extensions: ['Nobody'] }), { code: 'NOT_FOUND', message: /"Nobody"/ });
    await t.rejects(open({ extensions: [NAME], memoryMb: 1 }), {
      code: 'INVALID_ARGUMENT',
      message: /isolate\.memoryMb 1: expected a whole number from 8 to 65536/,
    });
  },
);
