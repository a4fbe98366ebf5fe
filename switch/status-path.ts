import { nicStatusSize, readNicStatus, writeNicStatus } from '../src/abi/index.ts';
import { NdisStatus, statusName } from '../src/core/status.ts';
import type { NicAddress, NicStatusIndication, NicStatusOptions } from '../src/sdk/extension.ts';
import { NOWHERE, sameNic } from './encapsulated-request.ts';
import type { Finding, SwitchEnvironment } from './environment.ts';
import { whenSettled } from './extension-promise.ts';
import { nicAt } from './external-port.ts';
import type { FilterModule } from './filter-module.ts';
import { describe } from './finding-text.ts';
import type { Nic } from './ports.ts';
import type { SwitchState } from './switch-state.ts';

/** What the path of indications needs from the stack. */
export interface StatusHost {
  readonly state: SwitchState;
  readonly environment: SwitchEnvironment;
  modules(): readonly FilterModule[];
  /** Rule H14: called when REMOVE_VF has arrived at the protocol edge. */
  removeVf(nic: Nic): void;
}

/** One stop of an indication on its way up. */
export interface IndicationStop {
  readonly module: string;
  readonly verdict: string;
}

/** An indication that has been delivered, for the trace. */
export interface Indication {
  /** NDIS_STATUS_SWITCH_NIC_STATUS. */
  readonly status: number;
  /** Status code inside. */
  readonly inner: number;
  /** `miniportEdge` or the id of the extension that raised it. */
  readonly origin: string;
  /** Bottom to top. */
  readonly route: readonly IndicationStop[];
  readonly bytes: Uint8Array;
  readonly time: number;
}

/** SourceHandle of an indication (rule H10): the extension miniport is 1, modules count from 2, top to bottom. */
const MINIPORT_HANDLE = 1;
const FIRST_MODULE_HANDLE = 2;
const NOTHING = new Uint8Array(0);

/**
 * The way of NDIS_STATUS_SWITCH_NIC_STATUS up the stack (rules H1-H3): from the miniport edge, or from the place of the
 * forwarding extension that raised it, through each module above to the protocol edge, which takes the inner indication
 * out (rule H2). It is synchronous; nobody can hold an indication.
 */
export class StatusPath {
  readonly #host: StatusHost;

  constructor(host: StatusHost) {
    this.#host = host;
  }

  /** Rule H1: a status of an adapter below the external NIC. Source is the adapter, destination 0/0. */
  fromAdapter(adapter: Nic, statusCode: number, data: Uint8Array): void {
    const source = { portId: adapter.portId, nicIndex: adapter.index };
    this.#indicate(undefined, source, NOWHERE, statusCode, data);
  }

  /** What an extension indicates, from its own place upwards (rules H5-H13). */
  fromModule(module: FilterModule, options: NicStatusOptions): void {
    const { source = NOWHERE, destination = NOWHERE, statusCode, data = NOTHING } = options;
    this.#host.environment.observer?.indicated(this.#host.state.name, module, options);
    this.#check(module, source, destination, statusCode, data);
    this.#indicate(module, source, destination, statusCode, data);
  }

