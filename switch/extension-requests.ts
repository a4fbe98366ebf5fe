import { oidName } from '../src/abi/index.ts';
import { isExtSwitchError } from '../src/core/errors.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { NicAddress, NicRequestOptions, OidResult } from '../src/sdk/extension.ts';
import {
  answerOriginal,
  type Encapsulated,
  encapsulate,
  innerAnswer,
  NOWHERE,
  nicRequestOf,
  sameNic,
} from './encapsulated-request.ts';
import type { Finding, SwitchEnvironment } from './environment.ts';
import { adapterAt, nicAt } from './external-port.ts';
import type { FilterModule } from './filter-module.ts';
import { releasedBy } from './offload-resource.ts';
import { type OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import type { SwitchState } from './switch-state.ts';

/** What originating requests needs from the stack. */
export interface RequestHost {
  readonly state: SwitchState;
  readonly environment: SwitchEnvironment;
  readonly pipeline: Pipeline;
  modules(): readonly FilterModule[];
}

const NOTHING = new Uint8Array(0);

/** NIC_REQUESTs that one extension originates or sends in the place of another (rules D30-D39, C43-C47, C58). */
export class ExtensionRequests {
  readonly #host: RequestHost;
  readonly #module: FilterModule;

  constructor(host: RequestHost, module: FilterModule) {
    this.#host = host;
    this.#module = module;
  }

  /** `nicRequest` of the context. */
  originate(options: NicRequestOptions): OidResult | Promise<OidResult> {
    const { source = NOWHERE, destination, requestType, oid, input = NOTHING } = options;
    const request = encapsulate(
      {
        source,
        destination,
        requestType,
        oid,
        input,
        outputLength: options.outputLengthBytes ?? 0,
        issuer: this.#module,
      },
      this.#host.state.ndis,
    );
    return this.#send(request, (inner) => {
      const { output, bytesNeeded } = innerAnswer(request, inner);
      return { status: request.status, output, bytesNeeded };
    });
  }

  /** OID_SWITCH_NIC_REQUEST issued as raw bytes; what is no such structure is INVALID_PARAMETER (rule D11). */
  originateRaw(bytes: Uint8Array): OidResult | Promise<OidResult> {
    let request: OidRequest;
    try {
      request = nicRequestOf(bytes, this.#module);
    } catch (error) {
      if (!isExtSwitchError(error)) throw error;
      this.#find(undefined, { rule: 'D11', severity: 'error', message: `issued ${error.message}` });
      return { status: NdisStatus.INVALID_PARAMETER, output: NOTHING, bytesNeeded: 0 };
    }
    return this.#send(request, () => ({
      status: request.status,
      output: request.buffer.subarray(0, request.bytesWritten),
      bytesNeeded: request.bytesNeeded,
    }));
  }

  #send(
    request: OidRequest,
    result: (inner: Encapsulated) => OidResult,
  ): OidResult | Promise<OidResult> {
    const inner = request.encapsulated as Encapsulated;
    const original = this.#filtered(inner);
    this.#check(request, inner, original);
    if (original?.encapsulated !== undefined) {
      original.encapsulated.replacement = { by: this.#module, status: NdisStatus.PENDING };
    }
    const modules = this.#host.modules();
    request.origin = modules.indexOf(this.#module);
    const ended = (): OidResult => {
      this.#ended(request, original);
      return result(inner);
    };
    this.#host.pipeline.start(request, modules);
    if (request.done) return ended();
    return new Promise((resolve) => {
      request.onComplete = () => resolve(ended());
    });
  }

  /** The request this module has now, when it is the same one from above: the new one stands in its place (rule D38). */
  #filtered(inner: Encapsulated): OidRequest | undefined {
    const { current } = this.#module;
    const above = current?.encapsulated;
    if (current === undefined || current.done || above === undefined) return undefined;
    const { oid, requestType } = above.parts;
    return oid === inner.parts.oid && requestType === inner.parts.requestType ? current : undefined;
  }

  #ended(request: OidRequest, original: OidRequest | undefined): void {
    const above = original?.encapsulated;
    if (original === undefined || above?.replacement?.by !== this.#module || original.done) return;
    above.replacement.status = request.status;
    answerOriginal(original, request);
  }

  // --- what a verifier sees ------------------------------------------------------------------------------------------

  #check(request: OidRequest, inner: Encapsulated, original: OidRequest | undefined): void {
    const { destination, source, parts } = inner;
    const isQuery = parts.requestType === REQUEST_TYPE.query;
    const what = oidName(parts.oid);
    if (this.#module.type !== 'forward' && !isQuery) {
      const message = `a ${this.#module.type} extension originated ${what}, which is no query`;
      this.#find(request, { rule: 'D36', severity: 'error', message });
    }
    this.#checkDestination(request, what, destination);
    if (original?.encapsulated !== undefined && !sameNic(source, original.encapsulated.source)) {
      const from = address(original.encapsulated.source);
      const message = `redirected ${what} of ${from} with source ${address(source)}`;
      this.#find(request, { rule: 'D30', severity: 'error', message });
    }
    if (!sameNic(source, NOWHERE)) {
      this.#checkReference(request, `${what} on behalf of`, source, 'D33');
    }
    if (inner.offload === undefined || inner.offload.class === 'multicast') return;
    if (original === undefined) {
      const message = `originated ${what} without filtering the same request from above`;
      this.#find(request, { rule: 'D38', severity: 'error', message });
    }
    this.#checkRelease(request, inner, original);
  }

  /** Rule D32: the external port and a lower adapter. */
  #checkDestination(request: OidRequest, what: string, destination: NicAddress): void {
    const { state } = this.#host;
    const { portId, nicIndex } = destination;
    if (state.ports.get(portId)?.type !== 'external' || nicIndex === 0) {
      const message = `originated ${what} to ${address(destination)}; expected the external port and an adapter index from 1 on`;
      this.#find(request, { rule: 'D32', severity: 'error', message });
      return;
    }
    this.#checkReference(request, `${what} to`, destination, 'D34');
  }

  /** Rules C43, C46, C47, C58: connected and referenced; a reference taken before NIC_DISCONNECT is good until given back. */
  #checkReference(request: OidRequest, what: string, nicAddress: NicAddress, rule: string): void {
    const nic = nicAt(this.#host.state, nicAddress);
    if (nic !== undefined && this.#module.references.has(nic)) return;
    const named = `originated ${what} NIC ${address(nicAddress)}`;
    if (nic === undefined) {
      this.#find(request, { rule, severity: 'error', message: `${named}, which does not exist` });
    } else if (nic.state === 'connected') {
      const message = `${named} without referencing it (rule C58)`;
      this.#find(request, { rule, severity: 'error', message });
    } else {
      const early = nic.state === 'created' ? 'C43' : 'C46';
      this.#find(request, {
        rule: early,
        severity: 'error',
        message: `${named}, which is ${nic.state}`,
      });
    }
  }

  /** Rule D39: it frees what it allocated itself, or what the request from above names. */
  #checkRelease(request: OidRequest, inner: Encapsulated, original: OidRequest | undefined): void {
    const { oid } = inner.parts;
    const named = releasedBy(oid, inputOf(request, inner));
    if (named === undefined) return;
    const { kind, id } = named;
    const holder = adapterAt(this.#host.state, inner.destination)?.adapter.holder(kind, id);
    if (holder === undefined || holder.issuer === this.#module) return;
    const above = original?.encapsulated;
    if (original !== undefined && above !== undefined) {
      if (releasedBy(oid, inputOf(original, above))?.id === id) return;
    }
    const message = `originated ${oidName(oid)} for ${kind} ${id}, which it did not allocate`;
    this.#find(request, { rule: 'D39', severity: 'error', message });
  }

  /** `request`: the one it is about, which has no number before it is sent. */
  #find(request: OidRequest | undefined, finding: Omit<Finding, 'extensionId' | 'oid'>): void {
    const found = {
      ...finding,
      message: `${this.#module.name} ${finding.message}`,
      extensionId: this.#module.id,
      oid: 'OID_SWITCH_NIC_REQUEST',
    };
    request?.note(found);
    this.#host.environment.finding(this.#host.state.name, found);
  }
}

function inputOf(request: OidRequest, { parts }: Encapsulated): Uint8Array {
  return request.buffer.subarray(parts.dataOffset, parts.dataOffset + parts.inputLength);
}

const address = ({ portId, nicIndex }: NicAddress): string => `${portId}/${nicIndex}`;
