import { OIDS, oidIndex, oidName, saveDataOffset } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { isErrorStatus, NdisStatus, statusName } from '../src/core/status.ts';
import type { SwitchEnvironment } from './environment.ts';
import type { FilterModule } from './filter-module.ts';
import { OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Nic, Port } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import {
  checkRecord,
  type Flaw,
  readSaveAnswer,
  restoreBytesOf,
  type SaveAnswer,
  type SaveRecord,
  saveStateBytes,
  writeBlankState,
} from './save-record.ts';
import { maxSaveData, SAVE_STATE, tooLongRecord } from './save-state-view.ts';
import { NIC_STATES, nextState } from './states.ts';
import { type Steps, settled } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/** Room for data that every NIC_SAVE offers first, bytes. */
const FIRST_ROOM = 4096;
/** One record is asked for with more room at most this often; who wants more each time is cut off. */
const MAX_ATTEMPTS = 8;
/** Rule G19: what one save may bring; more is endless. */
const MAX_RECORDS = 1000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Rule G19 as well: successes without a record (OP-10, OP-11) in one save. */
const MAX_EMPTY = 8;

export interface SaveOutcome {
  /** In the order they were saved; empty when the save failed (OP-14). */
  readonly records: readonly SaveRecord[];
  /** The NIC_SAVE that ended the save before its time. */
  readonly refused?: OidRequest;
  /** The rule its completion broke, when the status alone does not say why. */
  readonly rule?: string;
  /** In words, where a status cannot say it. */
  readonly reason?: string;
}

export interface RestoreOutcome {
  /** Records an extension took. */
  readonly restored: number;
  /** Records that reached the miniport edge (rule G26). */
  readonly unowned: readonly SaveRecord[];
  /** The NIC_RESTORE that failed; no further record was sent (rule G27). */
  readonly refused?: OidRequest;
}

/** Run-time data of a NIC: NIC_SAVE until nobody has more, NIC_RESTORE record by record (rules G1-G34, S9, S10). */
export class SaveOperations {
  readonly #state: SwitchState;
  readonly #edge: ProtocolEdge;
  readonly #environment: SwitchEnvironment;
  readonly #dataOffset: number;

  constructor(state: SwitchState, edge: ProtocolEdge, environment: SwitchEnvironment) {
    this.#state = state;
    this.#edge = edge;
    this.#environment = environment;
    this.#dataOffset = saveDataOffset(state.ndis);
  }

