import { randomUUID } from 'node:crypto';
import { ExtSwitchError } from '../core/errors.ts';
import { productVersion } from '../store/store-format.ts';
import { AckedPublisher } from './acked-publisher.ts';
import { describe } from './address.ts';
import type { HostLeftover, RemovedHost } from './api.ts';
import { Journal } from './journal.ts';
import { JournalTrimmer } from './journal-trimmer.ts';
import { Lease } from './lease.ts';
import { leftoversOf, peekLeftovers } from './leftovers.ts';
import { openHost } from './open-host.ts';
import { markRecords, REMOVED } from './read-records.ts';
import type { ClusterSession } from './session.ts';
import { inParallel, StateObjects } from './state-objects.ts';
import { readMessage, removeMessage } from './stream-reads.ts';

export interface RemoveHostOptions {
  readonly leaseMs: number;
  /** Its VMs go too; otherwise they keep the host in the cluster. */
  readonly withVms: boolean;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void;
}

/** For each step that waits for a leader. */
const STEP_MS = 30_000;
/**
 * Removes a host that no process is: its VMs, policies and migrations, its journal, its objects. Not while VMs of it are left,
 * unless told so; then nothing has changed.
 *
 * The process that was the host last is fenced as by any other that becomes it. What makes the removal is one message among the
 * records, which says up to which commit nothing counts any more; the rest clears up behind it, and may be done again.
 *
 * Errors: `ILLEGAL_TRANSITION` naming the VMs; `LEASE_LOST` when a process is the host after all; `STORE_UNAVAILABLE`.
 */
export async function removeHost(
  session: ClusterSession,
  host: string,
  { leaseMs, withVms, log }: RemoveHostOptions,
): Promise<RemovedHost> {
  const incarnation = randomUUID();
  const lease = await Lease.acquire({
    bucket: session.kv('hosts'),
    host,
    leaseMs,
    // What is left of the last holder's is gone by then.
    waitMs: 1.5 * leaseMs,
    record: {
      incarnation,
      epoch: 0,
      profile: '',
      version: productVersion(),
      since: new Date().toISOString(),
      isOpen: false,
    },
    log,
  });
  const publisher = new AckedPublisher(session.connection);
  try {
    const journal = new Journal(session, publisher, host, incarnation);
    const objects = new StateObjects(session, host);
    const deadline = performance.now() + STEP_MS;
    // Before it is fenced: a refusal is to change nothing for a process that is only cut off.
    if (!withVms) mustBeEmpty(host, await peekLeftovers(session, journal, objects, deadline));
    const opened = await openHost(session, publisher, journal, objects, deadline);
    const { taken, mirror } = opened;
    const left = leftoversOf(mirror);
    if (!withVms) mustBeEmpty(host, left);
    const { epoch, number } = taken;
    const place = await markRecords(session, publisher, host, REMOVED, epoch, number, deadline);
    await clearRecords(session, host, place);
    await objects.sweep(new Set());
    // The openings stay for a while: they are what the processes before meet.
    const trimmer = new JournalTrimmer(journal, objects, taken);
    trimmer.added(number, taken.revision, undefined);
    await trimmer.trim(number);
    await objects.idle();
    log('warn', `host ${host} was removed from the cluster`, { vms: left.length });
    return { host, epoch, vms: left };
  } catch (cause) {
    if (cause instanceof ExtSwitchError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot remove host ${JSON.stringify(host)} from the cluster ${describe(session.address)}: ${found}`;
    throw new ExtSwitchError('STORE_UNAVAILABLE', message, { found }, { cause });
  } finally {
    publisher.close();
    await lease.close();
  }
}

/** Removes what lies among the host's records before `place`: each message by itself, see `removeMessage`. */
async function clearRecords(session: ClusterSession, host: string, place: number): Promise<void> {
  const bucket = session.bucketName('policies');
  const stream = `KV_${bucket}`;
  const filter = { subjects_filter: `$KV.${bucket}.${host}.>` };
  const { state } = await session.manager.streams.info(stream, filter);
  await inParallel(Object.keys(state.subjects ?? {}), async (subject) => {
    const deadline = performance.now() + STEP_MS;
    const request = { last_by_subj: subject };
    const found = await readMessage(session.manager, stream, request, deadline);
    if (found === undefined || found.seq >= place) return;
    await removeMessage(session.manager, stream, found.seq);
  });
}

function mustBeEmpty(host: string, left: readonly HostLeftover[]): void {
  if (left.length === 0) return;
  const named = left.slice(0, 10).map(({ name, id }) => `${JSON.stringify(name)} (${id})`);
  const more = left.length > 10 ? ` and ${left.length - 10} more` : '';
  const vms = left.length === 1 ? 'a VM' : `${left.length} VMs`;
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `host ${JSON.stringify(host)} still has ${vms}: ${named.join(', ')}${more}. Start it once more and migrate, export or delete them, or remove it with its VMs`,
    { member: 'host', found: host, problems: left.map((one) => ({ ...one })) },
  );
}
