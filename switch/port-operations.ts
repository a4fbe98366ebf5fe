import { FLAGS, type NdisVersion, ndisHas, OIDS } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { isErrorStatus, NdisStatus } from '../src/core/status.ts';
import { unreferenced } from './drain.ts';
import type { SwitchEnvironment } from './environment.ts';
import { checkPortKind } from './nic-rules.ts';
import type { OidRequest } from './oid-request.ts';
import { PORT_PARAMETERS, writePort } from './parameters.ts';
import { Port, type PortOptions } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import type { RequestBuffer } from './request-buffer.ts';
import { nextState, PORT_STATES } from './states.ts';
import { type MaybePromise, type Steps, settled } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/** The packet's source field has 16 bits, so port ids stay below 65,536 (ndis-switch-abi.md, quirk 10). */
const MAX_PORT_ID = 65_535;
/** NDIS_SWITCH_PORT_STATE values carried by the OIDs (rule B7). */
const CREATED = 1;
const TEARDOWN = 2;
const DELETED = 3;

/** Port OIDs one by one (rules B13-B23). */
export class PortOperations {
  readonly #state: SwitchState;
  readonly #edge: ProtocolEdge;
  readonly #environment: SwitchEnvironment;
  /** Ids of ports whose PORT_CREATE is under way. */
  readonly #reserved = new Set<number>();
  #lastPortId = 0;

  constructor(state: SwitchState, edge: ProtocolEdge, environment: SwitchEnvironment) {
    this.#state = state;
    this.#edge = edge;
    this.#environment = environment;
  }

  /** PORT_CREATE; the port exists only after success (rules B16, B17). */
  *create(options: PortOptions): Steps<{ port: Port; request: OidRequest }> {
    checkPortKind(this.#state, options.type);
    const port = new Port(options, this.#allocate(options.portId));
    port.flags &= portFlagsOf(this.#state.ndis);
    const state = nextState(PORT_STATES, port.state, 'create', `port ${port.name}`);
    const completed = (done: OidRequest): void => {
      if (isErrorStatus(done.status)) return;
      port.state = state;
      this.#state.ports.set(port.portId, port);
    };
    this.#reserved.add(port.portId);
    try {
      // Rule B18, OP-29: each retry is a fresh OID.
      for (let retries = 0; ; retries += 1) {
        const sent = this.#send(OIDS.OID_SWITCH_PORT_CREATE.code, port, CREATED, completed);
        const request = sent instanceof Promise ? yield* settled(sent) : sent;
        const { transientRetries } = this.#environment.behaviour;
        if (request.status === NdisStatus.RESOURCES && retries < transientRetries) continue;
        if (!isErrorStatus(request.status)) this.#change('portCreated', port);
        return { port, request };
      }
    } finally {
      this.#reserved.delete(port.portId);
    }
  }

  /** PORT_UPDATED: only the friendly name may differ (rule B19). It counts when the OID has completed. */
  *update(port: Port, friendlyName: string): Steps<void> {
    nextState(PORT_STATES, port.state, 'update', `port ${port.name}`);
    const before = port.friendlyName;
    const size = PORT_PARAMETERS.sizeof(this.#state.ndis);
    const write = (buffer: RequestBuffer): void => {
      port.friendlyName = friendlyName;
      writePort(buffer.port, port, CREATED);
      port.friendlyName = before;
    };
    yield* settled(
      this.#edge.sendSet(OIDS.OID_SWITCH_PORT_UPDATED.code, size, write, () => {
        port.friendlyName = friendlyName;
      }),
    );
    this.#change('portUpdated', port);
  }

  /** PORT_TEARDOWN, wait for references, PORT_DELETE (rules B20-B22); its NICs are gone already. */
  *remove(port: Port): Steps<void> {
    const what = `port ${port.name}`;
    const [nic] = port.nics.values();
    if (nic !== undefined) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${what} has NIC ${nic.index}, which is ${nic.state}: its NICs are deleted before it (rule B20)`,
        { rule: 'B20' },
      );
    }
    port.state = nextState(PORT_STATES, port.state, 'teardown', what);
    const told = this.#send(OIDS.OID_SWITCH_PORT_TEARDOWN.code, port, TEARDOWN);
    if (told instanceof Promise) yield told;
    this.#change('portTearingDown', port);
    // Rules B21, B35: not before the last reference is gone.
    const { portId } = port;
    if (port.references > 0) {
      const held = `port ${portId}`;
      yield* unreferenced(this.#edge, this.#environment, this.#state, port, held, 'B42');
    }
    const deleted = nextState(PORT_STATES, port.state, 'delete', what);
    const sent = this.#send(OIDS.OID_SWITCH_PORT_DELETE.code, port, DELETED, () => {
      port.state = deleted;
      this.#state.ports.delete(port.portId);
    });
    if (sent instanceof Promise) yield sent;
    this.#change('portDeleted', port);
  }

  #isFree(portId: number): boolean {
    return !this.#state.ports.has(portId) && !this.#reserved.has(portId);
  }

  /** Rule B1: unique on the switch and greater than 0. */
  #allocate(wanted: number | undefined): number {
    const place = { rule: 'B1' };
    if (wanted !== undefined) {
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_PORT_ID) {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `port id ${wanted}: expected 1 to ${MAX_PORT_ID} (rule B1)`,
          { ...place, expected: `1 to ${MAX_PORT_ID}`, found: String(wanted) },
        );
      }
      if (!this.#isFree(wanted)) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          `port id ${wanted} is taken (rule B1)`,
          place,
        );
      }
      this.#lastPortId = Math.max(this.#lastPortId, wanted);
      return wanted;
    }
    for (let tried = 0; tried < MAX_PORT_ID; tried += 1) {
      this.#lastPortId = this.#lastPortId >= MAX_PORT_ID ? 1 : this.#lastPortId + 1;
      if (this.#isFree(this.#lastPortId)) return this.#lastPortId;
    }
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `the switch has ${MAX_PORT_ID} ports already (rule B1)`,
      place,
    );
  }

  #send(
    oid: number,
    port: Port,
    state: number,
    completed?: (done: OidRequest) => void,
  ): MaybePromise<OidRequest> {
    const size = PORT_PARAMETERS.sizeof(this.#state.ndis);
    return this.#edge.sendSet(
      oid,
      size,
      (buffer) => writePort(buffer.port, port, state),
      completed,
    );
  }

  #change(event: string, port: Port): void {
    this.#environment.stateChange(this.#state.name, {
      event,
      portId: port.portId,
      port: port.name,
    });
  }
}

/** Rules B8, B9: the flags a port may carry in this NDIS version. */
function portFlagsOf(ndis: NdisVersion): number {
  const untrusted = FLAGS.NDIS_SWITCH_PORT_PARAMETERS_FLAG_UNTRUSTED_INTERNAL_PORT;
  const restoring = FLAGS.NDIS_SWITCH_PORT_PARAMETERS_FLAG_RESTORING_PORT;
  return (ndisHas(ndis, '6.50') ? untrusted : 0) | (ndisHas(ndis, '6.60') ? restoring : 0);
}
