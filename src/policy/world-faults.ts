import {
  type CallSubject,
  type FailingCall,
  type FaultPoints,
  inject,
  type RequestFate,
} from '../../switch/fault-points.ts';
import type { FilterModule } from '../../switch/filter-module.ts';
import { type OidRequest, requestTypeName } from '../../switch/oid-request.ts';
import { OID_LIST, oidName, structure } from '../abi/index.ts';
import type { Clock } from '../core/clock.ts';
import { type Guid, readGuid } from '../core/guid.ts';
import type { NdisStatus } from '../core/status.ts';
import type { StoreOp } from '../store/store.ts';
import type { EventLog } from './event-log.ts';
import type { ArmedRule } from './fault-rule.ts';
import { FaultRules } from './fault-rules.ts';
import { matchOf, type PassedPlace } from './fault-site.ts';
import {
  type FaultAct,
  type FaultMessage,
  MINIPORT_EDGE,
  type OpeningFaults,
} from './faults-api.ts';

/** Hits of one rule that are logged; the rest is counted. */
const LOGGED = 10;

/** By dense OID index: byte of the first of these members in its structure. */
const offsetsOf = (...members: readonly string[]): readonly (number | undefined)[] =>
  OID_LIST.map(
    (oid) => structure(oid.structure).row.fields.find(({ name }) => members.includes(name))?.offset,
  );
const PORT_ID_AT = offsetsOf('PortId');
const CLASS_ID_AT = offsetsOf('PropertyId', 'FeatureStatusId', 'FeatureClassId');

/** What an act is done to. */
export interface ActTarget {
  readonly switch: string | undefined;
  readonly extension: string | undefined;
  readonly portId: number | undefined;
}

