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
