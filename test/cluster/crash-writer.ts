import { writeSync } from 'node:fs';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { openClusterStore } from '../../src/cluster/cluster-store.ts';
import { openSession } from '../../src/cluster/session.ts';
import type { StoreOp } from '../../src/store/store.ts';

/*
 * node crash-writer.ts <address> <host> <round>: becomes the host, and 16 writers put batches until it is killed. Says
 * `open`, then `ack <number>` for each batch that was acknowledged.
 *
 * Batch n of round r puts `last`, and `batch/<r>-<n>/<i>` for 2 to 6 values of i, one of which is run-time data; it deletes
 * batch n - 50.
 */
const [address = '', host = '', round = ''] = process.argv.slice(2);
const KEPT = 50;
let next = 0;

const keysOf = (number: number) => 2 + (number % 5);

function batch(number: number): StoreOp[] {
  const id = `${round}-${number}`;
  const of = keysOf(number);
  const ops: StoreOp[] = [{ op: 'put', key: 'last', value: id }];
  for (let i = 0; i < of; i++) {
    const stamp = new Uint8Array(20 + ((number + i) % 7) * 300).fill(number);
    ops.push({ op: 'put', key: `batch/${id}/${i}`, value: { of, stamp } });
  }
  if (number % 40 === 0) ops.push({ op: 'put', key: 'saved/state', value: id });
  for (let i = 0; number >= KEPT && i < keysOf(number - KEPT); i++) {
    ops.push({ op: 'delete', key: `batch/${round}-${number - KEPT}/${i}` });
  }
  return ops;
}

const session = await openSession(parseClusterAddress(address), 'crash-writer');
const { store } = await openClusterStore(session, host, { incarnation: `${process.pid}-${round}` });
writeSync(1, 'open\n');

async function write(): Promise<void> {
  for (;;) {
    const number = next++;
    await store.write(batch(number));
    writeSync(1, `ack ${number}\n`);
  }
}
await Promise.all(Array.from({ length: 16 }, write));