  #indicate(
    origin: FilterModule | undefined,
    source: NicAddress,
    destination: NicAddress,
    statusCode: number,
    data: Uint8Array,
  ): void {
    const modules = this.#host.modules();
    const place = origin === undefined ? modules.length : modules.indexOf(origin);
    const head = {
      sourcePortId: source.portId,
      sourceNicIndex: source.nicIndex,
      destinationPortId: destination.portId,
      destinationNicIndex: destination.nicIndex,
      statusCode,
      sourceHandle: origin === undefined ? MINIPORT_HANDLE : FIRST_MODULE_HANDLE + place,
    };
    const bytes = new Uint8Array(nicStatusSize(data.length));
    writeNicStatus(bytes, 0, head, data);
    const indication = new IndicationView(source, destination, statusCode, bytes);
    const route: IndicationStop[] = [];
    // Rule H3: forward, filter, capture.
    let isDropped = false;
    for (let i = place - 1; i >= 0 && !isDropped; i -= 1) {
      const module = modules[i] as FilterModule;
      isDropped = this.#call(module, indication);
      this.#host.environment.observer?.sawIndication(this.#host.state.name, module, isDropped);
      route.push({ module: module.id, verdict: isDropped ? 'drop' : 'forward' });
    }
    if (!isDropped) route.push({ module: 'protocolEdge', verdict: statusName(statusCode) });
    this.#host.environment.trace.recordIndication(this.#host.state.name, {
      status: NdisStatus.SWITCH_NIC_STATUS,
      inner: statusCode,
      origin: origin?.id ?? 'miniportEdge',
      route,
      bytes,
      time: this.#host.environment.clock.now(),
    });
    if (!isDropped) this.#arrive(indication);
  }

  /** True when the module swallowed it, which only a forwarding extension may (rules H5, H6). */
  #call(module: FilterModule, indication: IndicationView): boolean {
    const { nicStatus } = module.handlers;
    if (nicStatus === undefined) return false;
    let answer: unknown;
    try {
      answer = nicStatus.call(module.handlers, indication);
    } catch (error) {
      const message = `threw in nicStatus: ${describe(error)}; forwarded`;
      this.#find(module, { rule: 'H4', severity: 'error', message });
    }
    if (indication.isChanged()) {
      const message =
        'changed the bytes of an indication instead of raising its own copy; put back';
      this.#find(module, { rule: 'H6', severity: 'error', message });
    }
    if (answer === undefined || answer === 'forward') return false;
    if (answer === 'drop') return this.#mayDrop(module);
    // Rule H4: inside its FilterStatus call; a promise comes too late.
    const ignore = (): void => undefined;
    whenSettled(answer, ignore, ignore);
    const message = `answered nicStatus with ${describe(answer)}: expected 'forward' or 'drop'; forwarded`;
    this.#find(module, { rule: 'H4', severity: 'error', message });
    return false;
  }

  #mayDrop(module: FilterModule): boolean {
    if (module.type === 'forward') return true;
    const message = `a ${module.type} extension swallowed an indication; forwarded`;
    this.#find(module, { rule: 'H5', severity: 'error', message });
    return false;
  }

  /** Rule H2: the protocol edge hands the inner indication to the drivers above. */
  #arrive(indication: IndicationView): void {
    const { source, destination, statusName: name, statusCode } = indication;
    const { state, environment } = this.#host;
    environment.stateChange(state.name, {
      event: 'nicStatus',
      status: name,
      sourcePortId: source.portId,
      sourceNicIndex: source.nicIndex,
      destinationPortId: destination.portId,
      destinationNicIndex: destination.nicIndex,
    });
    if (statusCode !== NdisStatus.SWITCH_PORT_REMOVE_VF) return;
    const nic = nicAt(state, destination);
    // Rules H12, H13: nothing to remove, or too late for it.
    if (nic?.state !== 'connected' || !nic.vfAssigned || nic.isVfRemovalAsked) return;
    nic.isVfRemovalAsked = true;
    this.#host.removeVf(nic);
  }

  // --- what a verifier sees ------------------------------------------------------------------------------------------

  #check(
    module: FilterModule,
    source: NicAddress,
    destination: NicAddress,
    statusCode: number,
    data: Uint8Array,
  ): void {
    const find = (rule: string, message: string): void =>
      this.#find(module, {
        rule,
        severity: 'error',
        message: `${message} (${statusName(statusCode)})`,
      });
    const isRemoval = statusCode === NdisStatus.SWITCH_PORT_REMOVE_VF;
    if (module.type !== 'forward') {
      const rule = isRemoval ? 'H12' : 'H5';
      find(rule, `a ${module.type} extension raised an indication; only a forwarding one may`);
    }
    if (isRemoval) this.#checkRemoval(source, destination, data, find);
    if (sameNic(destination, NOWHERE)) this.#checkAdapterStatus(module, source, find);
    else this.#checkVmStatus(module, source, destination, find);
  }

  /** Rules H11-H13. */
  #checkRemoval(
    source: NicAddress,
    destination: NicAddress,
    data: Uint8Array,
    find: (rule: string, message: string) => void,
  ): void {
    if (data.length > 0 || !sameNic(source, NOWHERE) || sameNic(destination, NOWHERE)) {
      find(
        'H11',
        'raised REMOVE_VF with data, a source, or no destination; expected the NIC alone',
      );
    }
    const nic = nicAt(this.#host.state, destination);
    if (nic === undefined) return;
    if (nic.state === 'disconnected') find('H13', `raised REMOVE_VF after NIC_DISCONNECT`);
    else if (!nic.vfAssigned || nic.isVfRemovalAsked) {
      find('H12', `raised REMOVE_VF for NIC ${text(destination)}, which has none to remove`);
    }
  }

  /** Rules H7, H9: about an adapter, in the name of the external NIC. */
  #checkAdapterStatus(
    module: FilterModule,
    source: NicAddress,
    find: (rule: string, message: string) => void,
  ): void {
    const { state } = this.#host;
    if (state.ports.get(source.portId)?.type !== 'external' || source.nicIndex !== 0) {
      find(
        'H7',
        `raised an indication with source ${text(source)}; expected the external port, NIC 0`,
      );
    }
    this.#checkReference(module, source, find);
  }

  /** Rules H8, H9: about a VM NIC's offload resources. */
  #checkVmStatus(
    module: FilterModule,
    source: NicAddress,
    destination: NicAddress,
    find: (rule: string, message: string) => void,
  ): void {
    if (!sameNic(source, NOWHERE)) {
      find(
        'H8',
        `raised an indication for NIC ${text(destination)} with source ${text(source)}; expected 0/0`,
      );
    }
    this.#checkReference(module, destination, find);
  }

  /** Rules H9, C43, C46, C47: of the NIC it names it holds a reference, taken while that was connected. */
  #checkReference(
    module: FilterModule,
    named: NicAddress,
    find: (rule: string, message: string) => void,
  ): void {
    const nic = nicAt(this.#host.state, named);
    if (nic !== undefined && module.references.has(nic)) return;
    if (nic?.state === 'created') {
      find('C43', `raised an indication for NIC ${text(named)}, which is created`);
    } else if (nic?.state === 'disconnected') {
      find('C46', `raised an indication for NIC ${text(named)}, which is disconnected`);
    } else {
      find('H9', `raised an indication that names NIC ${text(named)} without referencing it`);
    }
  }

  #find(module: FilterModule, finding: Omit<Finding, 'extensionId' | 'oid'>): void {
    this.#host.environment.finding(this.#host.state.name, {
      ...finding,
      message: `${module.name} ${finding.message}`,
      extensionId: module.id,
      oid: 'NDIS_STATUS_SWITCH_NIC_STATUS',
    });
  }
}

