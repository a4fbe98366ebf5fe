import { ExtSwitchError } from '../src/core/errors.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { SwitchEnvironment } from './environment.ts';
import { externalPort, type LowerAdapter, lowerAdapters } from './external-port.ts';
import { type DriverRequest, type NicRequestOutcome, NicRequests } from './nic-requests.ts';
import type { Nic, NicChange, Port } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import type { SwitchEvent } from './states.ts';
import type { StatusPath } from './status-path.ts';
import { drive, type MaybePromise, type Steps } from './steps.ts';
import type { Turn } from './switch.ts';
import type { SwitchState } from './switch-state.ts';
import { type OffloadOutcome, VfOperations } from './vf-operations.ts';

const NO_TURN: Turn<Nic> = {};

interface Host {
  readonly state: SwitchState;
  readonly environment: SwitchEnvironment;
  readonly edge: ProtocolEdge;
  readonly statusPath: StatusPath;
  updateNic(port: Port, nic: Nic, change: NicChange): Steps<void>;
  /** Runs steps as an operation on a port; `object` says what of the outcome was accepted. */
  operate<T>(
    port: Port,
    turn: Turn<Nic>,
    steps: () => Steps<T>,
    object: (outcome: T) => Nic | undefined,
    event?: SwitchEvent,
  ): MaybePromise<T>;
}

/** What a switch does with the hardware below its external NIC, each as an operation with its turn. */
export class SwitchAdapters {
  readonly #host: Host;
  readonly #requests: NicRequests;
  readonly #offloads: VfOperations;

  constructor(host: Host) {
    const { state, environment, edge } = host;
    this.#host = host;
    this.#requests = new NicRequests(state, edge);
    this.#offloads = new VfOperations({
      state,
      environment,
      requests: this.#requests,
      updateNic: (port, nic, change) => host.updateNic(port, nic, change),
    });
  }

  request(wanted: DriverRequest): MaybePromise<NicRequestOutcome> {
    const requests = this.#requests;
    const { nic } = wanted;
    const port = nic === undefined ? undefined : this.#host.state.ports.get(nic.portId);
    const steps = () => requests.send(wanted);
    if (port !== undefined) return this.#host.operate(port, NO_TURN, steps, () => undefined);
    return this.#host.edge.run(() => drive(steps()));
  }

  assignVf(port: Port, nic: Nic, turn: Turn<Nic>): MaybePromise<OffloadOutcome> {
    return this.#allocate(port, nic, turn, () => this.#offloads.assign(port, nic));
  }

  assignQueue(port: Port, nic: Nic, turn: Turn<Nic>): MaybePromise<OffloadOutcome> {
    return this.#allocate(port, nic, turn, () => this.#offloads.assignQueue(nic));
  }

  removeVf(port: Port, nic: Nic, turn: Turn<Nic>): MaybePromise<void> {
    return this.#change(port, nic, turn, () => this.#offloads.remove(port, nic), 'takeAway');
  }

  fallBack(port: Port, nic: Nic, turn: Turn<Nic>): MaybePromise<void> {
    return this.#change(port, nic, turn, () => this.#offloads.fallBack(port, nic));
  }

  multicast(
    port: Port,
    nic: Nic,
    macs: readonly Uint8Array[],
    turn: Turn<Nic>,
  ): MaybePromise<void> {
    return this.#change(port, nic, turn, () => this.#offloads.multicast(nic, macs));
  }

  /** S3 step 1: before NIC_DISCONNECT, inside the operation that closes the NIC. */
  releaseOffloads(nic: Nic): Steps<void> {
    return this.#offloads.releaseOffloads(nic);
  }

  /** Rule H14: in the turn of its own operation; by then the NIC may have gone or been relieved of it another way. */
  removeRaisedVf(nic: Nic): void {
    const { state, environment } = this.#host;
    const port = state.ports.get(nic.portId);
    if (port === undefined || state.isStopping) return;
    const offloads = this.#offloads;
    const steps = function* (): Steps<void> {
      if (nic.state === 'connected' && nic.vfAssigned) yield* offloads.remove(port, nic);
    };
    const removed = this.#host.operate(port, NO_TURN, steps, () => undefined, 'takeAway');
    // Nobody waits for it: what fails all the same is told as a state event.
    if (removed instanceof Promise) {
      removed.catch((error) =>
        environment.stateChange(state.name, { event: 'vfRemovalFailed', reason: String(error) }),
      );
    }
  }

  indicate(index: number, statusCode: number, data: Uint8Array = new Uint8Array(0)): void {
    this.#host.statusPath.fromAdapter(this.#adapter(index).nic, statusCode, data);
  }

  setLink(index: number, up: boolean): void {
    const { nic, adapter } = this.#adapter(index);
    if (adapter.linkUp === up) return;
    adapter.linkUp = up;
    this.#host.statusPath.fromAdapter(nic, NdisStatus.LINK_STATE, adapter.linkState());
  }

  #allocate(
    port: Port,
    nic: Nic,
    turn: Turn<Nic>,
    steps: () => Steps<OffloadOutcome>,
  ): MaybePromise<OffloadOutcome> {
    return this.#host.operate(port, turn, steps, ({ refused }) =>
      refused === undefined ? nic : undefined,
    );
  }

  #change(
    port: Port,
    nic: Nic,
    turn: Turn<Nic>,
    steps: () => Steps<void>,
    event?: SwitchEvent,
  ): MaybePromise<void> {
    return this.#host.operate(port, turn, steps, () => nic, event);
  }

  #adapter(index: number): LowerAdapter {
    const { state } = this.#host;
    const port = externalPort(state);
    const lower = port === undefined ? [] : lowerAdapters(port);
    const found = lower.find(({ nic }) => nic.index === index && nic.state === 'connected');
    if (found !== undefined) return found;
    throw new ExtSwitchError(
      'NOT_FOUND',
      `switch ${state.name} has no connected adapter with index ${index}`,
      { member: 'index', found: String(index) },
    );
  }
}
