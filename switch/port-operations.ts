import { ndisHas, OIDS } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { isErrorStatus } from '../src/core/status.ts';
import type { NicType, PortType } from '../src/sdk/extension.ts';
import type { SwitchEnvironment } from './environment.ts';
import type { OidRequest } from './oid-request.ts';
import {
  NIC_PARAMETERS,
  NIC_STATE_CODE,
  PORT_PARAMETERS,
  writeNic,
  writePort,
} from './parameters.ts';
import { Nic, type NicOptions, Port, type PortOptions } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { NIC_STATES, nextState, PORT_STATES } from './states.ts';
import { type Steps, settled } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/** The packet's source field has 16 bits, so port ids stay below 65,536 (ndis-switch-abi.md, quirk 10). */
const MAX_PORT_ID = 65_535;
/** NDIS_SWITCH_NIC_FLAGS_NIC_INITIALIZING, NDIS 6.40 on (rule C17). */
const NIC_INITIALIZING = 1;
/** NDIS_SWITCH_PORT_STATE values carried by the OIDs (rule B7). */
const CREATED = 1;
const TEARDOWN = 2;
const DELETED = 3;

/** Rule B6: the NIC type that fits a port type; generic ports take VM NICs. */
export const NIC_TYPE_OF_PORT: Readonly<Record<PortType, NicType>> = {
  generic: 'synthetic',
  external: 'external',
  synthetic: 'synthetic',
  emulated: 'emulated',
  internal: 'internal',
};

/** Port and NIC OIDs in their order (rules B13-B23, C22-C35; sequences S2-S4 as far as a port and its NIC go). */
export class PortOperations {
  readonly #state: SwitchState;
  readonly #edge: ProtocolEdge;
  readonly #environment: SwitchEnvironment;
  #lastPortId = 0;

  constructor(state: SwitchState, edge: ProtocolEdge, environment: SwitchEnvironment) {
    this.#state = state;
    this.#edge = edge;
    this.#environment = environment;
  }

