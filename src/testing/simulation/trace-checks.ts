import type { PortInfo, PropertyInfo, SwitchHandle, TraceEntry } from '../../policy/api.ts';
import { jsonText } from '../life-cycles/json-text.ts';
import { OidOrder } from '../life-cycles/oid-order.ts';
import { nicKey, portKey, propertyKey, type Witness } from '../life-cycles/witness.ts';
import type { SeenSwitch } from './host-look.ts';
import { RequestLaws, type SavedRecords } from './request-laws.ts';

export type Complain = (invariant: string, message: string) => void;

const NO_BYTES = new Uint8Array(0);

/** Place in the stack, top to bottom (rule A2). */
const RANK: Readonly<Record<string, number>> = { capture: 0, filter: 1, forward: 2 };

function wasMet(route: TraceEntry['route'], module: string, end: number): boolean {
  for (let i = 0; i < end; i += 1) if (route[i]?.module === module) return true;
  return false;
}

/** One time a switch was there. */
interface Life {
  /** Numbers of the requests that ended. */
  readonly ended: Set<number>;
  /** The highest of them. */
  highest: number;
  readonly order: OidOrder;
}

/** The requests of one process of a host, in order of completion. */
export class HostTrace {
  /** By name of the switch, one for each time it was there. */
  readonly #lives = new Map<string, Life[]>();
  /** All of them, as they were told. */
  readonly #told: TraceEntry[] = [];
  /** What {@link check} is to say: requests sent by hand come in any order. */
  readonly #wrong: [invariant: 'once' | 'states', message: string][] = [];
  /** How often each switch became active. */
  readonly #activations = new Map<string, number>();
  readonly #types: ReadonlyMap<string, string>;

  readonly #laws: RequestLaws | undefined;

  /**
   * `types`: extension id → type; `retries`: of what failed with RESOURCES; `saved`: shared by all hosts. Without `retries` the laws
   * of each request are not looked at: some are sent by hand, with any bytes.
   */
  constructor(
    types: ReadonlyMap<string, string>,
    retries?: number,
    saved: SavedRecords = new Set(),
  ) {
    this.#types = types;
    this.#laws = retries === undefined ? undefined : new RequestLaws(retries, saved);
  }

  /**
   * `activated`: switches that became active meanwhile. A deletion that is undone makes the switch again, under the same name,
   * and its requests count from 1 again: a life of its own.
   */
  add(entries: readonly TraceEntry[], activated: readonly string[], complain: Complain): void {
    for (const sw of activated) this.#activations.set(sw, (this.#activations.get(sw) ?? 0) + 1);
    for (const entry of entries) {
      this.#told.push(entry);
      this.#checkRoute(entry, complain);
      const life = this.#lifeOf(entry);
      this.#laws?.add(entry, complain);
      if (entry.requestType === 'indication') continue;
      const { switch: sw, oid, request } = entry;
      if (life.ended.has(request)) {
        this.#wrong.push(['once', `switch ${sw}: ${oid} (${request}) ended twice`]);
      }
      life.ended.add(request);
      life.highest = Math.max(life.highest, request);
      const wrong = life.order.next(entry);
      if (wrong !== undefined)
        this.#wrong.push(['states', `${wrong.message} (rule ${wrong.rule})`]);
    }
  }

