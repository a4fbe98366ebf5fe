import { ndisHas, OIDS } from '../src/abi/index.ts';
import { isErrorStatus, NdisStatus } from '../src/core/status.ts';
import { unreferenced } from './drain.ts';
import type { SwitchEnvironment } from './environment.ts';
import { checkNicChange, checkNics, type NicPlace } from './nic-rules.ts';
import type { OidRequest } from './oid-request.ts';
import { NIC_PARAMETERS, NIC_STATE_CODE, readMtu, writeNic } from './parameters.ts';
import { Nic, type NicChange, type NicOptions, type Port } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import type { RequestBuffer } from './request-buffer.ts';
import { NIC_STATES, nextState, PORT_STATES } from './states.ts';
import { type MaybePromise, type Steps, settled } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/** NDIS_SWITCH_NIC_FLAGS_NIC_INITIALIZING, NDIS 6.40 on (rule C17). */
const NIC_INITIALIZING = 1;

/** What came of creating NICs: all of them, or the request that was refused. */
export type NicsOutcome =
  | { readonly nics: readonly Nic[]; readonly refused?: undefined }
  | { readonly nics?: undefined; readonly refused: OidRequest };

/** NIC OIDs one by one and in their order (rules C22-C35, C52-C55; S2 steps 4-6, S3 steps 2-4, S8). */
export class NicOperations {
  readonly #state: SwitchState;
  readonly #edge: ProtocolEdge;
  readonly #environment: SwitchEnvironment;
  readonly #releaseOffloads: (nic: Nic) => Steps<void>;

  /** `releaseOffloads` gives back what a NIC still has of the adapters (S3 step 1). */
  constructor(
    state: SwitchState,
    edge: ProtocolEdge,
    environment: SwitchEnvironment,
    releaseOffloads: (nic: Nic) => Steps<void>,
  ) {
    this.#state = state;
    this.#edge = edge;
    this.#environment = environment;
    this.#releaseOffloads = releaseOffloads;
  }

  /**
   * Rule C52: NIC_CREATE for every NIC, the external one before its adapters; then NIC_CONNECT in the same order unless the
   * guest has not bound (`connect` false, rule C26). When it is refused, the port stays (rule C23).
   */
  *open(port: Port, wanted: readonly NicOptions[], connect = true): Steps<NicsOutcome> {
    nextState(PORT_STATES, port.state, 'nicCreate', `port ${port.name}`);
    this.check(port, wanted);
    const nics: Nic[] = [];
    for (const options of wanted) {
      const { nic, request } = yield* this.#create(port, options);
      if (isErrorStatus(request.status)) {
        // Rule C37: extensions may refuse only index 0, which is the first; the miniport edge may fail any of them (rule B13).
        for (const made of nics.reverse()) yield* this.remove(port, made);
        return { refused: request };
      }
      nics.push(nic);
    }
    if (connect) for (const nic of nics) yield* this.bind(port, nic);
    return { nics };
  }

  /** One NIC: NIC_CREATE, and NIC_CONNECT when that was not refused. */
  *connect(port: Port, options: NicOptions): Steps<{ nic: Nic; request: OidRequest }> {
    nextState(PORT_STATES, port.state, 'nicCreate', `port ${port.name}`);
    this.check(port, [options]);
    const made = yield* this.#create(port, options);
    if (!isErrorStatus(made.request.status)) yield* this.bind(port, made.nic);
    return made;
  }

