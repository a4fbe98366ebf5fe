import { nextState } from '../../switch/states.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Guid } from '../core/guid.ts';
import type { RestoreReport } from './api.ts';
import type {
  CompatibilityReport,
  MigrationDestination,
  MigrationInfo,
  MigrationRuling,
  MigrationStep,
  MigrationStepName,
  PortableDocument,
} from './migration-api.ts';
import { errorInfo } from './migration-error.ts';
import type { DepartureRecord, StoredData } from './migration-records.ts';
import { DEPARTURE_STATES, type DepartureEvent, type DepartureState } from './migration-states.ts';
import type { World } from './world.ts';

/** One VM on its way from this host: where it stands, for people and for the store. */
export class Departure {
  readonly id: Guid;
  readonly vm: { readonly id: Guid; readonly name: string };
  readonly destination: MigrationDestination;
  readonly order: number;
  readonly started: number;
  /** To another host; or here, to another switch; or only the report was asked for. What is not between hosts is not stored. */
  readonly kind: 'hosts' | 'switches' | 'dry';
  state: DepartureState = 'preparing';
  steps: readonly MigrationStep[] = [];
  report: CompatibilityReport | undefined;
  restore: RestoreReport | undefined;
  error: MigrationInfo['error'];
  /** `handing`: what the VM was, to take it back. */
  handed: Pick<DepartureRecord, 'vmState' | 'data'> = {};
  /** Nothing more will come of it, here. */
  isOver = false;
  /** A person has decided. */
  ruling: MigrationRuling | undefined;
  /** The VM that nobody has, or the destination by decision. */
  kept: PortableDocument | undefined;
  /** Wakes it when it waits for the other host. */
  wake: (() => void) | undefined;
  /** It has ended, or was cut off by the end of the world. */
  done: Promise<void> = Promise.resolve();
  readonly #world: World;
  readonly #waiting: (() => void)[] = [];

  constructor(
    world: World,
    facts: Pick<Departure, 'id' | 'vm' | 'destination' | 'order' | 'started' | 'kind'>,
  ) {
    this.#world = world;
    this.id = facts.id;
    this.vm = { id: facts.vm.id, name: facts.vm.name };
    this.destination = facts.destination;
    this.order = facts.order;
    this.started = facts.started;
    this.kind = facts.kind;
  }

  static stored(world: World, id: Guid, record: DepartureRecord): Departure {
    const departure = new Departure(world, { id, started: 0, ...record, kind: 'hosts' });
    departure.state = record.state;
    departure.steps = record.steps;
    departure.report = record.report;
    departure.restore = record.restore;
    departure.error = record.error;
    departure.ruling = record.ruling;
    departure.kept = record.kept;
    departure.handed = handedOf(record.vmState, record.data);
    departure.isOver = !['preparing', 'handing', 'cancelling'].includes(record.state);
    return departure;
  }

  /** The other host has been told all there is to tell. */
  get isFinal(): boolean {
    return this.kind !== 'hosts'
      ? this.isOver
      : this.state === 'failed' || this.state === 'succeeded';
  }

  /** It is over, as far as this host goes. */
  end(): void {
    this.isOver = true;
    this.handed = this.state === 'released' ? this.handed : {};
    this.interrupt();
  }

  /** Wakes who waits for {@link end}, also when it does not come. */
  interrupt(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Settles when it is over, waits for the store, or is cut off by the end of the world. */
  whenOver(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The host it goes to. */
  get host(): string {
    return this.destination.host ?? this.#world.name;
  }

  next(event: DepartureEvent): DepartureState {
    return nextState(DEPARTURE_STATES, this.state, event, `migration ${this.id}`);
  }

  record(state: DepartureState): DepartureRecord {
    const { vm, destination, order, started, steps, report, restore, error, handed, ruling, kept } =
      this;
    return {
      role: 'source',
      state,
      order,
      started,
      vm,
      destination,
      steps,
      ...(state === 'handing' || state === 'released' ? handed : {}),
      ...(report === undefined ? {} : { report }),
      ...(restore === undefined ? {} : { restore }),
      ...(error === undefined ? {} : { error }),
      ...(ruling === undefined ? {} : { ruling }),
      ...(kept === undefined ? {} : { kept }),
    };
  }

  get info(): MigrationInfo {
    const { id, vm, destination, started, steps, report, restore, error, ruling, kept } = this;
    return {
      id,
      vm,
      destination,
      started,
      state: this.#shownState(),
      ...(this.kind === 'dry' ? { dryRun: true } : {}),
      steps,
      ...(report === undefined ? {} : { report }),
      ...(restore === undefined ? {} : { restore }),
      ...(error === undefined ? {} : { error }),
      ...(ruling === undefined || !this.isOver ? {} : { settled: ruling }),
      ...(kept === undefined ? {} : { kept: true }),
    };
  }

  #shownState(): MigrationInfo['state'] {
    if (!this.isOver) return 'running';
    return this.error === undefined ? 'succeeded' : 'failed';
  }

  /** A step begins; the one before it has succeeded. */
  begin(name: MigrationStepName): void {
    this.succeed();
    this.steps = [...this.steps, { name, state: 'running' }];
    this.#tell(name, 'running');
  }

  succeed(): void {
    const last = this.steps.at(-1);
    if (last?.state !== 'running') return;
    this.steps = [...this.steps.slice(0, -1), { ...last, state: 'succeeded' }];
    this.#tell(last.name, 'succeeded');
  }

  /** The step under way has failed, and with it the migration. */
  fail(error: unknown): void {
    this.error ??= errorInfo(error);
    const last = this.steps.at(-1);
    if (last?.state !== 'running') return;
    const place = error instanceof ExtSwitchError ? error.place : {};
    const step: MigrationStep = {
      name: last.name,
      state: 'failed',
      ...(place.oid === undefined ? {} : { oid: place.oid }),
      ...(place.ndisStatus === undefined ? {} : { ndisStatus: place.ndisStatus }),
      message: errorInfo(error).message,
    };
    this.steps = [...this.steps.slice(0, -1), step];
    this.#tell(last.name, 'failed');
  }

  /** What the step under way waits for. */
  note(message: string): void {
    const last = this.steps.at(-1);
    if (last?.state !== 'running' || last.message === message) return;
    this.steps = [...this.steps.slice(0, -1), { ...last, message }];
    this.#tell(last.name, 'waiting');
  }

  /** A person's decision, and what came of it, for all to see. */
  tellRuling(): void {
    const { events, clock } = this.#world;
    const { owner = 'source', found } = this.ruling ?? {};
    events.add(clock.now(), 'state', undefined, {
      event: 'migrationSettled',
      migration: this.id,
      vm: this.vm.name,
      id: this.vm.id,
      host: this.host,
      owner,
      ...(found === undefined ? {} : { copy: found.copy }),
      ...(found?.host === undefined ? {} : { copyOn: found.host }),
    });
  }

  #tell(step: MigrationStepName, state: string): void {
    const { events, clock } = this.#world;
    events.add(clock.now(), 'state', undefined, {
      event: 'migrationStep',
      migration: this.id,
      vm: this.vm.name,
      id: this.vm.id,
      host: this.host,
      step,
      state,
    });
  }
}

function handedOf(
  vmState: DepartureRecord['vmState'],
  data: StoredData | undefined,
): Departure['handed'] {
  return vmState === undefined || data === undefined ? {} : { vmState, data };
}
