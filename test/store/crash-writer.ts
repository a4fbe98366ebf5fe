import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.ts';
import type { Store, StoreOp } from '../../src/store/store.ts';

/*
 * node crash-writer.ts <folder> <round> <moment>: works on the store until it is killed, and says on a line of its own
 * what was acknowledged. `ready` comes right before the store is first opened, `open` after it.
 *
 * - `write`, `backup`: 16 writers put batches as fast as they can; `backup` also makes one backup after the other.
 * - `reopen`: the same, but the store is closed and opened again all the time.
 * - `open`: opens and closes it all the time. `upgrade`: opens it.
 */
const WRITERS = 16;
/** A batch deletes the one this many numbers before it. */
const KEPT = 400;
const [folder = '', round = '0', moment = 'write'] = process.argv.slice(2);
let next = 0;
let acknowledged = -1;

function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The parent is slow: the pipe is full, and not written to at all.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** Two to six keys a batch, from a few bytes to several pages each. */
const keysOf = (number: number) => 2 + (number % 5);

function batch(number: number): StoreOp[] {
  const id = `${round}-${number}`;
  const of = keysOf(number);
  const ops: StoreOp[] = [{ op: 'put', key: 'last', value: id }];
  for (let i = 0; i < of; i++) {
    const stamp = new Uint8Array(20 + ((number + i) % 7) * 900).fill(number);
    ops.push({ op: 'put', key: `batch/${id}/${i}`, value: { id, of, stamp } });
  }
  for (let i = 0; number >= KEPT && i < keysOf(number - KEPT); i++) {
    ops.push({ op: 'delete', key: `batch/${round}-${number - KEPT}/${i}` });
  }
  return ops;
}

async function write(store: Store, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const number = next++;
    await store.write(batch(number));
    acknowledged = Math.max(acknowledged, number);
    say(`ack ${number}`);
  }
}

function writers(store: Store, isOver: () => boolean): Promise<unknown> {
  return Promise.all(Array.from({ length: WRITERS }, () => write(store, isOver)));
}

async function makeBackups(store: Store): Promise<void> {
  for (let n = 0; ; n++) {
    say(`begin ${n} ${acknowledged}`);
    await store.backup?.(`${folder}-backups/${round}-${n}`);
    say(`backup ${n}`);
  }
}

say('ready');
let store = await openStore(folder);
say('open');
const never = () => false;
if (moment === 'write') await writers(store, never);
if (moment === 'backup') await Promise.all([writers(store, never), makeBackups(store)]);
while (moment === 'reopen' || moment === 'open') {
  const until = Date.now() + 8;
  if (moment === 'reopen') await writers(store, () => Date.now() > until);
  say('closing');
  await store.close();
  store = await openStore(folder);
}
// `upgrade`: the store is held until the end.
setInterval(() => undefined, 60_000);
