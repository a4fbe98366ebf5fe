import { OFFLOAD_OIDS, offloadOidByCode, oidName } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { isErrorStatus, type NdisStatus } from '../src/core/status.ts';
import type { NicAddress, RequestType } from '../src/sdk/extension.ts';
import { type Encapsulated, encapsulate, innerAnswer, NOWHERE } from './encapsulated-request.ts';
import { externalPort } from './external-port.ts';
import { dataView, MOVE_FILTER_PARAMETERS } from './offload-parameters.ts';
import { allocatedBy, type OffloadResource, releasedBy } from './offload-resource.ts';
import { type OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Nic } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { type Steps, settled } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/** A request that a driver above the switch issues; the switch says where it goes (rules D25, D26). */
export interface DriverRequest {
  /** The NIC it came from: of a VM, or the internal one for the management OS's multicast list. Left out: the management OS. */
  readonly nic?: Nic | undefined;
  readonly requestType: RequestType;
  readonly oid: number;
  readonly input?: Uint8Array;
  /** Room for the answer, bytes; default that of the input. */
  readonly outputLengthBytes?: number;
}

/** How a request ended; `request` is the OID_SWITCH_NIC_REQUEST around it, with the same status. */
export interface NicRequestOutcome {
  readonly request: OidRequest;
  readonly status: NdisStatus;
  readonly output: Uint8Array;
  readonly bytesNeeded: number;
}

const NOTHING = new Uint8Array(0);

/** OID_SWITCH_NIC_REQUEST from the protocol edge (rules D24-D26, D29). */
export class NicRequests {
  readonly #state: SwitchState;
  readonly #edge: ProtocolEdge;

  constructor(state: SwitchState, edge: ProtocolEdge) {
    this.#state = state;
    this.#edge = edge;
  }

  /** Wraps a driver's request and sends it down. Refused before any OID: what rule D29 leaves out, and NICs not connected. */
  *send(wanted: DriverRequest): Steps<NicRequestOutcome> {
    const { nic, requestType, oid, input = NOTHING } = wanted;
    const ends = this.#ends(wanted);
    const outputLength = wanted.outputLengthBytes ?? (requestType === 'set' ? 0 : input.length);
    const request = encapsulate(
      { ...ends, requestType, oid, input, outputLength },
      this.#state.ndis,
    );
    const inner = request.encapsulated as Encapsulated;
    const kept = input.slice();
    yield* settled(
      this.#edge.send(request, (done) => {
        if (nic !== undefined && !isErrorStatus(done.status)) {
          account(nic, inner, kept, innerAnswer(done, inner).output);
        }
      }),
    );
    const { output, bytesNeeded } = innerAnswer(request, inner);
    return { request, status: request.status, output, bytesNeeded };
  }

  /** Rules D24-D26, D29: source and destination by the class of the OID. */
  #ends({ nic, oid, requestType }: DriverRequest): { source: NicAddress; destination: NicAddress } {
    const row = offloadOidByCode(oid);
    if (row === undefined || REQUEST_TYPE[requestType] === undefined) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `${oidName(oid)} as ${requestType}: a switch wraps hardware-offload and multicast OIDs only (rule D29)`,
        {
          rule: 'D29',
          expected: Object.keys(OFFLOAD_OIDS).join(', '),
          found: oidName(oid),
        },
      );
    }
    if (nic !== undefined) checkConnected(nic, row.name);
    if (row.class === 'multicast') {
      if (nic === undefined || nic.type === 'external') {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `${row.name} comes from a VM's NIC or the internal one (rule D26)`,
          { rule: 'D26', expected: "a VM's NIC or an internal one" },
        );
      }
      return { source: { portId: nic.portId, nicIndex: nic.index }, destination: NOWHERE };
    }
    const external = externalPort(this.#state);
    if (external?.nics.get(0)?.state !== 'connected') {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${row.name}: the switch has no connected external NIC to send it to (rule D25)`,
        { rule: 'D25' },
      );
    }
    // Rule D25: what comes from the management OS has no source, its internal NIC included.
    const isVm = nic !== undefined && (nic.type === 'synthetic' || nic.type === 'emulated');
    const source = isVm ? { portId: nic.portId, nicIndex: nic.index } : NOWHERE;
    return { source, destination: { portId: external.portId, nicIndex: 0 } };
  }
}

/** Rule C43: nothing for a NIC before NIC_CONNECT or after NIC_DISCONNECT. */
export function checkConnected(nic: Nic, what: string): void {
  if (nic.state === 'connected') return;
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `${what}: NIC ${nic.portId}/${nic.index} is ${nic.state}, not connected (rule C43)`,
    { rule: 'C43', expected: 'connected', found: nic.state },
  );
}

/** Keeps on the NIC what was allocated for it, in order, so that closing it can give that back (S3 step 1). */
function account(nic: Nic, inner: Encapsulated, input: Uint8Array, output: Uint8Array): void {
  const { oid } = inner.parts;
  const taken = allocatedBy(oid, output);
  if (taken !== undefined) {
    nic.offloads ??= [];
    nic.offloads.push(taken);
    return;
  }
  if (nic.offloads === undefined) return;
  const given = releasedBy(oid, input);
  if (given !== undefined) {
    nic.offloads = nic.offloads.filter((held) => held.kind !== given.kind || held.id !== given.id);
  } else if (oid === OFFLOAD_OIDS.OID_RECEIVE_FILTER_MOVE_FILTER.code) {
    nic.offloads = nic.offloads.map((held) => moved(held, input));
  }
}

function moved(held: OffloadResource, input: Uint8Array): OffloadResource {
  const view = dataView(input);
  const filterId = view.getUint32(MOVE_FILTER_PARAMETERS.filterId, true);
  if (held.kind !== 'filter' || held.id !== filterId) return held;
  return { ...held, vportId: view.getUint32(MOVE_FILTER_PARAMETERS.destinationVportId, true) };
}
