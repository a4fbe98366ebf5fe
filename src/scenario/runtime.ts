import type { VirtualClock } from '../core/clock.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type {
  AdapterHandle,
  PropertyCollection,
  RestoreReport,
  SwitchHandle,
  VmHandle,
} from '../policy/api.ts';
import type {
  CompatibilityReport,
  MigrationInfo,
  PortableDocument,
} from '../policy/migration-api.ts';
import type { Host } from './host.ts';
import type { Moments } from './moments.ts';
import { adapterOwner, type PolicyLedger, portOwner, switchOwner } from './policies.ts';
import type { EventLine, Recorder } from './recorder.ts';
import type { Step } from './step.ts';

/** Where a property that a step added is. */
export interface PropertyRef {
  readonly target: Target;
  readonly id: string;
}

/** What properties are of: a VM's adapter, a switch, or one port of it. */
export interface Target {
  readonly vm?: string | undefined;
  readonly adapter?: string | number | undefined;
  readonly switch?: string | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
}

/** What the steps of one run share. */
export interface RunState {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly clock: VirtualClock;
  readonly recorder: Recorder;
  readonly extensionIds: ReadonlyMap<string, string>;
  readonly properties: Map<string, PropertyRef>;
  readonly documents: Map<string, PortableDocument>;
  readonly moments: Moments;
  readonly expectedFindings: Set<EventLine>;
  lastRestore: RestoreReport | undefined;
  lastReport: CompatibilityReport | undefined;
  lastMigration: MigrationInfo | undefined;
  /** Progress, for a terminal. */
  readonly onStep: ((title: string) => void) | undefined;
}

/** What a step works with. */
export class Runtime {
  readonly state: RunState;
  readonly policies: PolicyLedger;
  readonly depth: number;
  /** Inside an atomic change: its host alone, as the change sees it. */
  readonly #changing: Host | undefined;

  constructor(state: RunState, policies: PolicyLedger, depth = 0, changing?: Host) {
    this.state = state;
    this.policies = policies;
    this.depth = depth;
    this.#changing = changing;
  }

  /** The hosts that steps may work with here. */
  get hosts(): ReadonlyMap<string, Host> {
    const host = this.#changing;
    return host === undefined ? this.state.hosts : new Map([[host.name, host]]);
  }

  /** For the steps of a block. */
  inside(policies = this.policies): Runtime {
    return new Runtime(this.state, policies, this.depth + 1, this.#changing);
  }

  /** For the steps of an atomic change of this host. */
  insideChange(host: Host): Runtime {
    return new Runtime(this.state, this.policies, this.depth + 1, host);
  }

  /** Runs one step under its heading. Throws what it throws. */
  async play(step: Step): Promise<void> {
    const { recorder, hosts, clock, onStep } = this.state;
    recorder.collect(hosts.values());
    if (!step.looksOnly && !step.isBlock) recorder.mark();
    const line = recorder.step(step.title, this.depth, clock.now());
    onStep?.(step.title);
    try {
      const note = await step.run(this);
      line.state = 'passed';
      if (note !== undefined) line.message = note;
    } catch (error) {
      line.state = 'failed';
      line.message = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      recorder.collect(hosts.values());
    }
  }

  /** Id of an extension by its alias. */
  extensionId(alias: string): string {
    return this.state.extensionIds.get(alias) ?? alias;
  }

  /** Alias of an extension that this scenario has, on whatever host. */
  aliasOf(id: string): string | undefined {
    return [...this.state.extensionIds].find(([, each]) => each === id)?.[0];
  }

  host(name: string | undefined): Host {
    const { hosts } = this;
    if (name !== undefined && !hosts.has(name) && this.state.hosts.has(name)) {
      throw new Error(`host ${name} has no part in this atomic change: it is of one host`);
    }
    if (name === undefined && hosts.size > 1) {
      throw new Error(`which host? expected one of ${[...hosts.keys()].join(', ')}`);
    }
    const found = name === undefined ? [...hosts.values()][0] : hosts.get(name);
    if (found === undefined) throw new Error(`no host is called ${String(name)}`);
    return found;
  }

  /** The VM and the host it is on now; `host` says where it has to be. */
  vm(name: string, host?: string): { readonly host: Host; readonly vm: VmHandle } {
    const among = host === undefined ? [...this.hosts.values()] : [this.host(host)];
    for (const each of among) {
      const vm = findVm(each, name);
      if (vm !== undefined) return { host: each, vm };
    }
    const where = [...this.hosts.values()].find((each) => findVm(each, name) !== undefined);
    const found = where === undefined ? 'no host has it' : `it is on ${where.name}`;
    const message = `VM ${name} is not on ${host ?? 'any host'}: ${found}`;
    throw new ExtSwitchError('NOT_FOUND', message);
  }

  adapter(target: Target): AdapterHandle {
    const { vm } = this.vm(target.vm ?? '', target.host);
    const { adapter = 0 } = target;
    const found = typeof adapter === 'number' ? vm.adapters[adapter] : vm.adapter(adapter);
    if (found === undefined) {
      throw new Error(`VM ${vm.info.name} has no adapter ${adapter}: it has ${vm.adapters.length}`);
    }
    return found;
  }

  switch(name: string, host?: string): { readonly host: Host; readonly sw: SwitchHandle } {
    const found = this.host(host ?? this.#hostOfSwitch(name));
    return { host: found, sw: found.fabric.switches.get(name) };
  }

  /** The only host with a switch of this name. */
  #hostOfSwitch(name: string): string | undefined {
    const having = [...this.hosts.values()].filter((host) =>
      [...host.fabric.switches.list()].some((each) => each.name === name),
    );
    return having.length === 1 ? having[0]?.name : undefined;
  }

  /** The properties of a target, and whose they are in the book of policies. */
  properties(target: Target): { readonly owner: string; readonly all: PropertyCollection } {
    if (target.vm !== undefined) {
      const adapter = this.adapter(target);
      return { owner: adapterOwner(target.vm, adapter.info.name), all: adapter.properties };
    }
    const { host, sw } = this.switch(target.switch ?? '', target.host);
    const { name } = sw.info;
    if (target.port === undefined) {
      return { owner: switchOwner(host.name, name), all: sw.properties };
    }
    const port = sw.ports.get(target.port);
    const { vmId, vmName } = port.info.names;
    if (vmId !== undefined) {
      const adapter = host.fabric.vms.get(vmId).adapter(port.info.names.adapterId ?? '');
      return { owner: adapterOwner(vmName ?? '', adapter.info.name), all: adapter.properties };
    }
    return { owner: portOwner(host.name, name, port.info.name), all: port.properties };
  }

  /** A property by the name a step gave it. */
  property(alias: string): PropertyRef {
    const found = this.state.properties.get(alias);
    if (found === undefined) throw new Error(`no step has added the property ${alias} so far`);
    return found;
  }
}

function findVm(host: Host, name: string): VmHandle | undefined {
  // Of a host that died the memory still tells, and nobody is there.
  if (!host.isUp) return undefined;
  try {
    return host.fabric.vms.get(name);
  } catch (error) {
    if (error instanceof ExtSwitchError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
