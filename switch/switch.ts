import { ExtSwitchError } from '../src/core/errors.ts';
import type { Guid } from '../src/core/guid.ts';
import type { ExtensionDefinition, Settings } from '../src/sdk/extension.ts';
import { DriverStack, type StackFailure } from './driver-stack.ts';
import type { PropertyCodec, SwitchEnvironment } from './environment.ts';
import type { FilterModule } from './filter-module.ts';
import { SwitchMiniportEdge } from './miniport-edge.ts';
import type { OidRequest } from './oid-request.ts';
import { Pipeline } from './pipeline.ts';
import { PortOperations } from './port-operations.ts';
import type {
  Nic,
  NicOptions,
  Port,
  PortOptions,
  PropertyInstance,
  PropertyOwner,
} from './ports.ts';
import { PropertyOperations, type PropertyOutcome } from './property-operations.ts';
import { ProtocolEdge } from './protocol-edge.ts';
import { References } from './references.ts';
import { nextState, PORT_STATES } from './states.ts';
import { type StatusAnswer, StatusOperations } from './status-operations.ts';
import { drive, type MaybePromise } from './steps.ts';
import { SwitchState, type SwitchType } from './switch-state.ts';

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
  readonly #edge: ProtocolEdge;
  readonly #properties: PropertyOperations;
  readonly #ports: PortOperations;
  readonly #status: StatusOperations;

  constructor(options: SwitchOptions, environment: SwitchEnvironment) {
    this.environment = environment;
    this.state = new SwitchState(options.id, options.name, options.type, environment.ndis);
    const miniport = new SwitchMiniportEdge(this.state, environment.catalog);
    this.pipeline = new Pipeline(environment, this.state.name, miniport);
    this.references = new References(this.state, environment);
    this.#stack = new DriverStack({
      state: this.state,
      environment,
      pipeline: this.pipeline,
      references: this.references,
      modules: () => this.#stack.modules,
    });
    this.#edge = new ProtocolEdge(this.pipeline, () => this.#stack.modules);
    this.#properties = new PropertyOperations(this.#edge, this.pipeline);
    this.#ports = new PortOperations(this.state, this.#edge, environment);
    this.#status = new StatusOperations(this.#edge);
  }

  /** Modules now in the stack, top to bottom. */
  get modules(): readonly FilterModule[] {
    return this.#stack.modules;
  }

  /** Operations waiting behind the one that runs. */
  get queued(): number {
    return this.#edge.queued;
  }

  /** Builds the stack and activates the switch (S1 steps 2-9; OP-20: before any port). */
  start(extensions: readonly ExtensionDefinition[]): MaybePromise<readonly StackFailure[]> {
    const self = this;
    return this.#edge.run(() =>
      drive(
        (function* () {
          const failures = yield* self.#stack.change(extensions);
          self.state.isActive = true;
          self.environment.stateChange(self.state.name, { event: 'switchActivated' });
          self.#stack.activate();
          return failures;
        })(),
      ),
    );
  }

  /** Enables, disables, reorders: `wanted` is the new stack, top to bottom (S13, S14). */
  changeStack(wanted: readonly ExtensionDefinition[]): MaybePromise<readonly StackFailure[]> {
    return this.#edge.run(() => drive(this.#stack.change(wanted)));
  }

  createPort(
    options: PortOptions,
    turn: Turn<Port> = {},
  ): MaybePromise<{ port: Port; request: OidRequest }> {
    return this.#edge.run(() => {
      turn.check?.();
      return drive(this.#ports.create(options, turn.accepted));
    });
  }

  deletePort(port: Port, turn: Turn<Port> = {}): MaybePromise<void> {
    return this.#edge.run(() => {
      turn.check?.();
      return drive(this.#ports.delete(port, turn.accepted));
    });
  }

  connectNic(
    port: Port,
    options: NicOptions,
    turn: Turn<Nic> = {},
  ): MaybePromise<{ nic: Nic; request: OidRequest }> {
    return this.#edge.run(() => {
      turn.check?.();
      return drive(this.#ports.connectNic(port, options, turn.accepted));
    });
  }

  disconnectNic(port: Port, nic: Nic, turn: Turn<Nic> = {}): MaybePromise<void> {
    return this.#edge.run(() => {
      turn.check?.();
      return drive(this.#ports.disconnectNic(port, nic, turn.accepted));
    });
  }

  /** `owner` is a port of this switch or its `state`. */
  addProperty(
    owner: PropertyOwner,
    property: PropertyInstance,
    turn: Turn<PropertyInstance> = NO_TURN,
  ): MaybePromise<PropertyOutcome> {
    return this.#edge.run(() => {
      this.#mayChange(owner);
      turn.check?.();
      return this.#properties.add(owner, property, turn.accepted);
    });
  }

  updateProperty(
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    turn: Turn<PropertyInstance> = NO_TURN,
  ): MaybePromise<PropertyOutcome> {
    const edge = this.#edge;
    if (!edge.enter()) return this.#updateLater(owner, property, settings, turn);
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
    return this.#edge.run(() => this.#update(owner, property, settings, turn));
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
    return this.#edge.run(() => {
      this.#mayChange(owner);
      turn.check?.();
      return this.#properties.delete(owner, property, turn.accepted);
    });
  }

  /** Feature status of a port (`portId`) or of the switch (-1). */
  queryStatus(
    portId: number,
    id: Guid,
    codec: PropertyCodec | undefined,
  ): MaybePromise<StatusAnswer> {
    return this.#edge.run(() => {
      // Rule B22: no OID names a port that is gone.
      if (portId >= 0 && !this.state.ports.has(portId)) {
        throw new ExtSwitchError('NOT_FOUND', `port ${portId} no longer exists (rule B22)`, {
          rule: 'B22',
          found: String(portId),
        });
      }
      return drive(this.#status.query(portId, id, codec));
    });
  }

  /** Rule E20: property OIDs in the state created only. */
  #mayChange(owner: PropertyOwner): void {
    if (owner.portId < 0) return;
    const port = this.state.ports.get(owner.portId);
    if (port === owner && port.state === 'created') return;
    nextState(PORT_STATES, port?.state ?? 'notCreated', 'property', `port ${owner.portId}`);
  }

  /** Ends what is in flight with REQUEST_ABORTED and takes the stack down; the switch is of no use afterwards. */
  stop(): MaybePromise<void> {
    this.state.isStopping = true;
    for (const port of this.state.ports.values()) {
      port.onUnreferenced?.();
      for (const nic of port.nics.values()) nic.onUnreferenced?.();
    }
    this.pipeline.close();
    const stopped = this.changeStack([]);
    return stopped instanceof Promise ? stopped.then(() => undefined) : undefined;
  }
}
