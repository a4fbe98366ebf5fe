import { OFFLOAD_OIDS } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { SwitchEnvironment } from './environment.ts';
import { externalPort } from './external-port.ts';
import { checkConnected, type NicRequestOutcome, type NicRequests } from './nic-requests.ts';
import {
  allocationCompleteParameters,
  clearFilterParameters,
  DEFAULT_ID,
  deleteVportParameters,
  filterParameters,
  freeQueueParameters,
  freeVfParameters,
  moveFilterParameters,
  queueParameters,
  resetVfParameters,
  vfParameters,
  vportParameters,
} from './offload-parameters.ts';
import { allocatedBy, type OffloadResource } from './offload-resource.ts';
import type { OidRequest } from './oid-request.ts';
import type { Nic, NicChange, Port } from './ports.ts';
import type { Steps } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

const O = OFFLOAD_OIDS;

/** The NIC, and the request that refused it the virtual function or queue. */
export interface OffloadOutcome {
  readonly nic: Nic;
  readonly refused?: OidRequest;
}

interface Operations {
  readonly state: SwitchState;
  readonly environment: SwitchEnvironment;
  readonly requests: NicRequests;
  updateNic(port: Port, nic: Nic, change: NicChange): Steps<void>;
}

/** Virtual functions, queues and multicast lists of VM NICs (S2 step 7, S3 step 1, S17; rules D26, G46, H14, H16). */
export class VfOperations {
  readonly #with: Operations;

  constructor(operations: Operations) {
    this.#with = operations;
  }

