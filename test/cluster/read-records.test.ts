import t from 'tap';
import { readRecords } from '../../src/cluster/read-records.ts';
import type { ClusterSession } from '../../src/cluster/session.ts';

/** Milliseconds for which no server makes a consumer: longer than a consumer may be silent, as while a server starts again. */
const DEAF_MS = 2_500;

t.test(
  'records of a host are read though no server makes a consumer for longer than one may be silent',
  async (t) => {
    const begun = performance.now();
    let asked = 0;
    const getPushConsumer = async () => {
      asked += 1;
      if (performance.now() - begun < DEAF_MS) throw new Error('timeout');
      return {
        consume: async ({ callback }: { callback: (message: { seq: number }) => void }) => {
          queueMicrotask(() => callback({ seq: 1 }));
          return { close: async () => undefined };
        },
      };
    };
    const session = {
      bucketName: () => 'lab-policies',
      jetstream: { consumers: { getPushConsumer } },
    } as unknown as ClusterSession;
    const seen: number[] = [];
    await readRecords(session, 'a', 1, 30_000, ({ seq }) => seen.push(seq));
    t.same(seen, [1]);
    t.ok(asked > 1, 'it was asked again');
    const failing = {
      bucketName: () => 'lab-policies',
      jetstream: { consumers: { getPushConsumer: () => Promise.reject(new Error('timeout')) } },
    } as unknown as ClusterSession;
    await t.rejects(
      readRecords(failing, 'a', 1, 100, () => undefined),
      /timeout/,
    );
  },
);
