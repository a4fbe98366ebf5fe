import type { FindingCount } from '../policy/api.ts';
import type { FaultRule } from '../policy/faults-api.ts';

/** Upper bounds of the duration histogram, seconds. */
const BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5,
] as const;
const STATUSES = 600;

/** Counts of one route. Arrays of fixed size: counting a request allocates nothing. */
class RouteCounts {
  readonly byStatus = new Uint32Array(STATUSES);
  readonly byBucket = new Uint32Array(BUCKETS.length + 1);
  count = 0;
  sumSeconds = 0;
}

/** What the route labels are: method and path template, never a path a client chose. */
export interface RouteLabel {
  readonly method: string;
  readonly path: string;
}

/** One value read at the time of asking. */
export interface Sample {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly value: number;
}

/** What is told of one world. Counters `vms_<state>` become one gauge with a label. */
interface WorldSample {
  readonly name: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly findings?: readonly FindingCount[];
  /** Fault rules in force. */
  readonly faults?: readonly FaultRule[];
}

const VMS_OF_STATE = /^vms_/;

/** Request counts and durations by route. Index `labels.length` collects what met no route. */
export class Metrics {
  readonly #labels: readonly RouteLabel[];
  readonly #routes: RouteCounts[];

  constructor(labels: readonly RouteLabel[]) {
    this.#labels = [...labels, { method: 'none', path: 'unmatched' }];
    this.#routes = this.#labels.map(() => new RouteCounts());
  }

  get unmatched(): number {
    return this.#labels.length - 1;
  }

  /** Path template of a route. */
  routeName(route: number): string {
    return (this.#labels[route] as RouteLabel).path;
  }

  record(route: number, status: number, durationMs: number): void {
    const counts = this.#routes[route] as RouteCounts;
    const seconds = durationMs / 1_000;
    counts.count += 1;
    counts.sumSeconds += seconds;
    if (status < STATUSES) counts.byStatus[status] = (counts.byStatus[status] as number) + 1;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket += 1;
    counts.byBucket[bucket] = (counts.byBucket[bucket] as number) + 1;
  }

  /** Prometheus text exposition format 0.0.4. `samples` and `worlds` are read by the caller at the time of asking. */
  text(samples: readonly Sample[], worlds: readonly WorldSample[]): string {
    const lines: string[] = [];
    for (const { name, help, type, value } of samples) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`);
    }
    this.#pushRequests(lines);
    this.#pushDurations(lines);
    pushWorlds(lines, worlds);
    pushVms(lines, worlds);
    pushFindings(lines, worlds);
    pushFaults(lines, worlds);
    return `${lines.join('\n')}\n`;
  }

  #pushRequests(lines: string[]): void {
    const name = 'extswitch_http_requests_total';
    lines.push(`# HELP ${name} Requests answered, by route and status.`, `# TYPE ${name} counter`);
    this.#each((label, counts) => {
      for (let status = 100; status < STATUSES; status += 1) {
        const count = counts.byStatus[status] as number;
        if (count > 0) lines.push(`${name}{${label},status="${status}"} ${count}`);
      }
    });
  }

  #pushDurations(lines: string[]): void {
    const name = 'extswitch_http_request_duration_seconds';
    lines.push(
      `# HELP ${name} From the request's head to its answer being handed to the socket.`,
      `# TYPE ${name} histogram`,
    );
    this.#each((label, counts) => {
      let below = 0;
      for (let i = 0; i < BUCKETS.length; i += 1) {
        below += counts.byBucket[i] as number;
        lines.push(`${name}_bucket{${label},le="${BUCKETS[i]}"} ${below}`);
      }
      lines.push(
        `${name}_bucket{${label},le="+Inf"} ${counts.count}`,
        `${name}_sum{${label}} ${counts.sumSeconds}`,
        `${name}_count{${label}} ${counts.count}`,
      );
    });
  }

  #each(visit: (label: string, counts: RouteCounts) => void): void {
    for (const [i, { method, path }] of this.#labels.entries()) {
      const counts = this.#routes[i] as RouteCounts;
      if (counts.count > 0)
        visit(`method="${escapeLabel(method)}",route="${escapeLabel(path)}"`, counts);
    }
  }
}

/** Counters of each world as `extswitch_world_<name in snake case>`; those that end in `_total` only grow. */
function pushWorlds(lines: string[], worlds: readonly WorldSample[]): void {
  const byName = new Map<string, string[]>();
  for (const world of worlds) {
    for (const [counter, value] of Object.entries(world.counters)) {
      if (VMS_OF_STATE.test(counter)) continue;
      const name = `extswitch_world_${snakeCase(counter)}`;
      const samples = byName.get(name) ?? [];
      samples.push(`${name}{world="${escapeLabel(world.name)}"} ${value}`);
      byName.set(name, samples);
    }
  }
  for (const [name, samples] of byName) {
    lines.push(`# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`, ...samples);
  }
}

function pushVms(lines: string[], worlds: readonly WorldSample[]): void {
  const name = 'extswitch_vms';
  lines.push(`# HELP ${name} VMs, by world and state.`, `# TYPE ${name} gauge`);
  for (const world of worlds) {
    for (const [counter, count] of Object.entries(world.counters)) {
      if (!VMS_OF_STATE.test(counter)) continue;
      const state = counter.replace(VMS_OF_STATE, '');
      lines.push(`${name}{world="${escapeLabel(world.name)}",state="${state}"} ${count}`);
    }
  }
}

function pushFindings(lines: string[], worlds: readonly WorldSample[]): void {
  const name = 'extswitch_findings_total';
  lines.push(
    `# HELP ${name} Rules that extensions broke, by world, rule and severity.`,
    `# TYPE ${name} counter`,
  );
  for (const world of worlds) {
    for (const { rule, severity, count } of world.findings ?? []) {
      const labels = `world="${escapeLabel(world.name)}",rule="${escapeLabel(rule)}",severity="${severity}"`;
      lines.push(`${name}{${labels}} ${count}`);
    }
  }
}

function pushFaults(lines: string[], worlds: readonly WorldSample[]): void {
  const name = 'extswitch_fault_hits_total';
  lines.push(
    `# HELP ${name} Hits of the fault rules in force, by world, rule and effect.`,
    `# TYPE ${name} counter`,
  );
  for (const world of worlds) {
    for (const { id, effect, hits } of world.faults ?? []) {
      const labels = `world="${escapeLabel(world.name)}",rule="${escapeLabel(id)}",effect="${effect}"`;
      lines.push(`${name}{${labels}} ${hits}`);
    }
  }
}

/** Label values: backslash, double quote and line feed are escaped. */
export function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}