  /**
   * S2 step 7: ALLOCATE_VF, CREATE_VPORT, then NIC_UPDATED with VFAssigned TRUE; from then on the NIC's traffic bypasses
   * the switch (rule H16). A veto (rules D41, D43) or a used-up adapter refuses it and leaves nothing.
   */
  *assign(port: Port, nic: Nic): Steps<OffloadOutcome> {
    this.#mayHaveVf(nic);
    const vf = yield* this.#allocate(nic, O.OID_NIC_SWITCH_ALLOCATE_VF.code, vfParameters(nic));
    if (vf.resource === undefined) return { nic, refused: vf.outcome.request };
    const vport = yield* this.#allocate(
      nic,
      O.OID_NIC_SWITCH_CREATE_VPORT.code,
      vportParameters(vf.resource.id, nic.name),
    );
    if (vport.resource === undefined) {
      yield* this.#release(nic, vf.resource);
      return { nic, refused: vport.outcome.request };
    }
    nic.isVfRemovalAsked = false;
    yield* this.#with.updateNic(port, nic, { vfAssigned: true });
    this.#change('vfAssigned', nic);
    // The uplink may have gone meanwhile (seeded scheduling), and taken it along before the NIC was said to have it.
    const { id } = vf.resource;
    const isThere = nic.offloads?.some((held) => held.kind === 'vf' && held.id === id) === true;
    if (nic.vfAssigned && !isThere) yield* this.#synthetic(port, nic, false);
    return { nic };
  }

  /** S17 step 3, rule H14: VPort and VF away by NIC_REQUEST, then NIC_UPDATED with VFAssigned FALSE. */
  *remove(port: Port, nic: Nic): Steps<void> {
    yield* this.#synthetic(port, nic, false);
  }

  /** Rule G46: before a migration, filters moved to the default VPort, VPort deleted, VF reset and freed. */
  *fallBack(port: Port, nic: Nic): Steps<void> {
    if (nic.vfAssigned) yield* this.#synthetic(port, nic, true);
  }

  /** One receive queue with its filter: ALLOCATE_QUEUE, SET_FILTER, QUEUE_ALLOCATION_COMPLETE (S2 step 7). */
  *assignQueue(nic: Nic): Steps<OffloadOutcome> {
    checkConnected(nic, 'a receive queue');
    const queue = yield* this.#allocate(
      nic,
      O.OID_RECEIVE_FILTER_ALLOCATE_QUEUE.code,
      queueParameters(nic.vmName, nic.name),
    );
    if (queue.resource === undefined) return { nic, refused: queue.outcome.request };
    const filter = yield* this.#allocate(
      nic,
      O.OID_RECEIVE_FILTER_SET_FILTER.code,
      filterParameters(queue.resource.id),
    );
    if (filter.resource === undefined) {
      yield* this.#release(nic, queue.resource);
      return { nic, refused: filter.outcome.request };
    }
    yield* this.#with.requests.send({
      nic,
      requestType: 'method',
      oid: O.OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE.code,
      input: allocationCompleteParameters(queue.resource.id),
    });
    return { nic };
  }

  /** Rule D26: the NIC's multicast list becomes `wanted`; one OID for every address that comes or goes. */
  *multicast(nic: Nic, wanted: readonly Uint8Array[]): Steps<void> {
    checkConnected(nic, 'multicast list');
    const next = new Map(wanted.map((mac) => [groupAddress(mac), mac] as const));
    const before = nic.multicast ?? new Map<string, Uint8Array>();
    for (const [text, mac] of before) {
      if (!next.has(text)) yield* this.#send(nic, O.OID_802_3_DELETE_MULTICAST_ADDRESS.code, mac);
    }
    for (const [text, mac] of next) {
      if (!before.has(text)) yield* this.#send(nic, O.OID_802_3_ADD_MULTICAST_ADDRESS.code, mac);
    }
    nic.multicast = next;
  }

  /**
   * S3 step 1, before NIC_DISCONNECT: gives back by NIC_REQUEST what a NIC still has, the last first. When the external
   * NIC or an adapter goes, every VM NIC with something there goes back to the synthetic path first.
   */
  *releaseOffloads(nic: Nic): Steps<void> {
    if (nic.state !== 'connected') return;
    if (nic.type === 'external') yield* this.#releaseThrough(nic);
    else yield* this.#releaseAll(nic);
  }

  // --- parts ---------------------------------------------------------------------------------------------------------

  *#synthetic(port: Port, nic: Nic, isMigrating: boolean): Steps<void> {
    if (!nic.vfAssigned) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `NIC ${nic.portId}/${nic.index} has no virtual function (rule H12)`,
        { rule: 'H12' },
      );
    }
    const held = this.#isUplinkThere() ? (nic.offloads ?? []) : [];
    const vports = held.filter(({ kind }) => kind === 'vport');
    for (const vport of vports) yield* this.#moveFilters(nic, vport.id);
    for (const vport of vports) yield* this.#release(nic, vport);
    for (const vf of held.filter(({ kind }) => kind === 'vf')) {
      if (isMigrating) {
        yield* this.#send(nic, O.OID_SRIOV_RESET_VF.code, resetVfParameters(vf.id));
      }
      yield* this.#release(nic, vf);
    }
    nic.isVfRemovalAsked = false;
    // While the uplink was taken away the VM may have been stopped (seeded scheduling): then nobody is told any more.
    if (nic.state === 'connected') yield* this.#with.updateNic(port, nic, { vfAssigned: false });
    else nic.vfAssigned = false;
    this.#change('vfRemoved', nic);
  }

  *#moveFilters(nic: Nic, vportId: number): Steps<void> {
    for (const filter of nic.offloads ?? []) {
      if (filter.kind !== 'filter' || filter.vportId !== vportId) continue;
      const input = moveFilterParameters(filter.id, vportId, DEFAULT_ID);
      yield* this.#send(nic, O.OID_RECEIVE_FILTER_MOVE_FILTER.code, input);
    }
  }

  *#releaseAll(nic: Nic): Steps<void> {
    yield* this.#releaseHeld(nic);
    this.#hasNothing(nic);
  }

  #hasNothing(nic: Nic): void {
    nic.offloads = undefined;
    nic.vfAssigned = false;
  }

  *#releaseHeld(nic: Nic): Steps<void> {
    // Nobody is there to give anything back to once the uplink has gone; it took everything with it.
    const held = this.#isUplinkThere() ? [...(nic.offloads ?? [])] : [];
    for (const resource of held.reverse()) yield* this.#release(nic, resource);
  }

  *#releaseThrough(external: Nic): Steps<void> {
    const { state } = this.#with;
    const isWhole = external.index === 0;
    for (const port of [...state.ports.values()]) {
      const nic = port.nics.get(0);
      if (nic === undefined || nic.type === 'external' || nic.offloads === undefined) continue;
      const isThere = external.adapter?.resources.some(
        ({ source }) => source.portId === nic.portId,
      );
      if (!isWhole && isThere !== true) continue;
      if (nic.vfAssigned && nic.state === 'connected') yield* this.#synthetic(port, nic, false);
      yield* this.#releaseHeld(nic);
      // One that was being assigned has been told of meanwhile.
      if (nic.vfAssigned && nic.state === 'connected') yield* this.#synthetic(port, nic, false);
      this.#hasNothing(nic);
    }
  }

  #isUplinkThere(): boolean {
    return externalPort(this.#with.state)?.nics.get(0)?.state === 'connected';
  }

  *#allocate(
    nic: Nic,
    oid: number,
    input: Uint8Array,
  ): Steps<{ outcome: NicRequestOutcome; resource: OffloadResource | undefined }> {
    const outcome = yield* this.#with.requests.send({ nic, requestType: 'method', oid, input });
    const isTaken = outcome.status === NdisStatus.SUCCESS;
    return { outcome, resource: isTaken ? allocatedBy(oid, outcome.output) : undefined };
  }

  /** Gives one resource back. What an adapter no longer knows is gone all the same. */
  *#release(nic: Nic, resource: OffloadResource): Steps<void> {
    const { kind, id, queueId } = resource;
    // Rule C46: whoever disconnected it meanwhile has given it back.
    if (nic.state !== 'connected') return;
    if (kind === 'vf') {
      yield* this.#send(nic, O.OID_NIC_SWITCH_FREE_VF.code, freeVfParameters(id));
    } else if (kind === 'vport') {
      yield* this.#send(nic, O.OID_NIC_SWITCH_DELETE_VPORT.code, deleteVportParameters(id));
    } else if (kind === 'queue') {
      yield* this.#send(nic, O.OID_RECEIVE_FILTER_FREE_QUEUE.code, freeQueueParameters(id));
    } else {
      const input = clearFilterParameters(queueId, id);
      yield* this.#send(nic, O.OID_RECEIVE_FILTER_CLEAR_FILTER.code, input);
    }
    nic.offloads = nic.offloads?.filter((held) => held.kind !== kind || held.id !== id);
  }

  *#send(nic: Nic, oid: number, input: Uint8Array): Steps<NicRequestOutcome> {
    return yield* this.#with.requests.send({ nic, requestType: 'set', oid, input });
  }

  /** Rule C16, and what SR-IOV needs: a connected synthetic NIC without a virtual function. */
  #mayHaveVf(nic: Nic): void {
    const what = `NIC ${nic.portId}/${nic.index}`;
    const refuse = (message: string, rule: string): never => {
      throw new ExtSwitchError('ILLEGAL_TRANSITION', `${message} (rule ${rule})`, { rule });
    };
    if (nic.type !== 'synthetic')
      refuse(`${what} is ${nic.type}: it gets no virtual function`, 'C16');
    checkConnected(nic, 'a virtual function');
    if (nic.vfAssigned) refuse(`${what} has a virtual function already`, 'H12');
  }

  #change(event: string, nic: Nic): void {
    this.#with.environment.stateChange(this.#with.state.name, {
      event,
      portId: nic.portId,
      nicIndex: nic.index,
      nic: nic.name,
      path: nic.path,
    });
  }
}

/** Address as hex text; refuses what is no group address of six bytes. */
function groupAddress(mac: Uint8Array): string {
  const text = Buffer.from(mac).toString('hex');
  if (mac.length === 6 && ((mac[0] ?? 0) & 1) === 1) return text;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${text}: expected a multicast address, six bytes with bit 0 of the first set (rule D26)`,
    { rule: 'D26', expected: 'a group address', found: text },
  );
}
