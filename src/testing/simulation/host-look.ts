import type { FabricInterface, SwitchHandle, TraceEntry } from '../../policy/api.ts';
import type { Act } from './change.ts';
import type { SimulatedHost } from './simulated-host.ts';
import { addSwitchLines, addVmLines, type ShownSwitch, type StateLines } from './state-lines.ts';

/** The lines of one switch or VM, and whose they are. */
interface Group {
  readonly name: string;
  readonly lines: StateLines;
  /** Of a VM: names of the switches it is on or is to be on, and ids of its adapters. */
  readonly on: ReadonlySet<string>;
  readonly adapters: readonly string[];
}

export interface SeenSwitch extends ShownSwitch {
  readonly name: string;
  readonly handle: SwitchHandle;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * What one process of a host shows, as it was last looked at. Only what can have changed since is looked at again: what the step
 * named, what its requests went to, and what it wrote to the disk or tried to; everything, now and then.
 */
export class HostLook {
  readonly #host: SimulatedHost;
  readonly #switches = new Map<string, Group>();
  readonly #vms = new Map<string, Group>();
  /** Names of switches and VMs, ids of them and of adapters. */
  readonly #touched = new Set<string>();
  #isAll = true;
  /** What a second process found on the disk; `undefined`: none has looked since it was last written. */
  kept: StateLines | undefined;
  /** It had the extension that came later. */
  keptWithGuest = false;
  /** The switches that the last look was at, with their stacks. */
  seen: readonly SeenSwitch[] = [];

  constructor(host: SimulatedHost) {
    this.#host = host;
  }

  /** The host has another process: what it shows is held against what the one before it showed. */
  follow({ look }: SimulatedHost): void {
    for (const [id, group] of look.#switches) this.#switches.set(id, group);
    for (const [id, group] of look.#vms) this.#vms.set(id, group);
  }

  /** What a step named. */
  touch(acts: readonly Act[]): void {
    for (const { touches } of acts) {
      for (const key of touches) for (const part of key.split('/')) this.#touched.add(part);
    }
  }

  /** What its trace and its events speak of. */
  heard(entries: readonly TraceEntry[], switches: readonly string[]): void {
    for (const { switch: name } of entries) this.#touched.add(name);
    for (const name of switches) this.#touched.add(name);
  }

  /** The next look is at everything. */
  touchAll(): void {
    this.#isAll = true;
  }

  /** Looks again; `before` and `after` get the lines of what was looked at, as they were and as they are. */
  look(before: StateLines, after: StateLines): void {
    const { fabric, name: host, store } = this.#host;
    for (const key of store.touched.splice(0)) this.#wrote(key);
    const present = new Set<string>();
    const seen: SeenSwitch[] = [];
    for (const { id, name } of fabric.switches.list()) {
      present.add(id);
      const known = this.#switches.get(id);
      if (known !== undefined && !this.#isTouched(id, known)) continue;
      const lines: StateLines = new Map();
      const handle = fabric.switches.get(id);
      seen.push({ name, handle, ...addSwitchLines(lines, host, handle) });
      take(this.#switches, id, { name, lines, on: NOTHING, adapters: [] }, before, after);
    }
    forget(this.#switches, present, before);
    this.seen = seen;
    this.#lookAtVms(fabric, before, after);
    this.#touched.clear();
    this.#isAll = false;
  }

  #lookAtVms(fabric: FabricInterface, before: StateLines, after: StateLines): void {
    const present = new Set<string>();
    for (const { id } of fabric.vms.keys()) {
      present.add(id);
      const known = this.#vms.get(id);
      if (known !== undefined && !this.#isTouched(id, known)) continue;
      const lines: StateLines = new Map();
      const { name, adapters } = addVmLines(lines, this.#host.name, fabric.vms.get(id));
      const on = new Set(adapters.flatMap((each) => each.switch?.name ?? []));
      const ids = adapters.map((each) => each.id);
      take(this.#vms, id, { name, lines, on, adapters: ids }, before, after);
    }
    forget(this.#vms, present, before);
  }

  /** Keys of the store: src/policy/records.ts. */
  #wrote(key: string): void {
    this.kept = undefined;
    const [kind = '', first = '', second = ''] = key.split('/');
    this.#touched.add(kind === 'property' && first === 'vm' ? second : first);
  }

  #isTouched(id: string, { name, on, adapters }: Group): boolean {
    if (this.#isAll) return true;
    const touched = this.#touched;
    if (touched.has(id) || touched.has(name)) return true;
    for (const sw of on) if (touched.has(sw)) return true;
    return adapters.some((adapter) => touched.has(adapter));
  }
}

function take(
  groups: Map<string, Group>,
  id: string,
  fresh: Group,
  before: StateLines,
  after: StateLines,
): void {
  for (const [key, line] of groups.get(id)?.lines ?? []) before.set(key, line);
  for (const [key, line] of fresh.lines) after.set(key, line);
  groups.set(id, fresh);
}

function forget(
  groups: Map<string, Group>,
  present: ReadonlySet<string>,
  before: StateLines,
): void {
  if (groups.size === present.size) return;
  for (const [id, { lines }] of groups) {
    if (present.has(id)) continue;
    for (const [key, line] of lines) before.set(key, line);
    groups.delete(id);
  }
}
