import { createHash } from 'node:crypto';
import type { FabricEvent, TraceEntry } from '../policy/api.ts';
import type { Host } from './host.ts';

/** One OID or indication of the run. */
export interface OidLine {
  readonly kind: 'oid';
  readonly host: string;
  readonly switch: string;
  /** Port it is about, when its structure names one. */
  readonly portId?: number;
  readonly time: number;
  readonly oid: string;
  readonly requestType: TraceEntry['requestType'];
  readonly origin: string;
  readonly route: TraceEntry['route'];
  readonly status: string;
}
/** A state change or a finding. */
export interface EventLine {
  readonly kind: 'event';
  readonly host: string;
  readonly switch?: string;
  readonly time: number;
  readonly type: FabricEvent['type'];
  readonly data: Readonly<Record<string, unknown>>;
}
/** A step begins: what follows until the next one is its doing. */
export interface StepLine {
  readonly kind: 'step';
  readonly title: string;
  readonly depth: number;
  readonly time: number;
  state: 'running' | 'passed' | 'failed' | 'refused';
  message?: string;
}
export type TimelineLine = OidLine | EventLine | StepLine;

/**
 * Everything that happened on all hosts, in the order it did, under the step that did it; and the digest that is the same for the
 * same seed.
 */
export class Recorder {
  readonly timeline: TimelineLine[] = [];
  readonly findings: EventLine[] = [];
  readonly #order: { readonly host: Host; readonly seq: number }[] = [];
  readonly #digest = createHash('sha256');
  #sinceStep = 0;
  /** Ids of extensions → what the scenario calls them. */
  readonly #aliases: ReadonlyMap<string, string>;
  entries = 0;

  constructor(aliases: ReadonlyMap<string, string>) {
    this.#aliases = aliases;
  }

  /** Something with this number is there on a host. */
  announce(host: Host, seq: number): void {
    this.#order.push({ host, seq });
  }

  step(title: string, depth: number, time: number): StepLine {
    const line: StepLine = { kind: 'step', title, depth, time, state: 'running' };
    this.timeline.push(line);
    return line;
  }

  /** Takes over what the hosts have new. */
  collect(hosts: Iterable<Host>): void {
    if (this.#order.length === 0) return;
    const found = new Map<Host, Map<number, TimelineLine>>();
    for (const host of hosts) found.set(host, this.#newLines(host));
    for (const { host, seq } of this.#order) {
      const line = found.get(host)?.get(seq);
      if (line === undefined) continue;
      this.timeline.push(line);
      if (line.kind === 'event' && line.type === 'finding') this.findings.push(line);
    }
    this.#order.length = 0;
  }

  #newLines(host: Host): Map<number, TimelineLine> {
    const lines = new Map<number, TimelineLine>();
    const mine = this.#order.filter((each) => each.host === host);
    const first = mine[0];
    if (first === undefined) return lines;
    for (const entry of host.newEntries()) {
      lines.set(entry.seq, this.#oidLine(host, entry));
      this.entries += 1;
    }
    for (const { seq, time, type, data, switch: sw } of host.fabric.events.after(first.seq - 1)) {
      const place = sw === undefined ? {} : { switch: sw };
      lines.set(seq, { kind: 'event', host: host.name, ...place, time, type, data });
    }
    return lines;
  }

  #oidLine(host: Host, entry: TraceEntry): OidLine {
    const { input, output, ...shown } = entry;
    this.#digest.update(`${host.name} ${JSON.stringify(shown)}\n`);
    this.#digest.update(input);
    if (output !== undefined) this.#digest.update(output);
    const { time, oid, requestType, status } = entry;
    const called = (id: string): string => this.#aliases.get(id) ?? id;
    const origin = called(entry.origin);
    const route = entry.route.map(({ module, verdict }) => ({ module: called(module), verdict }));
    const portId = portOf(host.fabric.trace.decode(entry));
    return {
      kind: 'oid',
      host: host.name,
      switch: entry.switch,
      ...(portId === undefined ? {} : { portId }),
      time,
      oid,
      requestType,
      origin,
      route,
      status,
    };
  }

  /** Where the next line comes. */
  get end(): number {
    return this.timeline.length;
  }

  /** From here on is the next acting step. */
  mark(from = this.end): void {
    this.#sinceStep = from;
  }

  /** What the last acting step did. */
  lastStep(): readonly TimelineLine[] {
    return this.timeline.slice(this.#sinceStep);
  }

  /** SHA-256 over every entry with its bytes. */
  digest(): string {
    return this.#digest.copy().digest('hex');
  }
}

function portOf(decoded: Readonly<Record<string, unknown>>): number | undefined {
  for (const name of ['PortId', 'SourcePortId', 'DestinationPortId']) {
    const value = decoded[name];
    if (typeof value === 'number') return value;
  }
  return undefined;
}
