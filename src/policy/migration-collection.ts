import { ExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';
import type { Transaction } from './change-log.ts';
import { findSwitch } from './find-switch.ts';
import { findOne } from './lookup.ts';
import type {
  ArrivalInfo,
  CompatibilityReport,
  MigrationCollection,
  MigrationDestination,
  MigrationInfo,
  MigrationOptions,
  MigrationPeer,
  MigrationSettlement,
  PortableDocument,
} from './migration-api.ts';
import { type Arrival, write } from './migration-arrival.ts';
import { Departure } from './migration-departure.ts';
import { Destination } from './migration-destination.ts';
import { documentOf } from './migration-document.ts';
import { incompatible } from './migration-error.ts';
import { compareHere, moveHere } from './migration-local.ts';
import { migrationKey, putMigration } from './migration-records.ts';
import { MigrationSource, mappingOf } from './migration-source.ts';
import { isMigrating, Travel } from './migration-travel.ts';
import { remove } from './records.ts';
import type { VmEntry } from './vm-entry.ts';
import type { World } from './world.ts';

/** Ended migrations that are remembered. */
const HISTORY = 1000;
/** Milliseconds of the machine's clock that the answer of a host is waited for. */
const RESUME_MS = 1000;

/** Migrations of a world's VMs. */
export class Migrations implements MigrationCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;

  constructor(world: World, transaction: Transaction | undefined) {
    this.#world = world;
    this.#transaction = transaction;
  }

  async start(options: MigrationOptions): Promise<MigrationInfo> {
    if (this.#transaction !== undefined) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        'a migration is not possible inside an atomic change',
      );
    }
    const vm = findVm(this.#world, options.vm);
    const { destination, dryRun = false } = options;
    if (vm.travel !== undefined) throw isMigrating(vm, vm.travel);
    const peer = this.#isHere(destination) ? undefined : this.#peer(destination);
    if (dryRun) return this.#dryRun(vm, destination, peer);
    if (peer === undefined) return this.#moveHere(vm, destination);
    const departure = this.#departure(vm, destination, 'hosts');
    vm.travel = new Travel(departure.id);
    departure.done = this.#run(new MigrationSource(this.#world, departure, vm), peer);
    return departure.info;
  }

  async #run(source: MigrationSource, peer: MigrationPeer): Promise<void> {
    await source.run(peer);
    await this.#trim();
  }

  /** To another switch of this host. */
  #moveHere(vm: VmEntry, destination: MigrationDestination): MigrationInfo {
    const { switch: wanted } = destination;
    if (wanted === undefined) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `VM ${JSON.stringify(vm.name)} is on this host already: name another host, or another switch of this one`,
        { member: 'destination.host', expected: 'another host, or a switch' },
      );
    }
    const { id } = findSwitch(this.#world, wanted);
    const departure = this.#departure(vm, destination, 'switches');
    departure.done = moveHere(this.#world, departure, vm, id).then(() => this.#trim());
    return departure.info;
  }

  async #dryRun(
    vm: VmEntry,
    destination: MigrationDestination,
    peer: MigrationPeer | undefined,
  ): Promise<MigrationInfo> {
    const departure = this.#departure(vm, destination, 'dry');
    departure.begin('compare');
    try {
      const report = await compared(this.#world, vm, destination, peer);
      departure.report = report;
      if (report.ok) departure.succeed();
      else departure.fail(incompatible(vm.name, departure.host, report));
    } catch (error) {
      departure.fail(error);
    }
    departure.isOver = true;
    await this.#trim();
    return departure.info;
  }

  #departure(vm: VmEntry, destination: MigrationDestination, kind: Departure['kind']): Departure {
    const world = this.#world;
    const id = world.rng.guid();
    const order = world.nextOrder();
    const started = world.clock.now();
    const departure = new Departure(world, { id, vm, destination, order, started, kind });
    world.departures.set(id, departure);
    return departure;
  }

  async done(id: string): Promise<MigrationInfo> {
    const departure = this.#find(id);
    await departure.done;
    return departure.info;
  }

  *list(): Iterable<MigrationInfo> {
    this.#world.mustHold();
    for (const departure of this.#world.departures.values()) yield departure.info;
  }

  get(id: string): MigrationInfo {
    this.#world.mustHold();
    return this.#find(id).info;
  }

  async resume(id: string): Promise<MigrationInfo> {
    const departure = this.#find(id);
    departure.wake?.();
    // As far as it comes by itself: one that does not answer still is no reason to wait here.
    const begun = performance.now();
    for (let turn = 0; !departure.isOver && departure.wake === undefined; turn += 1) {
      // In one process it takes some turns, over a network some milliseconds.
      if (turn < 100) await new Promise((resolve) => setImmediate(resolve));
      else if (performance.now() - begun > RESUME_MS) break;
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return departure.info;
  }

  async compare({
    vm,
    destination,
  }: Omit<MigrationOptions, 'dryRun'>): Promise<CompatibilityReport> {
    this.#world.mustHold();
    const peer = this.#isHere(destination) ? undefined : this.#peer(destination);
    return compared(this.#world, findVm(this.#world, vm), destination, peer);
  }

  *arrivals(): Iterable<ArrivalInfo> {
    this.#world.mustHold();
    for (const arrival of this.#world.arrivals.values()) {
      const info = arrivalInfo(arrival);
      if (info !== undefined) yield info;
    }
  }

  async abandon(id: string): Promise<ArrivalInfo> {
    const world = this.#world;
    const arrival = world.arrivals.get(keyOf(id));
    const info = arrival && arrivalInfo(arrival);
    if (arrival === undefined || info === undefined) {
      throw new ExtSwitchError('NOT_FOUND', `there is no arrival ${id}`, { found: id });
    }
    if (info.state === 'prepared') await new Destination(world).abandon(arrival.id);
    if (arrival.state === 'taken') {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `VM ${JSON.stringify(info.vm.name)} was taken and is this host's: delete it instead`,
        { rule: 'G40', expected: 'prepared', found: 'taken' },
      );
    }
    return arrivalInfo(arrival) ?? info;
  }

  async settle(id: string, { owner, confirm }: MigrationSettlement): Promise<MigrationInfo> {
    const departure = this.#find(id);
    if (owner !== 'source' && owner !== 'destination') {
      const expected = 'source or destination';
      const text = `owner ${JSON.stringify(owner)}: expected ${expected}`;
      throw new ExtSwitchError('INVALID_ARGUMENT', text, { member: 'owner', expected });
    }
    const { host } = departure;
    if (confirm !== host) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `confirm ${JSON.stringify(confirm)}: expected the name of the host that does not answer, ${JSON.stringify(host)}`,
        { member: 'confirm', expected: host, found: String(confirm) },
      );
    }
    mustBeOpenTo(departure, owner);
    const answer = await this.#answerOf(departure);
    mustBeOpenTo(departure, owner);
    if (answer !== undefined) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `host ${JSON.stringify(host)} answers (${answer}): it decides, and the migration goes on by itself`,
        { found: answer },
      );
    }
    departure.ruling = { owner, time: this.#world.clock.now() };
    const over = departure.whenOver();
    departure.wake?.();
    await over;
    return departure.info;
  }

  /** What the destination says of it; `undefined` when it does not answer. */
  async #answerOf({ id, host }: Departure): Promise<string | undefined> {
    try {
      return await this.#world.hosts?.peer(host)?.outcome(id);
    } catch {
      return undefined;
    }
  }

  kept(id: string): PortableDocument {
    this.#world.mustHold();
    const { kept, departure } = this.#keeper(id);
    if (kept === undefined) throw nothingKept(id);
    if (departure?.state === 'released') {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `VM ${JSON.stringify(departure.vm.name)} is decided to be on host ${JSON.stringify(departure.host)}, which has not answered yet: ` +
          'decide for the source first, so that it is not on two',
        { rule: 'G39', found: departure.state },
      );
    }
    return kept;
  }

  async discard(id: string): Promise<void> {
    const { kept, departure, arrival } = this.#keeper(id);
    if (kept === undefined) throw nothingKept(id);
    const one = departure ?? arrival;
    if (one === undefined) return;
    one.kept = undefined;
    try {
      const { changes } = this.#world;
      const record = departure?.record(departure.state) ?? arrival?.record('superseded');
      if (record === undefined) return;
      await changes.run(undefined, () => write(this.#world, [putMigration(one.id, record)]));
    } catch (error) {
      one.kept = kept;
      throw error;
    }
  }

  #keeper(id: string): {
    readonly kept: PortableDocument | undefined;
    readonly departure?: Departure;
    readonly arrival?: Arrival;
  } {
    const { departures, arrivals } = this.#world;
    const guid = keyOf(id);
    const departure = departures.get(guid);
    if (departure !== undefined) return { kept: departure.kept, departure };
    const arrival = arrivals.get(guid);
    return arrival === undefined ? { kept: undefined } : { kept: arrival.kept, arrival };
  }

  #find(id: string): Departure {
    const found = this.#world.departures.get(keyOf(id));
    if (found !== undefined) return found;
    throw new ExtSwitchError('NOT_FOUND', `there is no migration ${id}`, { found: id });
  }

  #isHere({ host }: MigrationDestination): boolean {
    return host === undefined || host === this.#world.name;
  }

  #peer({ host = '' }: MigrationDestination): MigrationPeer {
    const peer = this.#world.hosts?.peer(host);
    if (peer !== undefined) return peer;
    if (this.#world.hosts?.knows?.(host) === true) {
      throw new ExtSwitchError(
        'HOST_UNREACHABLE',
        `host ${JSON.stringify(host)} does not answer host ${JSON.stringify(this.#world.name)}: it is not alive, or its world is not open yet`,
        { member: 'destination.host', found: host },
      );
    }
    throw new ExtSwitchError(
      'NOT_FOUND',
      `no host ${JSON.stringify(host)} can be reached from host ${JSON.stringify(this.#world.name)}`,
      { member: 'destination.host', found: host },
    );
  }

  async #trim(): Promise<void> {
    const { departures, farewells, isClosed } = this.#world;
    if (isClosed) return;
    for (const [id, { isOver, isFinal, kind, kept }] of departures) {
      if (departures.size <= HISTORY) return;
      if (!isOver || !isFinal || kept !== undefined || farewells.owes(id)) continue;
      departures.delete(id);
      if (kind !== 'hosts') continue;
      try {
        await write(this.#world, [remove(migrationKey(id))]);
      } catch (error) {
        this.#world.log('warn', `migration ${id} could not be forgotten`, { error: String(error) });
      }
    }
  }
}

