import { ExtSwitchError } from '../src/core/errors.ts';
import type { Guid } from '../src/core/guid.ts';
import { isErrorStatus } from '../src/core/status.ts';
import type { ExtensionDefinition, Settings } from '../src/sdk/extension.ts';
import {
  ConnectionOperations,
  type ConnectionOptions,
  type ConnectionOutcome,
} from './connection-operations.ts';
import { DriverStack, type StackFailure } from './driver-stack.ts';
import type { PropertyCodec, SwitchEnvironment } from './environment.ts';
import type { FilterModule } from './filter-module.ts';
import { SwitchMiniportEdge } from './miniport-edge.ts';
import { NicOperations, type NicsOutcome } from './nic-operations.ts';
import type { DriverRequest, NicRequestOutcome } from './nic-requests.ts';
import type { OidRequest } from './oid-request.ts';
import { Pipeline } from './pipeline.ts';
import { PortOperations } from './port-operations.ts';
import {
  type Nic,
  type NicChange,
  type NicOptions,
  Port,
  type PortOptions,
  type PropertyInstance,
  type PropertyOwner,
} from './ports.ts';
import { PropertyOperations, type PropertyOutcome } from './property-operations.ts';
import { ProtocolEdge } from './protocol-edge.ts';
import { References } from './references.ts';
import { type RestoreOutcome, SaveOperations, type SaveOutcome } from './save-operations.ts';
import type { SaveRecord } from './save-record.ts';
import { nextState, PORT_STATES, type SwitchEvent } from './states.ts';
import { type StatusAnswer, StatusOperations } from './status-operations.ts';
import { StatusPath } from './status-path.ts';
import { drive, type MaybePromise, type Steps } from './steps.ts';
import { SuspendOperations, type SuspendStep } from './suspend-operations.ts';
import { SwitchAdapters } from './switch-adapters.ts';
import { type StartOptions, SwitchLife } from './switch-life.ts';
import { SwitchState, type SwitchType } from './switch-state.ts';
import type { OffloadOutcome } from './vf-operations.ts';

/** What a caller does in the turn of its operation, when everything before it is done and nothing after it has begun. */
export interface Turn<T> {
  /** Before the first OID; what it throws refuses the operation. */
  readonly check?: () => void;
  /** When the operation has succeeded and its object is in the switch's tables (or gone from them). */
  readonly accepted?: (object: T) => void;
}

const NO_TURN = {};

export interface SwitchOptions {
  readonly id: Guid;
  readonly name: string;
  readonly type: SwitchType;
}

/**
 * One switch instance: a deterministic machine of tables, a driver stack and the two edges (rule A1). Every operation is
 * synchronous until an extension pends; then it gives a promise. Operations run one at a time in the order they came.
 */
export class Switch {
  readonly state: SwitchState;
  readonly environment: SwitchEnvironment;
  readonly pipeline: Pipeline;
  readonly references: References;
  readonly #stack: DriverStack;
  readonly #life: SwitchLife;
  readonly #edge: ProtocolEdge;
  readonly #properties: PropertyOperations;
  readonly #ports: PortOperations;
  readonly #nics: NicOperations;
  readonly #connections: ConnectionOperations;
  readonly #adapters: SwitchAdapters;
  readonly #saves: SaveOperations;
  readonly #suspension: SuspendOperations;
  readonly #status: StatusOperations;

