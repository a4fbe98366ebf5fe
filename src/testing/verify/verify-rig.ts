import type { PropertyCodec } from '../../../switch/environment.ts';
import type { FilterModule } from '../../../switch/filter-module.ts';
import { OidRequest, REQUEST_TYPE } from '../../../switch/oid-request.ts';
import {
  DeletedPortPropertyView,
  DeletedSwitchPropertyView,
  PortPropertyView,
  SwitchPropertyView,
} from '../../../switch/property-view.ts';
import { RequestBuffer } from '../../../switch/request-buffer.ts';
import type { Switch } from '../../../switch/switch.ts';
import {
  OIDS,
  oidIndex,
  type PropertyHead,
  propertySize,
  type Scope,
  structure,
  writeProperty,
  writePropertyDelete,
} from '../../abi/index.ts';
import type { RequestType } from '../../sdk/extension.ts';
import type { Verifier } from '../../verifier/verifier.ts';

const VERBS = { add: 'ADD', update: 'UPDATE', delete: 'DELETE' } as const;

/** What came of a request that a stage sent by hand. */
export interface RawOutcome {
  readonly status: number;
  /** Module that completed it; `undefined`: the miniport edge. */
  readonly completedBy: FilterModule | undefined;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesNeeded: number;
  /** The buffer afterwards. */
  readonly bytes: Uint8Array;
}

/** A property request that no switch would send (rule D11). */
export interface Damage {
  /** The only module that gets it: others would take it for a change of the switch. */
  readonly only: FilterModule;
  /** Spoils the bytes. */
  spoil(bytes: Uint8Array): void;
  /** Bytes that are left of it; default: all. */
  readonly length?: number;
}

/** What a stage needs beside a world that behaves: the switches themselves, and requests that no world would send. */
export class VerifyRig {
  #verifier: Verifier | undefined;

  /** Of each world of the stage in turn. */
  watch(verifier: Verifier): Verifier {
    this.#verifier = verifier;
    return verifier;
  }

  /** So many requests come after the teardown of their port (rule B34). */
  expectLate(count: number): void {
    for (const activity of this.#verifier?.activities.values() ?? [])
      activity.lateArrivals += count;
  }

  /** It answered a feature status (rules F9-F11). */
  sawStatusAnswer(): void {
    for (const activity of this.#verifier?.activities.values() ?? []) activity.statusAnswers += 1;
  }

  /** It saved run-time data (rules G13-G33). */
  sawSavedRecords(count: number): void {
    for (const activity of this.#verifier?.activities.values() ?? []) {
      activity.savedRecords += count;
    }
  }

  /** A class of its own was sent in odd ways (rules E24-E34). */
  sawOddProperty(): void {
    for (const activity of this.#verifier?.activities.values() ?? []) activity.oddProperties += 1;
  }

  /** A standard property was sent (rules E30, E32). */
  sawStandardProperty(): void {
    for (const activity of this.#verifier?.activities.values() ?? []) {
      activity.standardProperties += 1;
    }
  }

  /** A malformed property was sent to it (rule D11). */
  sawMalformed(): void {
    for (const activity of this.#verifier?.activities.values() ?? []) activity.malformed += 1;
  }

  /** A set with nothing in it was sent (rule D12). */
  sawEmptySet(): void {
    for (const activity of this.#verifier?.activities.values() ?? []) activity.emptySets += 1;
  }

  /** The machine of a switch, by its name. */
  machine(switchName: string): Switch {
    const found = this.#verifier?.machines.get(switchName);
    if (found === undefined) throw new Error(`there is no switch ${switchName}`);
    return found;
  }

  /**
   * Sends any bytes as any OID from the protocol edge, as the switch would: down the whole stack, one at a time; only while
   * nothing else is under way on the switch. `room`: bytes for the answer of a query or method;
   * `codec`: the class of what is in the buffer.
   */
  send(
    switchName: string,
    requestType: RequestType,
    oid: number,
    input: Uint8Array,
    options: {
      readonly room?: number;
      readonly codec?: PropertyCodec;
      /** The only module that gets it; left out: the whole stack. */
      readonly only?: FilterModule;
    } = {},
  ): Promise<RawOutcome> {
    const { room = 0, codec, only } = options;
    const machine = this.machine(switchName);
    const buffer = new Uint8Array(Math.max(input.length, room));
    buffer.set(input);
    const request = new OidRequest(
      oid,
      oidIndex(oid),
      REQUEST_TYPE[requestType],
      buffer,
      input.length,
      requestType === 'set' ? 0 : room,
    );
    request.codec = codec;
    return this.#started(machine, request, only);
  }

  /**
   * Sends a property request with any head and any data: as the switch does, so that handlers get their typed view. Of one
   * with `damage` the view has no data: that is as far as the library can read it.
   */
  sendProperty(
    switchName: string,
    verb: 'add' | 'update' | 'delete',
    head: PropertyHead & { readonly scope: Scope },
    data: Uint8Array,
    codec?: PropertyCodec,
    damage?: Damage,
  ): Promise<RawOutcome> {
    const machine = this.machine(switchName);
    const { scope } = head;
    const isDelete = verb === 'delete';
    const layout = structure(
      `NDIS_SWITCH_${scope === 'port' ? 'PORT_' : ''}PROPERTY_${isDelete ? 'DELETE_' : ''}PARAMETERS`,
    );
    const whole = isDelete ? layout.sizeof() : propertySize(scope, data.length, head.propertyType);
    const length = damage?.length ?? whole;
    const buffer = new RequestBuffer(whole);
    const { code } = OIDS[`OID_SWITCH_${scope === 'port' ? 'PORT_' : ''}PROPERTY_${VERBS[verb]}`];
    const request = new OidRequest(code, oidIndex(code), REQUEST_TYPE.set, buffer.bytes, length, 0);
    request.codec = codec;
    const { pipeline } = machine;
    if (isDelete) {
      writePropertyDelete(scope, buffer.bytes, 0, head);
      request.property =
        scope === 'port'
          ? new DeletedPortPropertyView(request, buffer, pipeline)
          : new DeletedSwitchPropertyView(request, buffer, pipeline);
    } else {
      request.dataOffset = writeProperty(scope, buffer.bytes, 0, head, data.length);
      request.dataLength = data.length;
      buffer.bytes.set(data, request.dataOffset);
      request.property =
        scope === 'port'
          ? new PortPropertyView(request, buffer, pipeline)
          : new SwitchPropertyView(request, buffer, pipeline);
    }
    if (damage !== undefined) {
      damage.spoil(buffer.bytes);
      request.dataOffset = 0;
      request.dataLength = 0;
    }
    return this.#started(machine, request, damage?.only);
  }

  #started(machine: Switch, request: OidRequest, only?: FilterModule): Promise<RawOutcome> {
    return new Promise((resolve) => {
      request.onComplete = ({
        status,
        completedBy,
        bytesRead,
        bytesWritten,
        bytesNeeded,
        buffer: bytes,
      }) => resolve({ status, completedBy, bytesRead, bytesWritten, bytesNeeded, bytes });
      machine.pipeline.start(request, only === undefined ? machine.modules : [only]);
    });
  }
}
