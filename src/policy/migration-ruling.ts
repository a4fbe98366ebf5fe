import { ExtSwitchError } from '../core/errors.ts';
import type {
  MigrationInfo,
  MigrationPeer,
  MigrationRuling,
  SupersededCopy,
} from './migration-api.ts';
import { Interrupted, type MigrationLink } from './migration-link.ts';
import { putMigration, recordsOf } from './migration-records.ts';
import { forgetVm, leave, takeBack } from './migration-vm.ts';
import { exportVm } from './portable-export.ts';
import { put, vmKey } from './records.ts';
import { vmRecord } from './vm-entry.ts';
import type { Footings } from './vm-power.ts';
import { savedData, savedOps } from './vm-saved-data.ts';

/*
 * What becomes of a migration when a person decides for a destination that does not come back (decision 0010), and what this host
 * and that one tell each other should it come back after all.
 */

/** The VM is this host's again, with everything; the destination is told whenever it is there. */
export async function reclaim(link: MigrationLink, was: Footings): Promise<void> {
  const { world, departure, vm } = link;
  const { vmState = vm.state, data = [] } = departure.handed;
  departure.fail(noAnswer(departure.host));
  departure.error = decided(departure.error);
  departure.begin('undo');
  // Durable before anything runs: a restart in the middle comes to the same end.
  await link.insist([putMigration(departure.id, departure.record('handing'))]);
  const before = savedData(vm);
  await link.inTurn(() => takeBack(world, vm, was, vmState, recordsOf(data)));
  departure.succeed();
  departure.state = departure.next('reclaim');
  await link.insist([
    put(vmKey(vm.id), vmRecord(vm)),
    ...savedOps(vm, before),
    putMigration(departure.id, departure.record('reclaimed')),
  ]);
  departure.end();
  departure.tellRuling();
  vm.travel?.end(vm);
  await tellSuperseded(link);
}

/** Until the destination has heard it: a copy there must not run beside the VM here. */
export async function tellSuperseded(link: MigrationLink): Promise<void> {
  const { departure } = link;
  const { id } = departure;
  const found = await untilAnswered(link, (peer) => peer.supersede(id));
  concluded(link, departure.ruling?.owner ?? 'source', found);
  departure.state = departure.next('settled');
  await link.tried(putMigration(id, departure.record('failed')));
}

/** The VM is the destination's, and gone from here; what it was is kept until that one says that it has it. */
export async function release(link: MigrationLink): Promise<void> {
  const { world, departure, vm } = link;
  const { vmState = vm.state, data = [] } = departure.handed;
  departure.error = undefined;
  departure.begin('finish');
  const records = recordsOf(data);
  const ops = await link.inTurn(function* () {
    for (const adapter of vm.adapters) adapter.saved = records.get(adapter.id) ?? [];
    vm.state = vmState === 'running' || vmState === 'paused' ? 'saved' : vmState;
    departure.kept = exportVm(world, vm);
    return yield* leave(world, vm, departure.host);
  });
  departure.succeed();
  departure.state = departure.next('release');
  await link.insist([...ops, putMigration(departure.id, departure.record('released'))]);
  forgetVm(world, vm);
  departure.end();
  departure.tellRuling();
  vm.travel?.end(vm);
  await handOver(link);
}

/** Until the destination says that it has the VM, takes it now, or never will; or a person thinks better of it. */
export async function handOver(link: MigrationLink): Promise<void> {
  const { departure } = link;
  const { id } = departure;
  const isRecalled = (): boolean => departure.ruling?.owner === 'source';
  const outcome = await untilAnswered(link, (peer) => taken(link, peer), isRecalled);
  if (outcome === undefined) {
    departure.error = keptHere(`a person has taken back that it is host ${departure.host}'s`);
    departure.state = departure.next('reclaim');
    await link.insist([putMigration(id, departure.record('reclaimed'))]);
    departure.end();
    departure.tellRuling();
    return tellSuperseded(link);
  }
  if (outcome === 'taken') {
    departure.kept = undefined;
    departure.state = departure.next('taken');
  } else {
    departure.error = keptHere(`host ${departure.host} has never taken it`);
    departure.state = departure.next('abandoned');
  }
  departure.end();
  concluded(link, 'destination', { copy: outcome === 'taken' ? 'taken' : 'none' });
  await link.insist([putMigration(id, departure.record(departure.state))]);
  if (outcome === 'taken') await link.world.farewells.tell(id, departure.host);
}

/** What the destination says now; one that has everything but the data is given that. */
async function taken(
  { departure: { id, handed }, departure }: MigrationLink,
  peer: MigrationPeer,
): ReturnType<MigrationPeer['outcome']> {
  const said = await peer.outcome(id);
  if (said === 'prepared') {
    departure.restore = await peer.take(id, recordsOf(handed.data), handed.vmState ?? 'off');
    return 'taken';
  }
  if (said !== 'unknown') return said;
  // A message of old must not bring it there any more.
  await peer.abandon(id);
  return peer.outcome(id);
}

/** What came of the decision; one that came too late to be `owner`'s is put right. */
function concluded(
  { departure }: MigrationLink,
  owner: MigrationRuling['owner'],
  found: SupersededCopy,
): void {
  if (departure.ruling === undefined) return;
  departure.ruling = { ...departure.ruling, owner, found };
  departure.tellRuling();
}

/** Asks again and again, each time that host is there and once a virtual second; `undefined`: `isOff` by now. */
async function untilAnswered<T>(
  link: MigrationLink,
  ask: (peer: MigrationPeer) => Promise<T>,
): Promise<T>;
async function untilAnswered<T>(
  link: MigrationLink,
  ask: (peer: MigrationPeer) => Promise<T>,
  isOff: () => boolean,
): Promise<T | undefined>;
async function untilAnswered<T>(
  link: MigrationLink,
  ask: (peer: MigrationPeer) => Promise<T>,
  isOff = (): boolean => false,
): Promise<T | undefined> {
  for (;;) {
    link.mustBeCurrent();
    if (isOff()) return undefined;
    try {
      const peer = link.peer();
      if (peer !== undefined) {
        const answer = await ask(peer);
        link.mustBeCurrent();
        return answer;
      }
    } catch (error) {
      if (error instanceof Interrupted) throw error;
    }
    await link.wait();
  }
}

function keptHere(why: string): { readonly code: string; readonly message: string } {
  return { code: 'ILLEGAL_TRANSITION', message: `${why}: import what is kept here` };
}

function decided(error: MigrationInfo['error']): NonNullable<MigrationInfo['error']> {
  const { code = 'HOST_UNREACHABLE', message = 'the destination does not answer' } = error ?? {};
  return { code, message: `${message}; a person has decided that the VM stays on this host` };
}

function noAnswer(host: string): ExtSwitchError {
  return new ExtSwitchError(
    'HOST_UNREACHABLE',
    `host ${JSON.stringify(host)} does not say whether it has taken the VM`,
    { rule: 'G39' },
  );
}
