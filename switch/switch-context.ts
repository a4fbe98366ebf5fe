import {
  CUSTOM_TYPE,
  customData,
  enumParametersSize,
  OIDS,
  oidByCode,
  oidIndex,
  oidName,
  type Scope,
  structure,
  walkArray,
  walkEnum,
  writeEnumQuestion,
} from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { type Guid, NULL_GUID } from '../src/core/guid.ts';
import { NdisStatus, statusName } from '../src/core/status.ts';
import type {
  NicParameters,
  NicRequestOptions,
  NicStatusOptions,
  OidResult,
  PortParameters,
  PropertyEntry,
  RequestType,
  SwitchContext,
  SwitchParameters,
} from '../src/sdk/extension.ts';
import { NIC_REQUEST } from './encapsulated-request.ts';
import type { Finding, PropertyCodec, SwitchEnvironment } from './environment.ts';
import { ExtensionRequests } from './extension-requests.ts';
import type { FailingCall } from './fault-points.ts';
import type { FilterModule } from './filter-module.ts';
import { describe } from './finding-text.ts';
import { namedPortRefusal } from './named-port.ts';
import { OidRequest, REQUEST_TYPE, type RequestTypeCode } from './oid-request.ts';
import { checkRequestOptions, checkStatusOptions } from './originated-options.ts';
import {
  readNicParameters,
  readPortParameters,
  readSwitchParameters,
  SWITCH_PARAMETERS,
} from './parameters.ts';
import type { Pipeline } from './pipeline.ts';
import { propertyTypeCode } from './property-view.ts';
import type { References } from './references.ts';
import type { StatusPath } from './status-path.ts';
import type { SwitchState } from './switch-state.ts';

const PORT_ARRAY = structure('NDIS_SWITCH_PORT_ARRAY');
const NIC_ARRAY = structure('NDIS_SWITCH_NIC_ARRAY');
/** A query is asked again with the room it needs at most this often (rule J10). */
const MAX_ATTEMPTS = 8;

/** What the context needs from the stack it stands in. */
export interface ContextHost {
  readonly state: SwitchState;
  readonly environment: SwitchEnvironment;
  readonly pipeline: Pipeline;
  readonly references: References;
  modules(): readonly FilterModule[];
  readonly statusPath: StatusPath;
  /** NdisFRestartFilter (rule A66). */
  requestRestart(module: FilterModule): void;
}

/** {@link SwitchContext} for one module: its OIDs go down from the module's own place (rule D2). */
export class ModuleContext implements SwitchContext {
  readonly #host: ContextHost;
  readonly #module: FilterModule;
  readonly #requests: ExtensionRequests;

  constructor(host: ContextHost, module: FilterModule) {
    this.#host = host;
    this.#module = module;
    this.#requests = new ExtensionRequests(host, module);
  }

  get id(): Guid {
    return this.#host.state.id;
  }
  get name(): string {
    return this.#host.state.name;
  }
  get ndisVersion(): string {
    return this.#host.state.ndis;
  }
  now(): number {
    return this.#host.environment.clock.now();
  }
  random(): number {
    return this.#host.environment.rng.float();
  }
  log(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#host.environment.log(this.name, this.#module.name, message, fields);
  }

