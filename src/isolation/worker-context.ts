import type { Guid } from '../core/guid.ts';
import type { NdisStatus } from '../core/status.ts';
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
} from '../sdk/extension.ts';
import type { ContextFacts } from './facts.ts';
import { compact, crossable } from './wire.ts';
import type { WorkerSide } from './worker-request.ts';

/** The switch as an isolated extension sees it: everything is done, and said no to, where the switch is. */
export class WorkerContext implements SwitchContext {
  readonly id: Guid;
  readonly name: string;
  readonly ndisVersion: string;
  readonly #side: WorkerSide;
  readonly #target: number;
  /** What to call when a timer fires, by its number. */
  readonly #timers: Map<number, () => unknown>;

  constructor(side: WorkerSide, facts: ContextFacts, timers: Map<number, () => unknown>) {
    this.#side = side;
    this.#target = facts.target;
    this.id = facts.id as Guid;
    this.name = facts.name;
    this.ndisVersion = facts.ndisVersion;
    this.#timers = timers;
    side.holds(this, facts.target);
  }

  #ask(name: string, ...args: readonly unknown[]): unknown {
    return this.#side.channel.call(this.#target, name, args);
  }

  now(): number {
    return this.#ask('now') as number;
  }
  random(): number {
    return this.#ask('random') as number;
  }
  log(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#ask('log', String(message), loggable(fields));
  }

  after(delayMs: number, fire: () => void): { cancel(): void } {
    const timer = this.#ask('after', delayMs) as number;
    this.#timers.set(timer, fire);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        this.#ask('cancel', timer);
      },
    };
  }

  parameters(): SwitchParameters {
    return this.#ask('parameters') as SwitchParameters;
  }
  ports(): readonly PortParameters[] {
    return this.#ask('ports') as readonly PortParameters[];
  }
  nics(): readonly NicParameters[] {
    return this.#ask('nics') as readonly NicParameters[];
  }
  portProperties(portId: number, feature: string): readonly PropertyEntry[] {
    return this.#ask('portProperties', portId, feature) as readonly PropertyEntry[];
  }
  switchProperties(feature: string): readonly PropertyEntry[] {
    return this.#ask('switchProperties', feature) as readonly PropertyEntry[];
  }

  referencePort(portId: number): NdisStatus {
    return this.#ask('referencePort', portId) as NdisStatus;
  }
  dereferencePort(portId: number): NdisStatus {
    return this.#ask('dereferencePort', portId) as NdisStatus;
  }
  referenceNic(portId: number, nicIndex: number): NdisStatus {
    return this.#ask('referenceNic', portId, nicIndex) as NdisStatus;
  }
  dereferenceNic(portId: number, nicIndex: number): NdisStatus {
    return this.#ask('dereferenceNic', portId, nicIndex) as NdisStatus;
  }

  request(
    requestType: RequestType,
    oid: number,
    input: Uint8Array,
    outputLengthBytes?: number,
  ): OidResult | Promise<OidResult> {
    const given = compact(input);
    return this.#ask('request', requestType, oid, given, outputLengthBytes) as OidResult;
  }
  nicRequest(options: NicRequestOptions): OidResult | Promise<OidResult> {
    return this.#ask('nicRequest', compact(options)) as OidResult;
  }
  indicateNicStatus(options: NicStatusOptions): void {
    this.#ask('indicateNicStatus', compact(options));
  }
  restartStack(): void {
    this.#ask('restartStack');
  }
}

/** What of the fields of a log line can cross; the rest as text. */
function loggable(fields: Readonly<Record<string, unknown>> | undefined): unknown {
  if (fields === undefined || crossable(fields)) return fields;
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, crossable(value) ? value : String(value)]),
  );
}
