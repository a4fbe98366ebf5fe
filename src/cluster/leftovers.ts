import type { Store, StoreValue } from '../store/store.ts';
import type { HostLeftover } from './api.ts';
import type { Journal } from './journal.ts';
import { unsealed } from './open-host.ts';
import { decodeMessage } from './record-message.ts';
import type { ClusterSession } from './session.ts';
import type { StateObjects } from './state-objects.ts';
import { readMessage } from './stream-reads.ts';
import { keyOfSubject, subjectOfKey } from './subject-key.ts';

/* The VMs among the records of a host: what would go with it. */

/** Keys that may hold a VM. */
const PREFIXES = ['vm', 'migration'] as const;

/** Of the records of a host that was opened. */
export function leftoversOf(records: Pick<Store, 'range'>): HostLeftover[] {
  return PREFIXES.flatMap((prefix) => [...records.range(`${prefix}/`)].flatMap(leftoverOf));
}

/** The VM of a record: itself, or the document of one that a migration has let go of or keeps. */
function leftoverOf([key, value]: readonly [key: string, value: StoreValue]): HostLeftover[] {
  const [kind, id = ''] = key.split('/');
  const record = value as Readonly<Record<string, StoreValue | undefined>>;
  if (kind === 'vm') return [{ id, name: String(record['name']) }];
  if (record['state'] !== 'released' && record['kept'] === undefined) return [];
  const vm = record['vm'] as { readonly id: string; readonly name: string };
  return [{ id: vm.id, name: vm.name, migration: id }];
}

/** What {@link leftoversOf} finds, without becoming the host. */
export async function peekLeftovers(
  session: ClusterSession,
  journal: Journal,
  objects: StateObjects,
  deadline: number,
): Promise<HostLeftover[]> {
  const { host } = journal;
  const bucket = session.bucketName('policies');
  const ops = new Map<string, { readonly number: number; readonly op: object }>();
  for (const { entry, object } of await journal.read(0, deadline)) {
    // A commit too large for a message is looked into by who opens the host.
    if (object !== undefined) continue;
    for (const op of entry.ops) ops.set(op.key, { number: entry.number, op });
  }
  const keys = new Set([...ops.keys()].filter((key) => /^(vm|migration)\//.test(key)));
  for (const prefix of PREFIXES) {
    for await (const subject of await session.kv('policies').keys(`${host}.${prefix}.*`)) {
      keys.add(keyOfSubject(subject.slice(host.length + 1)));
    }
  }
  const left: HostLeftover[] = [];
  for (const key of keys) {
    const request = { last_by_subj: `$KV.${bucket}.${host}.${subjectOfKey(key)}` };
    const found = await readMessage(session.manager, `KV_${bucket}`, request, deadline);
    const record = found === undefined ? undefined : decodeMessage(key, found.data, bucket);
    const open = ops.get(key);
    const content =
      open !== undefined && open.number > (record?.number ?? 0) ? open.op : record?.content;
    const sealed = await sealedOf(content, key, objects, deadline);
    if (sealed !== undefined) left.push(...leftoverOf([key, unsealed(key, sealed, bucket)]));
  }
  return left;
}

async function sealedOf(
  content: object | undefined,
  key: string,
  objects: StateObjects,
  deadline: number,
): Promise<Uint8Array | undefined> {
  const { sealed, object } = (content ?? {}) as { sealed?: Uint8Array; object?: string };
  if (object === undefined) return sealed;
  return objects.load(object, `record ${JSON.stringify(key)}`, deadline);
}