  after(delayMs: number, fire: () => void): { cancel(): void } {
    if (!Number.isFinite(delayMs)) {
      throw new ExtSwitchError('INVALID_ARGUMENT', `delay ${delayMs}: expected milliseconds`, {
        member: 'delayMs',
        expected: 'a finite number',
        found: String(delayMs),
      });
    }
    // What still runs of a detached extension has no switch any more.
    if (this.#module.state === 'detached') return { cancel: () => undefined };
    const report = (error: unknown): void =>
      this.#find({
        rule: 'D6',
        severity: 'error',
        message: `threw in a timer: ${describe(error)}`,
      });
    const timer = this.#host.environment.clock.after(delayMs, () => {
      this.#module.timers.delete(timer);
      try {
        const result: unknown = fire();
        if (result instanceof Promise) result.catch(report);
      } catch (error) {
        report(error);
      }
    });
    this.#module.timers.add(timer);
    return {
      cancel: () => {
        this.#module.timers.delete(timer);
        timer.cancel();
      },
    };
  }

  // --- references ----------------------------------------------------------------------------------------------------

  referencePort(portId: number): NdisStatus {
    return this.#host.references.referencePort(this.#module, portId);
  }
  dereferencePort(portId: number): NdisStatus {
    return this.#host.references.dereferencePort(this.#module, portId);
  }
  referenceNic(portId: number, nicIndex: number): NdisStatus {
    return this.#host.references.referenceNic(this.#module, portId, nicIndex);
  }
  dereferenceNic(portId: number, nicIndex: number): NdisStatus {
    return this.#host.references.dereferenceNic(this.#module, portId, nicIndex);
  }

  /** Rule A66. */
  restartStack(): void {
    this.#host.requestRestart(this.#module);
  }

  // --- OIDs ----------------------------------------------------------------------------------------------------------

  request(
    requestType: RequestType,
    oid: number,
    input: Uint8Array,
    outputLengthBytes = 0,
  ): OidResult | Promise<OidResult> {
    this.#mayIssue(oid);
    const known = oidByCode(oid);
    if (known !== undefined && known.issuer === 'protocolEdge') {
      // Rules A5, B25, C41, E21: only the protocol edge issues these.
      const rule = /_PROPERTY_/.test(known.name)
        ? 'E21'
        : /_PORT_/.test(known.name)
          ? 'B25'
          : 'C41';
      this.#find({
        rule,
        severity: 'error',
        message: `issued ${known.name}, which only the protocol edge may issue`,
        oid: known.name,
      });
      return { status: NdisStatus.NOT_SUPPORTED, output: new Uint8Array(0), bytesNeeded: 0 };
    }
    const type: RequestTypeCode | undefined = REQUEST_TYPE[requestType];
    const validRoom = Number.isInteger(outputLengthBytes) && outputLengthBytes >= 0;
    if (type === undefined || !validRoom || !(input instanceof Uint8Array)) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `request(${String(requestType)}, ${oidName(oid)}): expected query, set or method, a Uint8Array, and a length in bytes`,
        { oid: oidName(oid), extensionId: this.#module.id },
      );
    }
    const failed = this.#failed('request', oid);
    if (failed !== undefined) return failed;
    if (oid === NIC_REQUEST && requestType === 'method') {
      return this.#requests.originateRaw(input.slice());
    }
    const refused = namedPortRefusal(this.#host.state, this.#module, oid, input);
    if (refused !== undefined) {
      this.#find({
        rule: refused.portId === this.#module.refusedPort ? 'B40' : refused.rule,
        severity: 'error',
        message: `issued ${oidName(oid)} for port ${refused.portId}, which ${refused.why}`,
        oid: oidName(oid),
      });
      return { status: NdisStatus.INVALID_PARAMETER, output: new Uint8Array(0), bytesNeeded: 0 };
    }
    const buffer = new Uint8Array(Math.max(input.length, outputLengthBytes));
    buffer.set(input);
    const room = requestType === 'set' ? 0 : outputLengthBytes;
    const request = new OidRequest(oid, oidIndex(oid), type, buffer, input.length, room);
    const modules = this.#host.modules();
    request.origin = modules.indexOf(this.#module);
    this.#host.pipeline.start(request, modules);
    if (request.done) return resultOf(request);
    return new Promise((resolve) => {
      request.onComplete = (done) => resolve(resultOf(done));
    });
  }

  /** Rules D30-D39. */
  nicRequest(options: NicRequestOptions): OidResult | Promise<OidResult> {
    this.#mayIssue(NIC_REQUEST);
    checkRequestOptions(options, this.#module);
    const failed = this.#failed('nicRequest', options.oid);
    if (failed !== undefined) return failed;
    return this.#requests.originate(options);
  }

  /** A fault that was injected: the request is not issued. */
  #failed(call: FailingCall, oid: number): OidResult | undefined {
    const status = this.#host.environment.faults?.call(this.name, this.#module, call, { oid });
    return status === undefined ? undefined : { status, output: new Uint8Array(0), bytesNeeded: 0 };
  }

  /** Rules H4-H13. */
  indicateNicStatus(options: NicStatusOptions): void {
    this.#mayIssue(OIDS.OID_SWITCH_PARAMETERS.code);
    checkStatusOptions(options, this.#module);
    this.#host.statusPath.fromModule(this.#module, options);
  }

  /** Rules A53, A70: none while attaching; before activation only OID_SWITCH_PARAMETERS. */
  #mayIssue(oid: number): void {
    if (this.#module.state === 'attaching' || this.#module.state === 'detached') {
      this.#find({
        rule: 'A53',
        severity: 'error',
        message: `issued ${oidName(oid)} while ${this.#module.state}`,
        oid: oidName(oid),
      });
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${this.#module.name} may issue no OID while ${this.#module.state} (rule A53): use restart or activate`,
        { rule: 'A53', oid: oidName(oid), extensionId: this.#module.id },
      );
    }
    if (this.#host.state.isActive || oid === OIDS.OID_SWITCH_PARAMETERS.code) return;
    this.#find({
      rule: 'A70',
      severity: 'error',
      message: `issued ${oidName(oid)} before the switch is active`,
      oid: oidName(oid),
    });
  }

  /** Asks again with the room it was told until it fits (rules J7, J10, E44). */
  #ask(
    requestType: 'query' | 'method',
    oid: number,
    question: Uint8Array,
    room: number,
  ): Uint8Array {
    let length = room;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const result = this.request(requestType, oid, question, length);
      if (result instanceof Promise) {
        result.catch(() => undefined);
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          `${oidName(oid)} was pended by an extension below: use request() and wait for it`,
          { oid: oidName(oid), extensionId: this.#module.id },
        );
      }
      if (result.status === NdisStatus.SUCCESS) return result.output;
      if (result.status !== NdisStatus.INVALID_LENGTH || result.bytesNeeded <= length) {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `${oidName(oid)} completed with ${statusName(result.status)}`,
          { ndisStatus: statusName(result.status), oid: oidName(oid) },
        );
      }
      length = result.bytesNeeded;
    }
    throw new ExtSwitchError('INTERNAL', `${oidName(oid)} kept asking for more room`, {
      oid: oidName(oid),
    });
  }

  parameters(): SwitchParameters {
    const question = new Uint8Array(SWITCH_PARAMETERS.sizeof());
    SWITCH_PARAMETERS.initialize(question);
    return readSwitchParameters(
      this.#ask('query', OIDS.OID_SWITCH_PARAMETERS.code, question, question.length),
    );
  }

  ports(): readonly PortParameters[] {
    const bytes = this.#array(OIDS.OID_SWITCH_PORT_ARRAY.code, PORT_ARRAY);
    return Array.from(walkArray('port', bytes), ({ offset }) => readPortParameters(bytes, offset));
  }

  nics(): readonly NicParameters[] {
    const bytes = this.#array(OIDS.OID_SWITCH_NIC_ARRAY.code, NIC_ARRAY);
    return Array.from(walkArray('nic', bytes), ({ offset }) => readNicParameters(bytes, offset));
  }

  #array(oid: number, head: typeof PORT_ARRAY | typeof NIC_ARRAY): Uint8Array {
    const question = new Uint8Array(head.sizeof());
    head.initialize(question);
    return this.#ask('query', oid, question, question.length);
  }

  portProperties(portId: number, feature: string): readonly PropertyEntry[] {
    const { catalog } = this.#host.environment;
    const standard = propertyTypeCode(feature);
    const codec =
      standard > CUSTOM_TYPE ? catalog.standard(standard) : catalog.resolve('port', feature);
    // Rule E48: a reference is held while the enumeration runs.
    const referenced = this.referencePort(portId);
    if (referenced !== NdisStatus.SUCCESS) {
      throw new ExtSwitchError('NOT_FOUND', `port ${portId} cannot be referenced (rule B40)`, {
        rule: 'B40',
        ndisStatus: statusName(referenced),
      });
    }
    try {
      return this.#enumerate('port', portId, feature, codec);
    } finally {
      this.dereferencePort(portId);
    }
  }

  switchProperties(feature: string): readonly PropertyEntry[] {
    const codec = this.#host.environment.catalog.resolve('switch', feature);
    return this.#enumerate('switch', 0, feature, codec);
  }

  #enumerate(
    scope: Scope,
    portId: number,
    feature: string,
    codec: PropertyCodec | undefined,
  ): PropertyEntry[] {
    const propertyType = codec?.propertyType ?? CUSTOM_TYPE;
    const isCustom = propertyType === CUSTOM_TYPE;
    const propertyId = isCustom ? (codec?.id ?? guidOf(feature)) : NULL_GUID;
    const question = new Uint8Array(enumParametersSize(scope));
    writeEnumQuestion(scope, question, 0, { portId, propertyType, propertyId });
    const oid =
      scope === 'port' ? OIDS.OID_SWITCH_PORT_PROPERTY_ENUM : OIDS.OID_SWITCH_PROPERTY_ENUM;
    const bytes = this.#ask('method', oid.code, question, question.length);
    return entriesOf(scope, bytes, isCustom, codec);
  }

  #find(finding: Omit<Finding, 'extensionId'>): void {
    this.#host.environment.finding(this.name, {
      ...finding,
      message: `${this.#module.name} ${finding.message}`,
      extensionId: this.#module.id,
    });
  }
}

