import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { AckedPublisher } from '../../src/cluster/acked-publisher.ts';
import { parseClusterAddress } from '../../src/cluster/address.ts';
import { openClusterStore } from '../../src/cluster/cluster-store.ts';
import { Journal } from '../../src/cluster/journal.ts';
import {
  decodeMessage,
  encodeMessage,
  type RecordMessage,
} from '../../src/cluster/record-message.ts';
import { openSession } from '../../src/cluster/session.ts';
import { takeOver } from '../../src/cluster/take-over.ts';
import { encodeRecord } from '../../src/store/record.ts';
import { natsServerMissing, startNatsServers } from '../../src/testing/nats-servers.ts';
import { put } from '../support/store-contract.ts';

/* Small slips in the cluster store that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

const skip = natsServerMissing();
t.setTimeout(120_000);
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const servers = await startNatsServers({ count: 1 });
t.teardown(() => servers.stop());
const session = await openSession(parseClusterAddress(`${servers.url}/lab`), 'slips.test');
t.teardown(() => session.close());
const publisher = new AckedPublisher(session.connection);
t.teardown(() => publisher.close());

let processes = 0;
const open = (host: string) => openClusterStore(session, host, { incarnation: `p${processes++}` });
const policies = 'KV_lab-policies';
const recordSubject = (host: string, key: string) => `$KV.lab-policies.${host}.${key}`;

/** The record of a key, once the process of that epoch has written it. */
async function recordBy(epoch: number, host: string, key: string): Promise<RecordMessage> {
  const query = { last_by_subj: recordSubject(host, key) };
  for (let i = 0; i < 500; i++) {
    const message = await session.manager.streams.getMessage(policies, query);
    const record = message === null ? undefined : decodeMessage(key, message.data, policies);
    if (record?.epoch === epoch) return record;
    await sleep(20);
  }
  throw new Error(`${key} of ${host} has no record of epoch ${epoch}`);
}

t.test('a record of another epoch with the number of the own one is not the own one', async (t) => {
  const host = 'numbers';
  const before = await open(host);
  await before.store.write([put('a', 'first')]);
  const next = await open(host);
  await next.store.write([put('a', 'second')]);
  const { number } = await recordBy(next.epoch, host, 'a');
  // The process before had it on the way, of a commit that has the number the next one here gets.
  const data = encodeMessage(before.epoch, number + 1, { sealed: encodeRecord('a', 'late') });
  await publisher.publish({ subject: recordSubject(host, 'a'), data }, 2_000);
  await next.store.write([put('a', 'third')]);
  await next.store.close();
  const after = await open(host);
  t.equal(after.store.get('a'), 'third');
  await after.store.close();
  await before.store.close();
});

t.test(
  'an opening that an old view of the journal let through is taken back: what that hid is there',
  async (t) => {
    const stale = new Journal(session, publisher, 'view', 'late');
    const soon = (): number => performance.now() + 10_000;
    const entry = (number: number) => ({ writer: 'p', epoch: 1, number, applied: 0, ops: [] });
    await stale.append(0, { ...entry(1), kind: 'opening' }, soon());
    for (const number of [2, 3, 4, 5]) {
      await stale.append(1, { ...entry(number), kind: 'commit' }, soon());
    }
    const all = await stale.read(0, soon());
    t.same(
      all.map(({ entry: { number } }) => number),
      [1, 2, 3, 4, 5],
    );
    // The records have it, so it was trimmed; where it was, an opening finds room.
    await stale.trim(all.slice(2, 3).map(({ revision }) => revision));
    const { read } = stale;
    stale.read = async () => {
      stale.read = read;
      return all.slice(0, 2);
    };
    const taken = await takeOver(stale, soon());
    t.match(taken, { epoch: 2, number: 6 }, 'after all that is in the journal');
    t.same(
      taken.entries.map(({ entry: { number } }) => number),
      [1, 2, 4, 5],
    );
    const openings = (await stale.read(0, soon())).filter((one) => one.entry.kind === 'opening');
    t.same(
      openings.map(({ entry: { number } }) => number),
      [1, 6],
      'and none between them',
    );
  },
);
