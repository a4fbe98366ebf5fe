import type { Timer } from '../src/core/clock.ts';
import type { Guid } from '../src/core/guid.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
} from '../src/sdk/extension.ts';
import { NicRequestView } from './encapsulated-request.ts';
import { type Handler, SPECIFIC_HANDLERS } from './handler-table.ts';
import { type OidRequest, REQUEST_TYPE, RequestHandle } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import type { Nic, Port } from './ports.ts';
import { MODULE_STATES, type ModuleEvent, type ModuleState, nextState } from './states.ts';

/** Rule D12: a set with an empty information buffer is forwarded unhandled. */
function isEmptySet({ inputLength, type }: OidRequest): boolean {
  return inputLength === 0 && type === REQUEST_TYPE.set;
}

/** One extension in one switch's stack: a filter module (rules A48-A52). */
export class FilterModule {
  readonly definition: ExtensionDefinition;
  readonly id: Guid;
  readonly name: string;
  readonly type: ExtensionType;
  state: ModuleState = 'detached';
  /** The request it has now, until that completes (rule D1). */
  current: OidRequest | undefined;
  /** Requests waiting for it. */
  readonly queue: OidRequest[] = [];
  /** Calls oidRequestComplete. */
  seesCompletions = false;
  /** A module above it ended an OID it must have seen (OP-28). */
  desynchronized = false;
  /** A fault that was injected stood in for a handler of an OID that then went on all the same. */
  missedByFault = false;
  /** Detaching: it may hold no request any more (rule A63). */
  leaving = false;
  /** It asked for a restart of the stack that has not come yet (rule A66). */
  wantsRestart = false;
  /** It has run since it was attached: before, it may hold OIDs until it has (rule A74). */
  hasRun = false;
  /** Called when it has pended a request. */
  onHeld: (() => void) | undefined;
  /** Called when it has given back a request that it had pended. */
  onReleased: (() => void) | undefined;
  /** References it holds (rules B39, C60). */
  readonly references = new Map<Port | Nic, number>();
  /** The port it was refused a reference on last (rule B40). */
  refusedPort: number | undefined;
  readonly timers = new Set<Timer>();
  /** What the observer keeps with it, from its attach to its detach. */
  observed: unknown = undefined;
  #handlers: ExtensionHandlers = {};
  #specific: readonly (Handler | undefined)[] = [];
  #generic: ExtensionHandlers['oidRequest'];

  constructor(definition: ExtensionDefinition) {
    this.definition = definition;
    this.id = definition.id;
    this.name = definition.name;
    this.type = definition.type;
  }

  get handlers(): ExtensionHandlers {
    return this.#handlers;
  }

  /** It has pended a request (rule D1: at most one at a time). */
  get isHolding(): boolean {
    return this.current?.holder === this;
  }

  move(event: ModuleEvent): void {
    this.state = nextState(MODULE_STATES, this.state, event, `extension ${this.name}`);
    if (this.state === 'running') this.hasRun = true;
  }

  /** Takes the handlers `attach` returned. */
  setHandlers(handlers: ExtensionHandlers): void {
    this.#handlers = handlers;
    this.#generic = handlers.oidRequest;
    this.seesCompletions =
      handlers.oidRequestComplete !== undefined || handlers.nicRequestComplete !== undefined;
    this.#specific = SPECIFIC_HANDLERS.map((entry) => entry?.bind(handlers));
  }

  /** Calls the generic handler, then the specific one; returns what they said. */
  dispatch(request: OidRequest, pipeline: Pipeline): unknown {
    if (this.#generic !== undefined) {
      const verdict = this.#generic.call(
        this.#handlers,
        new RequestHandle(request, this, pipeline),
      );
      if (verdict instanceof Promise && request.holder === undefined) {
        return verdict.then((late) => this.#specificLate(request, pipeline, late));
      }
      if (verdict !== 'forward' && verdict !== undefined) return verdict;
      if (request.holder !== undefined) return verdict;
    }
    const specific = this.#specific[request.oidIndex];
    return specific === undefined || isEmptySet(request)
      ? undefined
      : specific(request, this, pipeline);
  }

  /** What an async generic handler forwards, the specific handler decides, if the request is still this module's. */
  #specificLate(request: OidRequest, pipeline: Pipeline, late: unknown): unknown {
    const specific = this.#specific[request.oidIndex];
    if (specific === undefined || isEmptySet(request)) return late;
    if (late !== 'forward' && late !== undefined) return late;
    if (request.holder !== this) return late;
    request.running = this;
    try {
      return specific(request, this, pipeline);
    } finally {
      request.running = undefined;
    }
  }

  /** Every completion, then the specific one of an encapsulated request. */
  oidRequestComplete(request: OidRequest, pipeline: Pipeline): unknown {
    const handlers = this.#handlers;
    const seen: unknown = handlers.oidRequestComplete?.(new RequestHandle(request, this, pipeline));
    const inner = request.encapsulated;
    if (inner === undefined || handlers.nicRequestComplete === undefined) return seen;
    const view = new NicRequestView(request, inner, this, pipeline);
    const specific: unknown = handlers.nicRequestComplete(view);
    if (seen instanceof Promise) return Promise.all([seen, specific]);
    return specific;
  }

  /** Marks every module below this one: it missed an OID (OP-28). */
  desynchronizeBelow(request: OidRequest): void {
    for (let i = request.modules.indexOf(this) + 1; i < request.modules.length; i += 1) {
      (request.modules[i] as FilterModule).desynchronized = true;
    }
  }

  /** Lets go of timers and handlers when it detaches. */
  release(): void {
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    this.#handlers = {};
    this.#specific = [];
    this.#generic = undefined;
    this.seesCompletions = false;
  }
}