  /** Collects the records of every extension, then SAVE_COMPLETE once, also when the save failed (rule G8, OP-14). */
  *save(port: Port, nic: Nic): Steps<SaveOutcome> {
    this.#begin(nic, 'save');
    let outcome: SaveOutcome;
    try {
      outcome = yield* this.#collect(nic);
      yield* this.#end(OIDS.OID_SWITCH_NIC_SAVE_COMPLETE.code, nic);
    } finally {
      nic.transfer = undefined;
    }
    const failed = outcome.refused !== undefined;
    this.#change(failed ? 'nicSaveFailed' : 'nicSaved', port, nic, {
      records: outcome.records.length,
    });
    return outcome;
  }

  /** Tells the records in stored order with today's port, then RESTORE_COMPLETE once (rules G23-G27, OP-17, OP-18). */
  *restore(port: Port, nic: Nic, records: readonly SaveRecord[]): Steps<RestoreOutcome> {
    records.forEach((record, i) => {
      checkRecord(record, i, this.#state.ndis);
    });
    this.#begin(nic, 'restore');
    let outcome: RestoreOutcome;
    try {
      outcome = yield* this.#tell(port, nic, records);
      // OP-17: also when it failed, unless the switch was told otherwise.
      if (outcome.refused === undefined || this.#environment.behaviour.completeFailedRestore) {
        yield* this.#end(OIDS.OID_SWITCH_NIC_RESTORE_COMPLETE.code, nic);
      }
    } finally {
      nic.transfer = undefined;
    }
    const failed = outcome.refused !== undefined;
    this.#change(failed ? 'nicRestoreFailed' : 'nicRestored', port, nic, {
      restored: outcome.restored,
      unowned: outcome.unowned.length,
    });
    return outcome;
  }

  /** Rules G4, G9, G28, G29: NIC index 0, connected, and no other save or restore on it. */
  #begin(nic: Nic, transfer: 'save' | 'restore'): void {
    const what = `NIC ${nic.portId}/${nic.index}`;
    if (nic.index !== 0) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${what}: run-time data belongs to NIC index 0 (rule G4)`,
        { rule: 'G4', member: 'nicIndex', expected: '0', found: String(nic.index) },
      );
    }
    nextState(NIC_STATES, nic.state, transfer, what);
    if (nic.transfer !== undefined) {
      const rule = transfer === 'save' ? 'G9' : 'G28';
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${what}: a ${nic.transfer} runs on it; ${transfer} is not allowed before it ended (rule ${rule})`,
        { rule },
      );
    }
    nic.transfer = transfer;
  }

  // --- save ----------------------------------------------------------------------------------------------------------

  /** NIC_SAVE until it reaches the miniport edge (rules G5, G6); any error fails the whole save (rule G10). */
  *#collect(nic: Nic): Steps<SaveOutcome> {
    const records: SaveRecord[] = [];
    let bytes = 0;
    let empty = 0;
    let room = FIRST_ROOM;
    let attempt = 1;
    for (;;) {
      let answer: SaveAnswer | undefined;
      // Read in the moment of completion: afterwards the bytes are nobody's to rely on.
      const done = yield* settled(
        this.#edge.send(this.#saveRequest(nic, room), (request) => {
          const owner = request.completedBy;
          if (owner === undefined || isErrorStatus(request.status)) return;
          answer = readSaveAnswer(request, owner);
        }),
      );
      const { completedBy } = done;
      if (completedBy === undefined) return { records };
      if (done.status === NdisStatus.BUFFER_TOO_SHORT) {
        const wanted = this.#wantedRoom(done, completedBy, room, attempt);
        if (typeof wanted !== 'number') return { records: [], refused: done, ...wanted };
        room = wanted;
        attempt += 1;
        continue;
      }
      // OP-14: what was collected is discarded.
      if (answer === undefined) return { records: [], refused: done, ...this.#tooLong(done) };
      for (const flaw of answer.flaws) this.#find(done, completedBy, flaw);
      if (answer.record === undefined) {
        empty += 1;
      } else {
        records.push(answer.record);
        bytes += answer.record.data.length;
      }
      if (this.#isEndless(done, completedBy, { records: records.length, bytes, empty })) {
        return { records: [], refused: done, rule: 'G19' };
      }
      room = FIRST_ROOM;
      attempt = 1;
    }
  }

  /** Rules G2, G3: header of the full size, port, NIC index 0, room and offset are preset. */
  #saveRequest(nic: Nic, room: number): OidRequest {
    const bytes = saveStateBytes(nic, this.#dataOffset, room, this.#state.ndis);
    const oid = OIDS.OID_SWITCH_NIC_SAVE.code;
    const { length } = bytes;
    return new OidRequest(oid, oidIndex(oid), REQUEST_TYPE.method, bytes, length, length);
  }

  /** Rule G12: the record that a handler failed with was longer than any request can say. */
  #tooLong(done: OidRequest): Pick<SaveOutcome, 'rule' | 'reason'> {
    const bytes = tooLongRecord(done);
    return bytes === undefined ? {} : { rule: 'G12', reason: this.#longest(`has ${bytes} bytes`) };
  }

  #longest(found: string): string {
    const { ndis } = this.#state;
    const max = maxSaveData(SAVE_STATE.revisionFor(ndis));
    return `its record ${found}, and one has at most ${max} on NDIS ${ndis} (rule G12)`;
  }

  /** Rule G7: the room that BytesNeeded names, or the rule that forbids to ask again. */
  #wantedRoom(
    done: OidRequest,
    owner: FilterModule,
    room: number,
    attempt: number,
  ): number | Pick<SaveOutcome, 'rule' | 'reason'> {
    // OP-12: both formulas fit when the smaller fixed part, that of revision 1, is taken off.
    const wanted = done.bytesNeeded - SAVE_STATE.minimumSize;
    const max = maxSaveData(SAVE_STATE.revisionFor(this.#state.ndis));
    if (wanted <= room) {
      this.#find(done, owner, {
        rule: 'G17',
        severity: 'error',
        message:
          `said NDIS_STATUS_BUFFER_TOO_SHORT with BytesNeeded ${done.bytesNeeded} although there was room for ` +
          `${room} bytes: expected the fixed size plus its data`,
      });
      return { rule: 'G17' };
    }
    // The formula of the sample counts the padding in front of the data as well.
    if (wanted - (this.#dataOffset - SAVE_STATE.minimumSize) > max) {
      this.#find(done, owner, {
        rule: 'G12',
        severity: 'error',
        message: `asked for ${wanted} bytes of room: a record has at most ${max} on NDIS ${this.#state.ndis}`,
      });
      return { rule: 'G12', reason: this.#longest(`wants ${wanted} bytes of room`) };
    }
    if (attempt < MAX_ATTEMPTS) return Math.min(wanted, max);
    this.#find(done, owner, {
      rule: 'G17',
      severity: 'error',
      message: `asked ${attempt} times in a row for more room for one record; the save is given up`,
    });
    return { rule: 'G17' };
  }

  /** Rule G19: cut off, or it would never end. */
  #isEndless(
    done: OidRequest,
    owner: FilterModule,
    count: { readonly records: number; readonly bytes: number; readonly empty: number },
  ): boolean {
    const { records, bytes, empty } = count;
    if (records <= MAX_RECORDS && bytes <= MAX_BYTES && empty < MAX_EMPTY) return false;
    this.#find(done, owner, {
      rule: 'G19',
      severity: 'error',
      message: `found no end: ${records} records with ${bytes} bytes and ${empty} empty successes; the save is given up`,
    });
    return true;
  }

  // --- restore -------------------------------------------------------------------------------------------------------

  *#tell(port: Port, nic: Nic, records: readonly SaveRecord[]): Steps<RestoreOutcome> {
    const unowned: SaveRecord[] = [];
    let restored = 0;
    const { ndis } = this.#state;
    for (const record of records) {
      const bytes = restoreBytesOf(nic, record, this.#dataOffset, ndis);
      const request = this.#edge.set(OIDS.OID_SWITCH_NIC_RESTORE.code, bytes);
      const done = yield* settled(this.#edge.send(request));
      this.#checkOwner(done, record);
      // Rules G24, G27.
      if (isErrorStatus(done.status)) return { restored, unowned, refused: done };
      if (done.completedBy !== undefined) {
        restored += 1;
        continue;
      }
      unowned.push(record);
      this.#change('nicRestoreUnowned', port, nic, {
        extensionId: record.extensionId,
        extension: record.extensionFriendlyName,
      });
    }
    return { restored, unowned };
  }

  /** Rules G30-G32: the owner takes its record, nobody else does. */
  #checkOwner(done: OidRequest, { extensionId }: SaveRecord): void {
    const { completedBy, status } = done;
    if (completedBy === undefined) {
      const owner = done.modules.find(({ id }) => id === extensionId);
      if (owner === undefined) return;
      const message = 'forwarded a record of its own instead of taking it';
      this.#find(done, owner, { rule: 'G31', severity: 'error', message });
      return;
    }
    // What the switch itself ended says nothing about who held it.
    if (completedBy.id === extensionId || status === NdisStatus.REQUEST_ABORTED) return;
    this.#find(done, completedBy, {
      rule: 'G32',
      severity: 'warning',
      message: `completed a record of ${extensionId}, which is not its own, with ${statusName(status)}`,
    });
  }

  // --- both ----------------------------------------------------------------------------------------------------------

  /** SAVE_COMPLETE or RESTORE_COMPLETE (rules G8, G23). */
  *#end(oid: number, nic: Nic): Steps<void> {
    const { ndis } = this.#state;
    const sent = this.#edge.sendSet(oid, this.#dataOffset, ({ bytes }) => {
      writeBlankState(bytes, nic, 0, ndis);
    });
    yield* settled(sent);
  }

  #find(request: OidRequest, module: FilterModule, flaw: Flaw): void {
    const oid = oidName(request.oid);
    this.#environment.finding(this.#state.name, {
      ...flaw,
      message: `${oid}: ${module.name} ${flaw.message}`,
      extensionId: module.id,
      oid,
      request: request.id,
    });
  }

  #change(
    event: string,
    port: Port,
    nic: Nic,
    more: Readonly<Record<string, string | number>>,
  ): void {
    this.#environment.stateChange(this.#state.name, {
      event,
      portId: port.portId,
      port: port.name,
      nicIndex: nic.index,
      nic: nic.name,
      ...more,
    });
  }
}
