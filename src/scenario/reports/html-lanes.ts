import type { OidLine, TimelineLine } from '../recorder.ts';

/** One column of the timeline: a switch, or one port of it. */
export interface Lane {
  readonly host: string;
  readonly switch: string;
  /** `undefined`: the switch itself, and the ports that have no lane of their own. */
  readonly portId: number | undefined;
}

/** Ports with a lane of their own, of all hosts: with more, a page is wider than a screen. */
const MOST_PORT_LANES = 6;

/** The columns of a timeline, by host, switch, port; and where each OID goes. */
export class Lanes {
  readonly all: readonly Lane[];
  readonly #at = new Map<string, number>();

  constructor(timeline: readonly TimelineLine[]) {
    const switches = new Map<string, Set<number>>();
    for (const line of timeline) {
      if (line.kind !== 'oid') continue;
      const key = keyOf(line.host, line.switch);
      const ports = switches.get(key) ?? new Set<number>();
      switches.set(key, ports);
      if (line.portId !== undefined && line.portId !== 0) ports.add(line.portId);
    }
    const count = [...switches.values()].reduce((sum, ports) => sum + ports.size, 0);
    const all: Lane[] = [];
    for (const [key, ports] of switches) {
      const [host = '', sw = ''] = key.split('\n');
      this.#at.set(key, all.push({ host, switch: sw, portId: undefined }) - 1);
      if (count > MOST_PORT_LANES) continue;
      for (const portId of [...ports].sort((a, b) => a - b)) {
        this.#at.set(`${key}\n${portId}`, all.push({ host, switch: sw, portId }) - 1);
      }
    }
    this.all = all;
  }

  of({ host, switch: sw, portId }: OidLine): number {
    const key = keyOf(host, sw);
    return this.#at.get(`${key}\n${portId ?? ''}`) ?? this.#at.get(key) ?? 0;
  }

  /** Heads of one level: each with how many lanes it spans. */
  spans(pick: (lane: Lane) => string): readonly { readonly text: string; readonly span: number }[] {
    const spans: { text: string; key: string; span: number }[] = [];
    for (const lane of this.all) {
      const key = `${lane.host}\n${pick(lane)}`;
      const last = spans.at(-1);
      if (last !== undefined && last.key === key) last.span += 1;
      else spans.push({ text: pick(lane), key, span: 1 });
    }
    return spans;
  }
}

const keyOf = (host: string, sw: string): string => `${host}\n${sw}`;