  constructor(options: SwitchOptions, environment: SwitchEnvironment) {
    this.environment = environment;
    this.state = new SwitchState(options.id, options.name, options.type, environment.ndis);
    const miniport = new SwitchMiniportEdge(this.state, environment.catalog);
    this.pipeline = new Pipeline(environment, this.state.name, miniport);
    this.references = new References(this.state, environment);
    const statusPath = new StatusPath({
      state: this.state,
      environment,
      modules: () => this.#stack.modules,
      removeVf: (nic) => this.#adapters.removeRaisedVf(nic),
    });
    this.#stack = new DriverStack(
      {
        state: this.state,
        environment,
        pipeline: this.pipeline,
        references: this.references,
        statusPath,
        modules: () => this.#stack.modules,
        requestRestart: (module) => this.#life.requestRestart(module),
      },
      () => this.#edge.turn(),
    );
    const isSeeded = environment.behaviour.scheduling === 'seeded';
    this.#edge = new ProtocolEdge(
      this.pipeline,
      () => this.#stack.modules,
      isSeeded ? environment.rng : undefined,
    );
    this.#life = new SwitchLife(this.state, environment, this.#edge, this.#stack);
    this.#properties = new PropertyOperations(
      this.#edge,
      this.pipeline,
      environment.behaviour.transientRetries,
    );
    this.#ports = new PortOperations(this.state, this.#edge, environment);
    this.#adapters = new SwitchAdapters({
      state: this.state,
      environment,
      edge: this.#edge,
      statusPath,
      updateNic: (port, nic, change) => this.#nics.update(port, nic, change),
      operate: (port, turn, steps, object, event) =>
        this.#operate(this.#ownerOf(port), turn, steps, object, event),
    });
    this.#nics = new NicOperations(this.state, this.#edge, environment, (nic) =>
      this.#adapters.releaseOffloads(nic),
    );
    this.#connections = new ConnectionOperations({
      edge: this.#edge,
      ports: this.#ports,
      nics: this.#nics,
      properties: this.#properties,
    });
    this.#saves = new SaveOperations(this.state, this.#edge, environment);
    this.#suspension = new SuspendOperations(this.state, this.#edge, environment);
    this.#status = new StatusOperations(this.#edge);
    environment.observer?.created(this);
  }

  /** Modules now in the stack, top to bottom. */
  get modules(): readonly FilterModule[] {
    return this.#stack.modules;
  }

  /** Operations waiting behind the one that runs. */
  get queued(): number {
    return this.#edge.queued;
  }

  /** Extensions without which the switch does not run (rule A50). */
  get required(): ReadonlySet<Guid> {
    return this.#stack.required;
  }

  /** Why an extension that is wanted in the stack does not run (rules A49, A50), or `undefined`. */
  problemOf(extensionId: Guid): string | undefined {
    return this.#stack.problems.get(extensionId);
  }

  /** Builds the stack and activates the switch (S1 steps 2-9); `activate: false` leaves that to {@link activateNow}. */
  start(
    extensions: readonly ExtensionDefinition[],
    options: StartOptions = NO_TURN,
  ): MaybePromise<readonly StackFailure[]> {
    return this.#life.start(extensions, options);
  }

  /**
   * Activates a switch started with `activate: false` (OP-20). Not an operation that waits for its turn: extensions may be
   * holding OIDs until the event comes. Throws `ILLEGAL_TRANSITION` when it is active or not running.
   */
  activateNow(): void {
    this.#life.activate();
  }

  /**
   * Enables, disables, reorders: `wanted` is the new stack, top to bottom (S13, S14). Without one of `required` (default: as
   * before) the whole stack goes down and the switch takes no operations until a change brings it up again (rule A50).
   */
  changeStack(
    wanted: readonly ExtensionDefinition[],
    required?: Iterable<Guid>,
  ): MaybePromise<readonly StackFailure[]> {
    return this.#life.change(wanted, required);
  }

  /** Pauses the stack and restarts it as it is, when its turn comes (rule A46). */
  restartStack(): MaybePromise<void> {
    return this.#life.restart();
  }

  /**
   * One operation of several OIDs; `object` says what of the outcome was accepted. Steps are those of a generator method:
   * V8 makes a prototype and a hidden class for every generator function that is written as a closure, each time anew.
   */
  #operate<T, A>(
    owner: object | undefined,
    turn: Turn<A>,
    steps: () => Steps<T>,
    object: (outcome: T) => A | undefined,
    event: SwitchEvent = 'operate',
  ): MaybePromise<T> {
    return this.#edge.run(() => {
      this.#life.allow(event);
      turn.check?.();
      return drive(turn.accepted === undefined ? steps() : accepting(steps(), turn, object));
    }, owner);
  }

  /** What operations on a port exclude each other by: the host's own connections look at each other (rules C8, OP-36). */
  #ownerOf(port: Pick<Port, 'type'>): object {
    return port.type === 'external' || port.type === 'internal' ? this.state.ports : port;
  }

  #lockOf(owner: PropertyOwner): object {
    return owner instanceof Port ? this.#ownerOf(owner) : owner;
  }

  createPort(
    options: PortOptions,
    turn: Turn<Port> = NO_TURN,
  ): MaybePromise<{ port: Port; request: OidRequest }> {
    return this.#operate(
      undefined,
      turn,
      () => this.#ports.create(options),
      ({ port, request }) => (isErrorStatus(request.status) ? undefined : port),
    );
  }

  /** PORT_UPDATED (rule B19). */
  updatePort(
    port: Port,
    change: { readonly friendlyName: string },
    turn: Turn<Port> = NO_TURN,
  ): MaybePromise<void> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#ports.update(port, change.friendlyName),
      () => port,
    );
  }

  /** NICs away, then the port (S3 steps 2-7, S8 step 8). */
  deletePort(port: Port, turn: Turn<Port> = NO_TURN): MaybePromise<void> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#connections.close(port),
      () => port,
      'takeAway',
    );
  }

  /** A port with its policies and NICs, or nothing of it (S2 steps 2-6, S8 steps 1-6). */
  openConnection(
    options: ConnectionOptions,
    turn: Turn<Port> = NO_TURN,
  ): MaybePromise<ConnectionOutcome> {
    const { type } = options.port;
    const owner = type === 'external' || type === 'internal' ? this.state.ports : undefined;
    return this.#operate(
      owner,
      turn,
      () => this.#connections.open(options),
      ({ port }) => port,
    );
  }

  /** Asks the extensions whether they would take a port and its policies (rules B44-B47, OP-19). */
  validateConnection(
    options: Omit<ConnectionOptions, 'nics'>,
    turn: Turn<Port> = NO_TURN,
  ): MaybePromise<ConnectionOutcome> {
    return this.#operate(
      undefined,
      turn,
      () => this.#connections.validate(options),
      ({ port }) => port,
    );
  }

  /** NIC_CREATE of all, then NIC_CONNECT of all (rule C52), on a port that is there: also one used before (rule B15). */
  openNics(
    port: Port,
    wanted: readonly NicOptions[],
    turn: Turn<Port> & { readonly connect?: boolean } = NO_TURN,
  ): MaybePromise<NicsOutcome> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#nics.open(port, wanted, turn.connect),
      (outcome) => (outcome.nics === undefined ? undefined : port),
    );
  }

  /** All NICs of a port, in the order of rule C54; the port and its policies stay (rule C33). */
  closeNics(port: Port, turn: Turn<Port> = NO_TURN): MaybePromise<void> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#nics.close(port),
      () => port,
      'takeAway',
    );
  }

  /** One NIC: NIC_CREATE, NIC_CONNECT; `request` is the NIC_CREATE, which may be refused. */
  connectNic(
    port: Port,
    options: NicOptions,
    turn: Turn<Nic> = NO_TURN,
  ): MaybePromise<{ nic: Nic; request: OidRequest }> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#nics.connect(port, options),
      ({ nic, request }) => (isErrorStatus(request.status) ? undefined : nic),
    );
  }

  /** NIC_CONNECT of a NIC that was left created (rule C26). */
  bindNic(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<void> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#nics.bind(port, nic),
      () => nic,
    );
  }

  /** NIC_UPDATED (rules C28, C29). */
  updateNic(
    port: Port,
    nic: Nic,
    change: NicChange,
    turn: Turn<Nic> = NO_TURN,
  ): MaybePromise<void> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#nics.update(port, nic, change),
      () => nic,
    );
  }

  /** A driver above the switch issues a hardware-offload or multicast OID (rules D24-D29). */
  nicRequest(wanted: DriverRequest): MaybePromise<NicRequestOutcome> {
    return this.#adapters.request(wanted);
  }

  /** A virtual function for a VM's NIC (S2 step 7); refused by a veto or a used-up adapter. */
  assignVf(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<OffloadOutcome> {
    return this.#adapters.assignVf(port, nic, turn);
  }

  /** The NIC goes back to the synthetic path (S17 step 3). */
  removeVf(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<void> {
    return this.#adapters.removeVf(port, nic, turn);
  }

  /** Before a migration: back to the synthetic path if it has a virtual function (rule G46, S11 step 3). */
  fallBackToSynthetic(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<void> {
    return this.#adapters.fallBack(port, nic, turn);
  }

  /** A receive queue of the adapter, with a filter, for a NIC (S2 step 7). */
  assignQueue(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<OffloadOutcome> {
    return this.#adapters.assignQueue(port, nic, turn);
  }

  /** The NIC's multicast list becomes `macs`, six bytes each (rule D26). */
  multicast(
    port: Port,
    nic: Nic,
    macs: readonly Uint8Array[],
    turn: Turn<Nic> = NO_TURN,
  ): MaybePromise<void> {
    return this.#adapters.multicast(port, nic, macs, turn);
  }

  /** The driver of the adapter with this index below the external NIC indicates a status (rule H1). */
  indicateAdapterStatus(index: number, statusCode: number, data?: Uint8Array): void {
    this.#adapters.indicate(index, statusCode, data);
  }

  /** The adapter's link goes up or down; NDIS_STATUS_LINK_STATE when that is a change (rule H1, S8 step 7). */
  setLink(index: number, up: boolean): void {
    this.#adapters.setLink(index, up);
  }

  /** One NIC: NIC_DISCONNECT, NIC_DELETE. */
  disconnectNic(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<void> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#nics.remove(port, nic),
      () => nic,
      'takeAway',
    );
  }

  /** Run-time data of the port's NIC (rules G1-G22, S9 steps 2-5). A save that an extension failed is no error: see `refused`. */
  saveNic(port: Port, nic: Nic, turn: Turn<SaveOutcome> = NO_TURN): MaybePromise<SaveOutcome> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#saves.save(port, nic),
      (outcome) => (outcome.refused === undefined ? outcome : undefined),
    );
  }

  /** Gives saved run-time data back (rules G23-G35, S10 steps 2-5); `records` in the order they were saved. */
  restoreNic(
    port: Port,
    nic: Nic,
    records: readonly SaveRecord[],
    turn: Turn<RestoreOutcome> = NO_TURN,
  ): MaybePromise<RestoreOutcome> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#saves.restore(port, nic, records),
      (outcome) => (outcome.refused === undefined ? outcome : undefined),
    );
  }

  /** NIC_SUSPEND (rule G44, OP-39); false, here and in the three below, when this switch does not use the OID. */
  suspendNic(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<boolean> {
    return this.#suspend(port, nic, 'suspend', turn);
  }

  /** NIC_RESUME. */
  resumeNic(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<boolean> {
    return this.#suspend(port, nic, 'resume', turn);
  }

  /** NIC_SUSPENDED_LM_SOURCE_STARTED, on the source host before the save (S11 step 2). */
  startMigrationSource(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<boolean> {
    return this.#suspend(port, nic, 'migrationSourceStarted', turn);
  }

  /** NIC_SUSPENDED_LM_SOURCE_FINISHED, after SAVE_COMPLETE or on abort, while the NIC is connected (S11 step 7). */
  finishMigrationSource(port: Port, nic: Nic, turn: Turn<Nic> = NO_TURN): MaybePromise<boolean> {
    return this.#suspend(port, nic, 'migrationSourceFinished', turn);
  }

  #suspend(port: Port, nic: Nic, step: SuspendStep, turn: Turn<Nic>): MaybePromise<boolean> {
    return this.#operate(
      this.#ownerOf(port),
      turn,
      () => this.#suspension.change(port, nic, step),
      (sent) => (sent ? nic : undefined),
    );
  }

  /** `owner` is a port of this switch or its `state`. */
  addProperty(
    owner: PropertyOwner,
    property: PropertyInstance,
    turn: Turn<PropertyInstance> = NO_TURN,
  ): MaybePromise<PropertyOutcome> {
    return this.#edge.runWhole(() => {
      this.#mayChange(owner);
      turn.check?.();
      return this.#properties.add(owner, property, turn.accepted);
    }, this.#lockOf(owner));
  }

  updateProperty(
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    turn: Turn<PropertyInstance> = NO_TURN,
  ): MaybePromise<PropertyOutcome> {
    const edge = this.#edge;
    if (!edge.enter(owner)) return this.#updateLater(owner, property, settings, turn);
    let outcome: MaybePromise<PropertyOutcome>;
    try {
      outcome = this.#update(owner, property, settings, turn);
    } catch (error) {
      edge.leave();
      throw error;
    }
    return edge.left(outcome);
  }

  /** A method of its own, so that its closure is not allocated for updates that run at once. */
  #updateLater(
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    turn: Turn<PropertyInstance>,
  ): MaybePromise<PropertyOutcome> {
    return this.#edge.runWhole(
      () => this.#update(owner, property, settings, turn),
      this.#lockOf(owner),
    );
  }

  #update(
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    turn: Turn<PropertyInstance>,
  ): MaybePromise<PropertyOutcome> {
    this.#mayChange(owner);
    turn.check?.();
    return this.#properties.update(owner, property, settings, turn.accepted);
  }

  deleteProperty(
    owner: PropertyOwner,
    property: PropertyInstance,
    turn: Turn<PropertyInstance> = NO_TURN,
  ): MaybePromise<PropertyOutcome> {
    return this.#edge.runWhole(() => {
      this.#mayChange(owner, 'takeAway');
      turn.check?.();
      return this.#properties.delete(owner, property, turn.accepted);
    }, this.#lockOf(owner));
  }

  /** Feature status of a port (`portId`) or of the switch (-1). */
  queryStatus(
    portId: number,
    id: Guid,
    codec: PropertyCodec | undefined,
  ): MaybePromise<StatusAnswer> {
    // With the port as owner it neither begins nor goes on when the port is gone.
    const asked = this.state.ports.get(portId);
    const owner = asked === undefined ? undefined : this.#ownerOf(asked);
    return this.#edge.run(() => {
      this.#life.allow('operate');
      // Rule B22: no OID names a port that is gone.
      if (portId >= 0 && !this.state.ports.has(portId)) {
        throw new ExtSwitchError('NOT_FOUND', `port ${portId} no longer exists (rule B22)`, {
          rule: 'B22',
          found: String(portId),
        });
      }
      return drive(this.#status.query(portId, id, codec));
    }, owner);
  }

  /** Rule E20: property OIDs in the state created only. */
  #mayChange(owner: PropertyOwner, event: SwitchEvent = 'operate'): void {
    if (this.state.life !== 'active') this.#life.allow(event);
    if (owner.portId < 0) return;
    const port = this.state.ports.get(owner.portId);
    if (port === owner && port.state === 'created') return;
    nextState(PORT_STATES, port?.state ?? 'notCreated', 'property', `port ${owner.portId}`);
  }

  /** Ends what is in flight with REQUEST_ABORTED and takes the stack down; the switch is of no use afterwards. */
  stop(): MaybePromise<void> {
    this.#life.stop();
    for (const port of this.state.ports.values()) {
      port.onUnreferenced?.();
      for (const nic of port.nics.values()) nic.onUnreferenced?.();
    }
    this.pipeline.close();
    const stopped = this.changeStack([], []);
    return stopped instanceof Promise ? stopped.then(() => undefined) : undefined;
  }
}

/** Steps, then the turn's `accepted` with what `object` finds accepted of their outcome; `undefined`: nothing. */
function* accepting<T, A>(
  steps: Steps<T>,
  turn: Turn<A>,
  object: (outcome: T) => A | undefined,
): Steps<T> {
  const outcome = yield* steps;
  const accepted = object(outcome);
  if (accepted !== undefined) turn.accepted?.(accepted);
  return outcome;
}
