import { Isolation } from '../src/isolation/isolation.ts';
import type { ExtensionHandlers, NetPnPEvent, SwitchContext } from '../src/sdk/index.ts';
import type { BenchCase } from './bench-case.ts';
import called from './isolated-extension.ts';

const BATCH = 2000;
const EVENT: NetPnPEvent = { event: 'stackChange', stack: [called.id] };

/** The handler asks nothing of its switch. */
const sw = { id: called.id, name: 'Bench', ndisVersion: '6.85' } as SwitchContext;
const isolation = new Isolation({ extensions: 'all', watchdogMs: 60_000 }, true);
const isolated = isolation.attach(called, sw);
const plain = called.attach(sw);

function call({ netPnPEvent }: ExtensionHandlers): number {
  for (let i = 0; i < BATCH; i += 1) netPnPEvent?.(EVENT);
  return BATCH;
}

export const benches: readonly BenchCase[] = [
  {
    name: 'isolated.call',
    unit: 'handler calls/s (there and back)',
    // The microtask after the batch waits for the worker, as the switch does after its code has run.
    run: async () => {
      const count = call(isolated);
      await Promise.resolve();
      return count;
    },
    baseline: { name: 'in the same thread', run: () => call(plain) },
  },
];
