import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.ts';

// node crash-writer.ts <folder> <round>: 16 writers put pairs and triples of keys as fast as they can and say each
// number on a line of its own once it is durable, until the process is killed.
const [folder = '', round = '0'] = process.argv.slice(2);
const store = await openStore(folder);
let next = 0;

async function writer(): Promise<never> {
  for (;;) {
    const id = `${round}-${next++}`;
    const stamp = new Uint8Array(20 + (next % 7) * 300).fill(next);
    await store.write([
      { op: 'put', key: `pair/${id}/a`, value: { id, stamp } },
      { op: 'put', key: `pair/${id}/b`, value: { id, stamp } },
      { op: 'put', key: 'last', value: id },
      { op: 'delete', key: `pair/${round}-${next - 400}/a` },
      { op: 'delete', key: `pair/${round}-${next - 400}/b` },
    ]);
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, writer));