function guidOf(feature: string): Guid {
  if (/^[0-9a-f-]{36}$/i.test(feature)) return feature.toLowerCase();
  throw new ExtSwitchError('NOT_FOUND', `no feature class is named ${JSON.stringify(feature)}`);
}

function resultOf(request: OidRequest): OidResult {
  return {
    status: request.status,
    output:
      request.type === REQUEST_TYPE.set
        ? new Uint8Array(0)
        : request.buffer.subarray(0, request.bytesWritten),
    bytesNeeded: request.bytesNeeded,
  };
}

/** Entries of an enumeration reply, counted by NumProperties (OP-9), each checked before it is read. */
function entriesOf(
  scope: Scope,
  bytes: Uint8Array,
  isCustom: boolean,
  codec: PropertyCodec | undefined,
): PropertyEntry[] {
  return Array.from(walkEnum(scope, bytes), (entry) => {
    const { offset, length } = isCustom
      ? customData(scope, bytes, entry.propertyOffset, entry.propertyLength)
      : { offset: entry.propertyOffset, length: entry.propertyLength };
    return {
      propertyInstanceId: entry.propertyInstanceId,
      propertyVersion: entry.propertyVersion,
      raw: bytes.subarray(offset, offset + length),
      settings: codec?.decode(bytes, offset, length),
    };
  });
}