  /** Throws when the NICs do not fit the port; before anything is created. */
  check(port: NicPlace, wanted: readonly NicOptions[]): void {
    for (const { index } of wanted) {
      const state = port.nics.get(index)?.state ?? 'notCreated';
      nextState(NIC_STATES, state, 'create', `NIC ${index}`);
    }
    checkNics(this.#state, port, wanted, this.#environment.behaviour.internalNics);
  }

  /** NIC_CREATE; the port stays when it is refused (rule C23). */
  *#create(port: Port, options: NicOptions): Steps<{ nic: Nic; request: OidRequest }> {
    const { behaviour } = this.#environment;
    const what = `NIC ${port.portId}/${options.index}`;
    const existing = port.nics.get(options.index);
    const state = nextState(NIC_STATES, existing?.state ?? 'notCreated', 'create', what);
    const nic = new Nic(options, port.portId);
    // Rule C17: only the first time in the life of a synthetic NIC.
    const isFirst = nic.type === 'synthetic' && options.isKnown !== true;
    const flags = isFirst && ndisHas(this.#state.ndis, '6.40') ? NIC_INITIALIZING : 0;
    const completed = (done: OidRequest): void => {
      if (isErrorStatus(done.status)) return;
      // Rule C19: an extension may have lowered MTU; the value at completion counts.
      nic.mtu = readMtu(done.buffer);
      nic.state = state;
      port.nics.set(nic.index, nic);
    };
    // Rule C24, OP-29: each retry is a fresh OID.
    for (let retries = 0; ; retries += 1) {
      const sent = this.#send(OIDS.OID_SWITCH_NIC_CREATE.code, nic, 'created', flags, completed);
      const request = sent instanceof Promise ? yield* settled(sent) : sent;
      const isTransient = request.status === NdisStatus.RESOURCES;
      if (!isTransient || retries >= behaviour.transientRetries) return { nic, request };
    }
  }

  /** NIC_CONNECT of a created NIC (rules C25, C26). */
  *bind(port: Port, nic: Nic): Steps<void> {
    const connected = nextState(NIC_STATES, nic.state, 'connect', `NIC ${nic.name}`);
    const sent = this.#send(OIDS.OID_SWITCH_NIC_CONNECT.code, nic, 'connected', 0, () => {
      nic.state = connected;
    });
    if (sent instanceof Promise) yield sent;
    this.#change('nicConnected', port, nic);
  }

  /** NIC_UPDATED of a connected NIC: only what rule C29 lets change. The new values count when the OID has completed. */
  *update(port: Port, nic: Nic, change: NicChange): Steps<void> {
    nextState(NIC_STATES, nic.state, 'update', `NIC ${nic.name}`);
    checkNicChange(nic.type, change);
    const write = (buffer: RequestBuffer): void => {
      // As it is when its turn has come: another update may have gone before it.
      const before = nicValues(nic);
      Object.assign(nic, change);
      this.#write(buffer, nic, 'connected', 0);
      Object.assign(nic, before);
    };
    const size = NIC_PARAMETERS.sizeof(this.#state.ndis);
    yield* settled(
      this.#edge.sendSet(OIDS.OID_SWITCH_NIC_UPDATED.code, size, write, () =>
        Object.assign(nic, change),
      ),
    );
    this.#change('nicUpdated', port, nic);
  }

  /** Rule C54: disconnect every lower adapter, delete every lower adapter, then index 0. */
  *close(port: Port): Steps<void> {
    const lower = [...port.nics.values()].filter((nic) => nic.index > 0);
    for (const nic of lower) yield* this.disconnect(nic);
    for (const nic of lower) yield* this.delete(port, nic);
    const own = port.nics.get(0);
    if (own !== undefined) yield* this.remove(port, own);
  }

  /** One NIC: NIC_DISCONNECT, NIC_DELETE. */
  *remove(port: Port, nic: Nic): Steps<void> {
    yield* this.disconnect(nic);
    yield* this.delete(port, nic);
  }

  /** NIC_DISCONNECT. A NIC that was never connected is deleted directly (rule C34, OP-26). */
  *disconnect(nic: Nic): Steps<void> {
    if (nic.state !== 'connected') return;
    if (nic.offloads !== undefined || nic.type === 'external') yield* this.#releaseOffloads(nic);
    nic.state = nextState(NIC_STATES, nic.state, 'disconnect', `NIC ${nic.name}`);
    const sent = this.#send(OIDS.OID_SWITCH_NIC_DISCONNECT.code, nic, 'disconnected', 0);
    if (sent instanceof Promise) yield sent;
  }

  /** Waits for references, then NIC_DELETE (rules C31, C32, C56). */
  *delete(port: Port, nic: Nic): Steps<void> {
    nextState(NIC_STATES, nic.state, 'delete', `NIC ${nic.name}`);
    const what = `NIC ${nic.portId}/${nic.index}`;
    if (nic.references > 0) {
      yield* unreferenced(this.#edge, this.#environment, this.#state, nic, what, 'C60');
    }
    const deleted = nextState(NIC_STATES, nic.state, 'delete', `NIC ${nic.name}`);
    const sent = this.#send(OIDS.OID_SWITCH_NIC_DELETE.code, nic, 'deleted', 0, () => {
      nic.state = deleted;
      port.nics.delete(nic.index);
    });
    if (sent instanceof Promise) yield sent;
    this.#change('nicDeleted', port, nic);
  }

  #send(
    oid: number,
    nic: Nic,
    state: keyof typeof NIC_STATE_CODE,
    flags: number,
    completed?: (done: OidRequest) => void,
  ): MaybePromise<OidRequest> {
    const size = NIC_PARAMETERS.sizeof(this.#state.ndis);
    return this.#edge.sendSet(
      oid,
      size,
      (buffer) => this.#write(buffer, nic, state, flags),
      completed,
    );
  }

  #write(buffer: RequestBuffer, nic: Nic, state: keyof typeof NIC_STATE_CODE, flags: number): void {
    writeNic(buffer.nic, nic, NIC_STATE_CODE[state], flags, this.#state.ndis);
  }

  #change(event: string, port: Port, nic: Nic): void {
    this.#environment.stateChange(this.#state.name, {
      event,
      portId: port.portId,
      port: port.name,
      nicIndex: nic.index,
      nic: nic.name,
      mtu: nic.mtu,
    });
  }
}

/** What rule C29 lets change. */
function nicValues(nic: Nic): Pick<Nic, keyof NicChange> {
  return {
    friendlyName: nic.friendlyName,
    netCfgInstanceId: nic.netCfgInstanceId,
    mtu: nic.mtu,
    numaNodeId: nic.numaNodeId,
    permanentMac: nic.permanentMac,
    vmMac: nic.vmMac,
    currentMac: nic.currentMac,
    vfAssigned: nic.vfAssigned,
  };
}