  /** PORT_CREATE; the port exists only after success (rules B16, B17). */
  *create(
    options: PortOptions,
    accepted?: (port: Port) => void,
  ): Steps<{ port: Port; request: OidRequest }> {
    this.#checkKind(options.type);
    const port = new Port(options, this.#allocate(options.portId));
    const state = nextState(PORT_STATES, port.state, 'create', `port ${port.name}`);
    const request = yield* settled(
      this.#edge.send(this.#portOid(OIDS.OID_SWITCH_PORT_CREATE.code, port, CREATED), (done) => {
        if (isErrorStatus(done.status)) return;
        port.state = state;
        this.#state.ports.set(port.portId, port);
      }),
    );
    if (!isErrorStatus(request.status)) {
      this.#change('portCreated', port);
      accepted?.(port);
    }
    return { port, request };
  }

  /** NICs away, PORT_TEARDOWN, wait for references, PORT_DELETE (rules B20-B22, S3). */
  *delete(port: Port, accepted?: (port: Port) => void): Steps<void> {
    const gone = nextState(PORT_STATES, port.state, 'teardown', `port ${port.name}`);
    // Rule C54: disconnect every lower adapter, delete every lower adapter, then index 0.
    const lower = [...port.nics.values()].filter((nic) => nic.index > 0);
    for (const nic of lower) yield* this.#disconnect(nic);
    for (const nic of lower) yield* this.disconnectNic(port, nic);
    const own = port.nics.get(0);
    if (own !== undefined) yield* this.disconnectNic(port, own);
    port.state = gone;
    yield* settled(
      this.#edge.send(this.#portOid(OIDS.OID_SWITCH_PORT_TEARDOWN.code, port, TEARDOWN)),
    );
    this.#change('portTearingDown', port);
    // Rules B21, B35: not before the last reference is gone.
    yield* this.#unreferenced(port, `port ${port.portId}`, 'B42');
    const deleted = nextState(PORT_STATES, port.state, 'delete', `port ${port.name}`);
    yield* settled(
      this.#edge.send(this.#portOid(OIDS.OID_SWITCH_PORT_DELETE.code, port, DELETED), () => {
        port.state = deleted;
        this.#state.ports.delete(port.portId);
      }),
    );
    this.#change('portDeleted', port);
    accepted?.(port);
  }

  /** NIC_CREATE then NIC_CONNECT (rules C22-C25); the port stays when NIC_CREATE is refused (rule C23). */
  *connectNic(
    port: Port,
    options: NicOptions,
    accepted?: (nic: Nic) => void,
  ): Steps<{ nic: Nic; request: OidRequest }> {
    nextState(PORT_STATES, port.state, 'nicCreate', `port ${port.name}`);
    const existing = port.nics.get(options.index);
    const created = nextState(
      NIC_STATES,
      existing?.state ?? 'notCreated',
      'create',
      `NIC ${port.portId}/${options.index}`,
    );
    this.#checkNic(port, options);
    const nic = new Nic(options, port.portId);
    // Rule C17: only the first time in the life of a synthetic NIC.
    const isFirst = nic.type === 'synthetic' && options.isKnown !== true;
    const initializing = isFirst && ndisHas(this.#state.ndis, '6.40') ? NIC_INITIALIZING : 0;
    const create = yield* settled(
      this.#edge.send(
        this.#nicOid(OIDS.OID_SWITCH_NIC_CREATE.code, nic, NIC_STATE_CODE.created, initializing),
        (done) => {
          if (isErrorStatus(done.status)) return;
          // Rule C19: an extension may have lowered MTU; the value at completion counts.
          nic.mtu = NIC_PARAMETERS.view(done.buffer).MTU;
          nic.state = created;
          port.nics.set(nic.index, nic);
        },
      ),
    );
    if (isErrorStatus(create.status)) return { nic, request: create };
    const connected = nextState(NIC_STATES, nic.state, 'connect', `NIC ${nic.name}`);
    yield* settled(
      this.#edge.send(
        this.#nicOid(OIDS.OID_SWITCH_NIC_CONNECT.code, nic, NIC_STATE_CODE.connected, 0),
        () => {
          nic.state = connected;
        },
      ),
    );
    this.#change('nicConnected', port, nic);
    accepted?.(nic);
    return { nic, request: create };
  }

  /** NIC_DISCONNECT, wait for references, NIC_DELETE (rules C30-C32, C34). */
  *disconnectNic(port: Port, nic: Nic, accepted?: (nic: Nic) => void): Steps<void> {
    yield* this.#disconnect(nic);
    const deleted = nextState(NIC_STATES, nic.state, 'delete', `NIC ${nic.name}`);
    // Rules C31, C56.
    yield* this.#unreferenced(nic, `NIC ${nic.portId}/${nic.index}`, 'C60');
    yield* settled(
      this.#edge.send(
        this.#nicOid(OIDS.OID_SWITCH_NIC_DELETE.code, nic, NIC_STATE_CODE.deleted, 0),
        () => {
          nic.state = deleted;
          port.nics.delete(nic.index);
        },
      ),
    );
    this.#change('nicDeleted', port, nic);
    accepted?.(nic);
  }

  /** A NIC that was never connected is deleted directly (rule C34, OP-26). */
  *#disconnect(nic: Nic): Steps<void> {
    if (nic.state !== 'connected') return;
    nic.state = nextState(NIC_STATES, nic.state, 'disconnect', `NIC ${nic.name}`);
    yield* settled(
      this.#edge.send(
        this.#nicOid(OIDS.OID_SWITCH_NIC_DISCONNECT.code, nic, NIC_STATE_CODE.disconnected, 0),
      ),
    );
  }

  /** Waits for the last reference, at most as long as an OID may pend; a leak is reported and does not block for ever. */
  *#unreferenced(held: Port | Nic, what: string, rule: string): Steps<void> {
    // A switch that stops waits for nobody: its extensions give everything back when they detach.
    if (held.references === 0 || this.#state.isStopping) return;
    yield new Promise<void>((resolve) => {
      const timer = this.#environment.clock.after(this.#environment.oidTimeoutMs, () => {
        this.#environment.finding(this.#state.name, {
          rule,
          severity: 'error',
          message: `${what} still had ${held.references} reference(s) after ${this.#environment.oidTimeoutMs} ms; deleted all the same`,
        });
        resolve();
      });
      held.onUnreferenced = () => {
        timer.cancel();
        resolve();
      };
    });
    held.onUnreferenced = undefined;
  }

  // --- checks --------------------------------------------------------------------------------------------------------

  /** Rule A7: external ports on external switches, internal ones not on private switches. */
  #checkKind(type: PortType): void {
    const kind = this.#state.type;
    if (type === 'external' ? kind !== 'external' : type === 'internal' && kind === 'private') {
      const rule = type === 'external' ? 'A7' : 'C9';
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `a ${kind} switch has no ${type} port (rule ${rule})`,
        { rule, member: 'type' },
      );
    }
  }

  #checkNic(port: Port, options: NicOptions): void {
    const refuse = (message: string, rule: string): never => {
      throw new ExtSwitchError('ILLEGAL_TRANSITION', `${message} (rule ${rule})`, { rule });
    };
    if (port.isValidationPort) refuse('a validation port takes no NIC', 'B43');
    if (NIC_TYPE_OF_PORT[port.type] !== options.type) {
      refuse(`a ${options.type} NIC does not fit a ${port.type} port`, 'B6');
    }
    if (options.index > 32 || options.index < 0) refuse('NIC indexes run from 0 to 32', 'C3');
    if (options.index > 0 && port.type !== 'external') {
      refuse('only the external port has adapters below its NIC', 'C2');
    }
    if (options.index > 0 && !port.nics.has(0)) {
      refuse('the external NIC (index 0) comes before its adapters', 'C52');
    }
    if (options.index > 0 || (options.type !== 'external' && options.type !== 'internal')) return;
    for (const other of this.#state.ports.values()) {
      if (other !== port && other.type === port.type && other.nics.size > 0) {
        refuse(
          `the switch has its ${port.type} NIC already`,
          options.type === 'external' ? 'C8' : 'OP-36',
        );
      }
    }
  }

  #allocate(wanted: number | undefined): number {
    if (wanted !== undefined) {
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_PORT_ID) {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `port id ${wanted}: expected 1 to ${MAX_PORT_ID} (rule B1)`,
          { rule: 'B1', expected: `1 to ${MAX_PORT_ID}`, found: String(wanted) },
        );
      }
      if (this.#state.ports.has(wanted)) {
        throw new ExtSwitchError('ILLEGAL_TRANSITION', `port id ${wanted} is taken (rule B1)`, {
          rule: 'B1',
        });
      }
      this.#lastPortId = Math.max(this.#lastPortId, wanted);
      return wanted;
    }
    for (let tried = 0; tried < MAX_PORT_ID; tried += 1) {
      this.#lastPortId = this.#lastPortId >= MAX_PORT_ID ? 1 : this.#lastPortId + 1;
      if (!this.#state.ports.has(this.#lastPortId)) return this.#lastPortId;
    }
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `the switch has ${MAX_PORT_ID} ports already (rule B1)`,
      {
        rule: 'B1',
      },
    );
  }

  // --- bytes ---------------------------------------------------------------------------------------------------------

  #portOid(oid: number, port: Port, state: number): OidRequest {
    const bytes = new Uint8Array(PORT_PARAMETERS.sizeof(this.#state.ndis));
    writePort(bytes, 0, port, state);
    return this.#edge.set(oid, bytes);
  }

  #nicOid(oid: number, nic: Nic, state: number, flags: number): OidRequest {
    const bytes = new Uint8Array(NIC_PARAMETERS.sizeof(this.#state.ndis));
    writeNic(bytes, 0, nic, state, flags, this.#state.ndis);
    return this.#edge.set(oid, bytes);
  }

  #change(event: string, port: Port, nic?: Nic): void {
    this.#environment.stateChange(this.#state.name, {
      event,
      portId: port.portId,
      port: port.name,
      ...(nic === undefined ? {} : { nicIndex: nic.index, nic: nic.name, mtu: nic.mtu }),
    });
  }
}