const text = ({ portId, nicIndex }: NicAddress): string => `${portId}/${nicIndex}`;

/** The indication as handlers see it; bytes they change are put back (rule H6). */
class IndicationView implements NicStatusIndication {
  readonly source: NicAddress;
  readonly destination: NicAddress;
  readonly statusCode: number;
  readonly #bytes: Uint8Array;
  #pristine: Uint8Array | undefined;

  constructor(source: NicAddress, destination: NicAddress, statusCode: number, bytes: Uint8Array) {
    this.source = source;
    this.destination = destination;
    this.statusCode = statusCode;
    this.#bytes = bytes;
  }

  get statusName(): string {
    return statusName(this.statusCode);
  }
  get bytes(): Uint8Array {
    this.#pristine ??= this.#bytes.slice();
    return this.#bytes;
  }
  get data(): Uint8Array {
    const { dataOffset, dataLength } = readNicStatus(this.#bytes);
    return this.bytes.subarray(dataOffset, dataOffset + dataLength);
  }

  /** Compares with what was raised and puts that back. */
  isChanged(): boolean {
    const pristine = this.#pristine;
    if (pristine === undefined) return false;
    const changed = pristine.some((byte, i) => byte !== this.#bytes[i]);
    if (changed) this.#bytes.set(pristine);
    return changed;
  }
}
