import t from 'tap';
import { ChangeLog } from '../../src/policy/change-log.ts';
import { MacPool } from '../../src/policy/mac-pool.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../../src/store/store.ts';

/* Small slips in the change log that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

interface Gate {
  readonly promise: Promise<void>;
  readonly open: () => void;
  readonly fail: () => void;
}

function gate(): Gate {
  let open: () => void = () => undefined;
  let fail: () => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = () => reject(new Error('no space'));
  });
  return { promise, open, fail };
}

/** A store whose writes end when, and as, the test says. */
class HeldStore implements Store {
  readonly description = 'held store';
  readonly writes: Gate[] = [];
  readonly #inner = new MemoryStore();

  get(key: string): StoreValue | undefined {
    return this.#inner.get(key);
  }
  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    return this.#inner.range(prefix);
  }
  write(_ops: readonly StoreOp[]): Promise<void> {
    const held = gate();
    this.writes.push(held);
    return held.promise;
  }
  close(): Promise<void> {
    return this.#inner.close();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const put = (key: string): StoreOp[] => [{ op: 'put', key, value: 1 }];

t.test(
  'a write that ends while failed ones are collected does not hide those behind it',
  async (t) => {
    const store = new HeldStore();
    const undone: string[] = [];
    const log = new ChangeLog(store, (error) => t.fail(String(error)));
    const told = ['port/a', 'port/b', 'port/c'].map((key) =>
      log.commit(undefined, put(key), () => {
        undone.push(key);
      }),
    );
    const [a, b, c] = store.writes;
    const failed = [
      t.rejects(told[0] ?? Promise.resolve()),
      t.rejects(told[2] ?? Promise.resolve()),
    ];
    a?.fail();
    await turn();
    b?.open();
    await turn();
    await told[1];
    c?.fail();
    await Promise.all(failed);
    t.same(undone, ['port/c', 'port/a'], 'both that failed, the latest first');
  },
);

t.test(
  'an atomic change begins when those under way have ended, and holds up later ones',
  async (t) => {
    const log = new ChangeLog(new MemoryStore(), (error) => t.fail(String(error)));
    const order: string[] = [];
    const first = gate();
    const whole = gate();
    const running = log.run(undefined, async () => {
      order.push('first begins');
      await first.promise;
      order.push('first ends');
    });
    const atomic = log.atomic(async () => {
      order.push('atomic begins');
      await whole.promise;
      order.push('atomic ends');
    });
    await turn();
    const later = log.run(undefined, () => void order.push('later'));
    await turn();
    t.same(order, ['first begins']);
    first.open();
    await running;
    await turn();
    t.same(order, ['first begins', 'first ends', 'atomic begins']);
    whole.open();
    await Promise.all([atomic, later]);
    t.same(order.slice(3), ['atomic ends', 'later']);
  },
);

t.test('an address in two settings is kept until both have let it go', async (t) => {
  const pool = new MacPool('slips');
  const mac = Uint8Array.of(0x00, 0x15, 0x5d, 1, 2, 3);
  pool.keep(mac);
  pool.keep(mac);
  pool.forget(mac);
  t.equal(pool.isKept(mac), true, 'one has it still');
  pool.forget(mac);
  t.equal(pool.isKept(mac), false);
});