  #lifeOf({ switch: sw, request, requestType }: TraceEntry): Life {
    let lives = this.#lives.get(sw);
    if (lives === undefined) {
      lives = [];
      this.#lives.set(sw, lives);
    }
    const last = lives.at(-1);
    const isFirst = request === 1 && requestType !== 'indication';
    if (last !== undefined && !(isFirst && last.ended.has(1))) return last;
    const life = { ended: new Set<number>(), highest: 0, order: new OidOrder() };
    lives.push(life);
    this.#laws?.begin(sw);
    return life;
  }

  /** A step has ended and nothing is under way. */
  quiet(complain: Complain): void {
    this.#laws?.quiet(complain);
  }

  /** Rules A2, D2: capture, filter, forward; nobody twice. */
  #checkRoute({ switch: sw, oid, requestType, request, route }: TraceEntry, complain: Complain) {
    if (requestType === 'indication') return;
    let rank = -1;
    for (let i = 0; i < route.length; i += 1) {
      const module = route[i]?.module ?? '';
      // `pend`, and what came of it.
      if (i > 0 && module === route[i - 1]?.module) continue;
      const type = this.#types.get(module);
      const next = type === undefined ? 3 : (RANK[type] ?? 3);
      if (next < rank || wasMet(route, module, i)) {
        const places = route.map(({ module: each }) => this.#types.get(each) ?? each);
        complain('stackOrder', `switch ${sw}: ${oid} (${request}) went ${places.join(', ')}`);
      }
      rank = next;
    }
  }

  /** `kept`: what the world tells of its past now; it must be what it told then, in the same order. */
  checkKept(kept: readonly TraceEntry[], complain: Complain): void {
    const told = this.#told;
    let last = 0;
    let at = 0;
    for (const { seq, switch: sw, oid, status, input, output } of kept) {
      if (seq <= last) complain('trace', `entry ${seq} stands behind entry ${last}`);
      last = seq;
      let then = told[at];
      while (then !== undefined && then.seq < seq) {
        at += 1;
        then = told[at];
      }
      if (then?.seq !== seq) continue;
      const isSame =
        then.status === status &&
        Buffer.compare(then.input, input) === 0 &&
        Buffer.compare(then.output ?? NO_BYTES, output ?? NO_BYTES) === 0;
      if (!isSame)
        complain('trace', `switch ${sw}: ${oid} (entry ${seq}) is told differently later`);
    }
  }

  /** Nothing is under way any more: what the whole history must have been. */
  check(complain: Complain): void {
    for (const [sw, lives] of this.#lives) {
      if (lives.length > Math.max(1, this.#activations.get(sw) ?? 0)) {
        complain('once', `switch ${sw}: request 1 ended twice`);
      }
      for (const { ended, highest } of lives) {
        for (let request = 1; request <= highest && ended.size < highest; request += 1) {
          if (!ended.has(request)) complain('once', `switch ${sw}: request ${request} never ended`);
        }
      }
    }
    for (const [invariant, message] of this.#wrong) complain(invariant, message);
  }
}

/** A well-behaved extension believes of a switch what management shows of it. */
export function checkView(
  host: string,
  sw: SwitchHandle,
  witness: (id: string) => Witness | undefined,
  complain: Complain,
  { name: known, stack, ports, properties }: Omit<SeenSwitch, 'handle'> = {
    name: sw.info.name,
    stack: sw.extensions.list(),
    ports: [...sw.ports.list()],
    properties: [...sw.properties.list()],
  },
): void {
  let lines: Expected | undefined;
  for (const { id, name, running, desynchronized } of stack) {
    const of = witness(id);
    if (of === undefined || !running || desynchronized) continue;
    const where = `${name} on ${host}/${known}`;
    const view = of.viewOf(known);
    const blind = of.blindOn(known);
    if (view === undefined || blind !== undefined) {
      complain('views', `${where} knows nothing: ${blind ?? 'it was not attached'}`);
      continue;
    }
    lines ??= expected(sw, ports, properties);
    const { must, may } = lines;
    for (const [key, value] of must) {
      if (view.get(key) === value) continue;
      complain('views', `${where}: ${key} is ${view.get(key) ?? 'missing'}, not ${value}`);
    }
    for (const [key, value] of view) {
      if (!must.has(key) && !may.has(key))
        complain('views', `${where}: ${key} ${value} is nowhere`);
    }
  }
}

interface Expected {
  readonly must: ReadonlyMap<string, string>;
  /** Known to those who were there when an extension refused it at a restart. */
  readonly may: ReadonlySet<string>;
}

function expected(
  sw: SwitchHandle,
  ports: readonly PortInfo[],
  properties: readonly PropertyInfo[],
): Expected {
  const must = new Map<string, string>();
  const may = new Set<string>();
  const add = (owner: string, { id, settings, delivered }: PropertyInfo): void => {
    const key = propertyKey(owner, id);
    if (delivered) must.set(key, jsonText(settings));
    else may.add(key);
  };
  for (const property of properties) add('the switch', property);
  for (const { id, portId, type, nics, problem } of ports) {
    if (problem !== undefined) continue;
    must.set(portKey(portId), type);
    for (const nic of nics) must.set(nicKey(portId, nic.index), `${nic.type}, ${nic.state}`);
    for (const property of sw.ports.get(id).properties.list()) add(portKey(portId), property);
  }
  return { must, may };
}