/** The world as its faults see it. */
export interface FaultyWorld {
  readonly seed: string;
  readonly clock: Clock;
  readonly events: EventLog;
  /** Names of the switches that a write is about. */
  switchesOf(ops: readonly StoreOp[]): readonly string[];
  /** The switches ask these from now on, or nobody. */
  ask(points: FaultPoints | undefined): void;
  log(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The faults of one world: its places ask here, and what is hit is told to events and log. */
export class WorldFaults implements FaultPoints {
  readonly rules: FaultRules;
  readonly #world: FaultyWorld;
  readonly #crash: (() => void) | undefined;
  /** Does an act to the world; set once there is something that could. */
  perform: (act: FaultAct, target: ActTarget) => Promise<void> = async () => undefined;

  constructor(world: FaultyWorld, { rules = [], passed, crash }: OpeningFaults = {}) {
    this.#world = world;
    this.#crash = crash;
    this.rules = new FaultRules({
      seed: world.seed,
      mayCrash: crash !== undefined,
      changed: (isActive) => world.ask(isActive ? this : undefined),
      hit: (rule, place) => this.#hit(rule, place),
      act: (rule, place) => this.#act(rule, place),
    });
    if (passed !== undefined) this.rules.record(passed);
    this.rules.add(rules);
  }

  // --- places --------------------------------------------------------------------------------------------------------

  request(
    switchName: string,
    module: FilterModule | undefined,
    request: OidRequest,
  ): RequestFate | undefined {
    const rule = this.rules.meet({
      at: 'oid',
      extension: module?.id ?? MINIPORT_EDGE,
      extensionName: module?.name,
      oid: oidName(request.oid),
      requestType: requestTypeName(request.type),
      switch: switchName,
      ...portOf(request),
      request: request.id,
      classId: () => classOf(request),
      note: (id, act) => {
        inject(request, { rule: id, module, effect: act, excuses: false });
      },
    });
    if (rule === undefined) return undefined;
    const { effect, delayMs = 0 } = rule.options;
    switch (effect) {
      case 'status':
        return { rule: rule.id, effect, status: rule.status };
      case 'delay':
        return { rule: rule.id, effect, delayMs };
      case 'throw':
      case 'hang':
      case 'twice':
        return { rule: rule.id, effect };
      default:
        return undefined;
    }
  }

  call(
    switchName: string,
    module: FilterModule,
    call: FailingCall,
    { portId, oid }: CallSubject,
  ): NdisStatus | undefined {
    // The request whose handler makes the call: what the module does about it is its own doing.
    const { current } = module;
    const request = current?.running === module ? current : undefined;
    const note = (id: string, effect: string): void => {
      if (request === undefined) return;
      inject(request, { rule: id, module, effect, call, excuses: false });
    };
    const rule = this.rules.meet({
      at: 'call',
      extension: module.id,
      extensionName: module.name,
      switch: switchName,
      call,
      ...(oid === undefined ? {} : { oid: oidName(oid) }),
      ...(portId === undefined ? {} : { portId }),
      note,
    });
    if (rule === undefined) return undefined;
    note(rule.id, 'status');
    return rule.status;
  }

  /** A write to the store. */
  write(ops: readonly StoreOp[]): ArmedRule | undefined {
    if (!this.rules.isActive) return undefined;
    const switches = this.#world.switchesOf(ops);
    const [name] = switches;
    const on = name === undefined ? {} : { switch: name, switches };
    return this.rules.meet({ at: 'store', ...on });
  }

  /** A message to another host. */
  message(message: FaultMessage, to: string): ArmedRule | undefined {
    return this.rules.isActive ? this.rules.meet({ at: 'message', message, to }) : undefined;
  }

  /** The world ends here and now, as if its process were killed. */
  crash(): void {
    this.#crash?.();
  }

  // --- what is told --------------------------------------------------------------------------------------------------

  #hit(rule: ArmedRule, place: PassedPlace): void {
    const { effect, act, delayMs } = rule.options;
    const { clock, events, log } = this.#world;
    const { switch: _name, ...where } = matchOf(place);
    const what = {
      rule: rule.id,
      effect,
      ...(act === undefined ? {} : { act }),
      ...(effect === 'status' ? { status: rule.options.status } : {}),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...where,
      ...(place.request === undefined ? {} : { request: place.request }),
    };
    events.add(clock.now(), 'state', place.switch, { event: 'faultInjected', ...what });
    if (rule.hits > LOGGED) return;
    const last = rule.hits === LOGGED ? '; more of it are only counted' : '';
    const done = act ?? effect;
    const subject = place.oid ?? place.call ?? place.message ?? place.at;
    const message = `fault rule ${rule.id} injected ${done} into ${subject}${last}`;
    log('info', message, place.switch === undefined ? what : { ...what, switch: place.switch });
  }

  /** Begins now; how it ends concerns nobody who waits. */
  #act(rule: ArmedRule, place: PassedPlace): void {
    const { options } = rule;
    const { act } = options;
    if (act === undefined) return;
    place.note?.(rule.id, act);
    // A write may be of another switch than the one that the rule names.
    const of = place.at === 'store' || place.at === 'message' ? options : place;
    const target = { switch: of.switch, extension: of.extension, portId: of.portId };
    this.perform(act, target).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const { clock, events, log } = this.#world;
      const what = { rule: rule.id, act, message };
      events.add(clock.now(), 'state', target.switch, { event: 'faultActFailed', ...what });
      log('warn', `fault rule ${rule.id}: ${act} failed: ${message}`, what);
    });
  }
}

/** The port a request is about, from its bytes as issued. */
function portOf(request: OidRequest): { readonly portId?: number } {
  const view = memberAt(request, PORT_ID_AT, 4);
  return view === undefined ? {} : { portId: view.getUint32(0, true) };
}

/** The class a request is about, from its bytes as issued. */
function classOf(request: OidRequest): Guid | undefined {
  const view = memberAt(request, CLASS_ID_AT, 16);
  return view && readGuid(new Uint8Array(view.buffer), view.byteOffset);
}

function memberAt(
  { oidIndex, methodInput, pristine, buffer, inputLength }: OidRequest,
  offsets: readonly (number | undefined)[],
  length: number,
): DataView | undefined {
  const at = offsets[oidIndex];
  const bytes = methodInput ?? pristine ?? buffer;
  if (at === undefined || inputLength < at + length || bytes.length < at + length) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset + at, length);
}
