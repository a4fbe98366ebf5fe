import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { removeMessage } from '../../src/cluster/stream-reads.ts';
import type { Load } from './load.ts';
import { type ChaosWorld, CLUSTER } from './world.ts';

/** Bytes of one message of ballast, and of the last ones, which leave no room for anything. */
const SIZES = [512_000, 50_000, 5_000, 500, 50];
const BALLAST_HOST = 'ballast';

/**
 * Fills a bucket to its last byte, under the name of a host that nobody is, and takes it away again after a while: what another
 * host's growth does to a store all share.
 */
export async function fillBucket(world: ChaosWorld, _load: Load): Promise<readonly string[]> {
  const { random, nats } = world;
  const bucket = random.of(['journal', 'policies', 'state'] as const) ?? 'journal';
  const [stream, subject] =
    bucket === 'state'
      ? [`OBJ_${CLUSTER}-state`, `$O.${CLUSTER}-state.C.${BALLAST_HOST}`]
      : [`KV_${CLUSTER}-${bucket}`, `$KV.${CLUSTER}-${bucket}.${BALLAST_HOST}`];
  const connection = await connect({
    servers: nats.servers.map(({ port }) => `127.0.0.1:${port}`),
    ignoreClusterUpdates: true,
  });
  try {
    const client = jetstream(connection);
    let isFull = false;
    let at = 0;
    const places: number[] = [];
    const put = async (size: number): Promise<void> => {
      at += 1;
      places.push((await client.publish(`${subject}.${at}`, Buffer.alloc(size))).seq);
    };
    for (const size of SIZES) {
      for (;;) {
        try {
          await put(size);
        } catch (error) {
          if (!/maximum bytes|insufficient/.test(String(error))) throw error;
          isFull = true;
          break;
        }
      }
    }
    // Room that others' removals make is filled up again.
    for (const end = Date.now() + random.between(1_000, 4_000); Date.now() < end; ) {
      await put(50).catch(() => {});
      await sleep(5);
    }
    const manager = await jetstreamManager(connection);
    // No purge: see `removeMessage` of src/cluster/stream-reads.ts.
    for (const place of places) await removeMessage(manager, stream, place);
    return isFull ? [] : [`bucket ${bucket} was never full`];
  } finally {
    await connection.close();
  }
}