function arrivalInfo({ id, vm, state, kept }: Arrival): ArrivalInfo | undefined {
  if (state === 'unknown') return undefined;
  return { id, vm, state, ...(kept === undefined ? {} : { kept: true }) };
}

function nothingKept(id: string): ExtSwitchError {
  return new ExtSwitchError('NOT_FOUND', `nothing of migration ${id} is kept here`, { found: id });
}

/** A person may decide only what is not decided, or was by a person and has not come true. */
function mustBeOpenTo({ id, state, host, ruling }: Departure, owner: string): void {
  if (state === 'handing' && ruling === undefined) return;
  if (state === 'released' && owner === 'source') return;
  const is = state === 'preparing' || state === 'handing' ? 'still under way' : 'decided';
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `migration ${id} to host ${JSON.stringify(host)} is ${is}: there is nothing to settle`,
    { rule: 'G39', expected: 'handing', found: state },
  );
}

function findVm(world: World, idOrName: string): VmEntry {
  const { vms } = world;
  return findOne(
    'VM',
    idOrName,
    (id) => vms.get(id),
    vms.values(),
    ({ name }) => name,
  );
}

/** What is not a GUID names nothing: it is not found, as one that is. */
const keyOf = (id: string): string => tryParseGuid(id) ?? id;

/** The report of the other host, or of this one when `peer` is left out. */
async function compared(
  world: World,
  vm: VmEntry,
  destination: MigrationDestination,
  peer: MigrationPeer | undefined,
): Promise<CompatibilityReport> {
  if (peer === undefined) return compareHere(world, vm, destination.switch);
  const document = documentOf(world, vm);
  return peer.compare(document, mappingOf(document.vm.adapters, destination.switch));
}
