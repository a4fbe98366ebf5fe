import t from 'tap';
import type { IsolationOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import '../support/uncovered-children.ts';
import telling from './fixtures/telling.ts';

/* Small slips in isolation that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

t.setTimeout(300_000);

const NAME = 'Telling';
/** Long enough for a handler that only tells something, also on a busy machine. */
const WATCHDOG_MS = 5_000;

async function told(
  port: string,
  whenTold: (message: string) => void = () => undefined,
  limits: Partial<IsolationOptions> = {},
): Promise<Fabric> {
  const fabric = await Fabric.open({
    seed: 'slips',
    extensions: [telling],
    isolate: {
      ...{ extensions: [NAME], watchdogMs: WATCHDOG_MS, loadMs: 60_000, onCrash: 'report' },
      ...limits,
    },
    log: (_level, message) => whenTold(message),
  });
  t.teardown(() => fabric.close());
  const sw = await fabric.switches.create({ name: 'S', extensions: [NAME] });
  await sw.ports.create({ name: port });
  return fabric;
}

t.test('time in which the switch works for an isolated extension is not its own', async (t) => {
  let waited = 0;
  const fabric = await told('slow', (message) => {
    if (!message.includes('made slow')) return;
    waited += 1;
    // This thread: a log that writes to a slow disk.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WATCHDOG_MS + 1_000);
  });
  t.equal(waited, 1);
  t.match(fabric.extensions.get(NAME).isolated, { watchdogKills: 0, restarts: 0 });
  t.same(fabric.findings.entries(), []);
});

t.test(
  'an extension whose worker has ended is detached without a word: nobody waits for it (A61, J11)',
  async (t) => {
    const fabric = await told('first');
    const sw = fabric.switches.get('S');
    await t.rejects(sw.ports.create({ name: 'exit' }), { code: 'VETOED' });
    const found = fabric.findings.entries().length;
    t.ok(found > 0, 'that it ended is told');
    await sw.extensions.change(NAME, { enabled: false });
    t.equal(fabric.findings.entries().length, found, 'that it was detached breaks no rule');
    await sw.extensions.change(NAME, { enabled: true });
    await sw.ports.create({ name: 'second' });
  },
);

t.test('buffers outside the heap of a worker count as its memory', async (t) => {
  const fabric = await told('hoard', () => undefined, { memoryMb: 64 });
  for (let i = 0; i < 1_200 && fabric.extensions.get(NAME).isolated?.memoryKills !== 1; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.match(fabric.extensions.get(NAME).isolated, { memoryKills: 1, watchdogKills: 0 });
});

t.test('a worker that ends while it is restarted is restarted again (J11)', async (t) => {
  const fabric = await told('first', () => undefined, { onCrash: 'restart' });
  const sw = fabric.switches.get('S');
  const other = await fabric.switches.create({ name: 'Other', extensions: [NAME] });
  await other.ports.create({ name: 'grave' });
  await t.rejects(sw.ports.create({ name: 'exit' }), { code: 'VETOED' });
  // Attached anew to S it runs; then Other is too much for it, and its worker ends for both.
  const restarts = () => fabric.extensions.get(NAME).isolated?.restarts;
  const isDone = () => restarts() === 2 && sw.extensions.get(NAME).running;
  for (let i = 0; i < 1_200 && !isDone(); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.match(fabric.extensions.get(NAME).isolated, { exits: 2, restarts: 2 });
  const again = fabric.findings.entries().filter(({ message }) => message.includes('again'));
  t.match(again, [{ rule: 'D6', message: 'Telling ended again while it was restarted' }]);
  await sw.ports.create({ name: 'second' });
  t.equal(sw.ports.get('second').info.name, 'second', 'it serves S again');
});
