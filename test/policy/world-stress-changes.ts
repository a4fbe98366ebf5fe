import type {
  AdapterHandle,
  FabricInterface,
  NicUpdate,
  PortHandle,
  PropertyCollection,
  SwitchHandle,
  VmHandle,
} from '../../src/policy/api.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { PORT_CLASS, SWITCH_CLASS } from '../sequences/observer.ts';
import type { Draw } from './world-stress-mischief.ts';

/** A change drawn, in words, and how to make it. */
export interface Change {
  readonly title: string;
  readonly act: () => Promise<unknown>;
}

export const switchesOf = (fabric: FabricInterface): SwitchHandle[] =>
  Array.from(fabric.switches.list(), ({ id }) => fabric.switches.get(id));
export const vmsOf = (fabric: FabricInterface): VmHandle[] =>
  Array.from(fabric.vms.list(), ({ id }) => fabric.vms.get(id));
export const portsOf = (sw: SwitchHandle): PortHandle[] =>
  Array.from(sw.ports.list(), ({ id }) => sw.ports.get(id));

type Verb = 'start' | 'stop' | 'pause' | 'resume' | 'save' | 'restore';
const VERBS: Readonly<Record<string, readonly Verb[]>> = {
  off: ['start'],
  running: ['stop', 'pause', 'save'],
  paused: ['resume', 'save', 'stop'],
  saved: ['restore', 'restore', 'stop'],
};

/** Draws changes of everything a world has. */
export class Changes {
  readonly #draw: Draw;
  readonly #extensions: readonly ExtensionDefinition[];
  #names = 0;

  constructor(draw: Draw, extensions: readonly ExtensionDefinition[]) {
    this.#draw = draw;
    this.#extensions = extensions;
  }

  /** One change that has something to work on now, or what does nothing. */
  next(fabric: FabricInterface): Change {
    for (let i = 0; i < 30; i += 1) {
      const change = this.#ofKind(fabric);
      if (change !== undefined) return change;
    }
    return { title: 'nothing', act: async () => undefined };
  }

  #ofKind(fabric: FabricInterface): Change | undefined {
    switch (this.#draw.int(8)) {
      case 0:
        return this.#ofWorld(fabric);
      case 1:
        return this.#ofPort(fabric);
      case 2:
        return this.#ofProperty(fabric);
      case 3:
        return this.#ofHost(fabric);
      case 4:
      case 5:
        return this.#ofVm(fabric);
      case 6:
        return this.#ofAdapters(fabric);
      default:
        return this.#ofAdapter(fabric);
    }
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  #anyOf<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : this.#draw.pick(list);
  }

  #ofWorld(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const all = switchesOf(fabric);
    const sw = this.#anyOf(all);
    if (sw !== undefined && draw.chance(0.5)) return this.#ofStack(sw);
    if (sw !== undefined && draw.chance(0.3)) {
      return { title: `delete switch ${sw.info.name}`, act: () => sw.delete() };
    }
    if (all.length >= 3) return undefined;
    const name = this.#name('S');
    const type = draw.pick(['external', 'external', 'internal', 'private'] as const);
    const adapters = [{ name: `${name}a`, virtualFunctions: 2, queues: 2 }, { name: `${name}b` }];
    const hasUplink = type === 'external' && draw.chance(0.5);
    const options = {
      name,
      type,
      extensions: this.#extensions.filter(() => draw.chance(0.8)).map(({ id }) => id),
      managementOs: type !== 'private' && draw.chance(0.5),
      ...(hasUplink ? { uplink: { team: 'switch', adapters } as const } : {}),
    };
    return {
      title: `create ${type} switch ${name}${hasUplink ? ' with uplink' : ''}`,
      act: () => fabric.switches.create(options),
    };
  }

  #ofStack(sw: SwitchHandle): Change | undefined {
    const extension = this.#anyOf(sw.extensions.list());
    if (extension === undefined) return undefined;
    const changes = [
      { enabled: !extension.enabled },
      { enabled: true },
      { order: 0 },
      { order: 1 },
    ];
    const change = this.#draw.pick(changes);
    return {
      title: `${extension.name} on ${sw.info.name} ${JSON.stringify(change)}`,
      act: () => sw.extensions.change(extension.id, change),
    };
  }

  #ofPort(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const sw = this.#anyOf(switchesOf(fabric));
    if (sw === undefined) return undefined;
    if (draw.chance(0.2)) {
      const name = this.#name('P');
      return { title: `create port ${name}`, act: () => sw.ports.create({ name }) };
    }
    const port = this.#anyOf(portsOf(sw));
    if (port === undefined) return undefined;
    const at = `${sw.info.name}/${port.info.portId} ${port.info.type}`;
    const name = this.#name('R');
    const update = draw.pick([{ mtu: 1400 + draw.int(200) }, { name }]);
    return draw.pick<Change>([
      { title: `delete port ${at}`, act: () => port.delete() },
      { title: `rename port ${at} ${name}`, act: () => port.rename(name) },
      { title: `connect NIC ${at}`, act: () => port.nics.connect({}) },
      { title: `disconnect NIC ${at}`, act: () => port.nics.disconnect(0) },
      { title: `update NIC ${at}`, act: () => port.nics.update(0, update) },
    ]);
  }

  #ofProperty(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const places: [PropertyCollection, string][] = [];
    for (const sw of switchesOf(fabric)) {
      places.push([sw.properties, SWITCH_CLASS]);
      for (const port of portsOf(sw)) places.push([port.properties, PORT_CLASS]);
    }
    for (const [, { properties }] of this.#adapters(fabric)) places.push([properties, PORT_CLASS]);
    const place = this.#anyOf(places);
    if (place === undefined) return undefined;
    const [collection, feature] = place;
    const settings = { SettingIntA: draw.int(1000) };
    const one = this.#anyOf([...collection.list()]);
    if (one === undefined || draw.chance(0.5)) {
      return { title: 'add property', act: () => collection.add(feature, settings) };
    }
    const { id } = one;
    return draw.pick<Change>([
      { title: `update property ${id}`, act: () => collection.update(id, settings) },
      { title: `delete property ${id}`, act: () => collection.delete(id) },
    ]);
  }

  #ofHost(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const sw = this.#anyOf(switchesOf(fabric));
    if (sw === undefined) return undefined;
    const { host, info } = sw;
    const name = this.#name('U');
    if (info.type !== 'external' || draw.chance(0.2)) {
      return { title: `internal NIC ${info.name}`, act: () => host.addInternalNic({ name }) };
    }
    if (host.uplink !== undefined && draw.chance(0.3)) {
      return { title: `disconnect uplink ${info.name}`, act: () => host.disconnectUplink() };
    }
    const up = draw.chance(0.5);
    const adapters = [{ name, virtualFunctions: 2, queues: 1 }];
    return draw.pick<Change>([
      { title: `link ${info.name} ${up}`, act: () => host.setLink(1, up) },
      { title: `connect uplink ${info.name}`, act: () => host.connectUplink({ adapters }) },
    ]);
  }

  #ofVm(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const all = vmsOf(fabric);
    const vm = this.#anyOf(all);
    if (vm === undefined || (all.length < 5 && draw.chance(0.25))) return this.#newVm(fabric);
    const { name, state } = vm.info;
    if (draw.chance(0.05)) return { title: `delete ${name} (${state})`, act: () => vm.delete() };
    const verbs = draw.chance(0.9) ? (VERBS[state] ?? []) : Object.values(VERBS).flat();
    const verb = draw.pick(verbs);
    return { title: `${verb} ${name} (${state})`, act: () => vm[verb]() };
  }

  #newVm(fabric: FabricInterface): Change {
    const draw = this.#draw;
    const name = this.#name('VM');
    const all = switchesOf(fabric);
    const adapters = Array.from({ length: 1 + draw.int(2) }, (_, i) => ({
      name: `n${i}`,
      ...(all.length > 0 && draw.chance(0.85) ? { switch: draw.pick(all).info.id } : {}),
      ...(draw.chance(0.3) ? ({ type: 'emulated' } as const) : {}),
      ...(draw.chance(0.3) ? { mac: `02-00-00-00-00-0${draw.int(4)}` } : {}),
    }));
    return { title: `create ${name}`, act: () => fabric.vms.create({ name, adapters }) };
  }

  #adapters(fabric: FabricInterface): [VmHandle, AdapterHandle][] {
    return vmsOf(fabric).flatMap((vm) =>
      vm.adapters.map((adapter): [VmHandle, AdapterHandle] => [vm, adapter]),
    );
  }

  #ofAdapters(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const vm = this.#anyOf(vmsOf(fabric));
    if (vm === undefined) return undefined;
    const of = `${vm.info.name} (${vm.info.state})`;
    const adapter = this.#anyOf(vm.adapters);
    if (adapter !== undefined && (vm.adapters.length > 3 || draw.chance(0.4))) {
      const { id, name } = adapter.info;
      return { title: `remove adapter ${name} of ${of}`, act: () => vm.removeAdapter(id) };
    }
    const sw = this.#anyOf(switchesOf(fabric));
    const name = this.#name('a');
    const options = { name, ...(sw === undefined ? {} : { switch: sw.info.id }) };
    return { title: `add adapter ${name} to ${of}`, act: () => vm.addAdapter(options) };
  }

  #ofAdapter(fabric: FabricInterface): Change | undefined {
    const draw = this.#draw;
    const one = this.#anyOf(this.#adapters(fabric));
    const sw = this.#anyOf(switchesOf(fabric));
    if (one === undefined || sw === undefined) return undefined;
    const [vm, adapter] = one;
    const of = `${adapter.info.name} of ${vm.info.name} (${vm.info.state})`;
    const updates: readonly NicUpdate[] = [
      { mtu: 1400 + draw.int(100) },
      { name: this.#name('x') },
      { mac: `02-00-00-00-01-0${draw.int(4)}` },
      { vmMac: `02-00-00-00-02-0${draw.int(4)}` },
      { numaNode: draw.int(3) },
    ];
    const update = draw.pick(updates);
    const vf: Change = adapter.info.vfAssigned
      ? { title: `remove VF of ${of}`, act: () => adapter.removeVf() }
      : { title: `assign VF to ${of}`, act: () => adapter.assignVf() };
    const { name, id } = sw.info;
    return draw.pick<Change>([
      { title: `connect ${of} to ${name}`, act: () => adapter.connect(id) },
      { title: `disconnect ${of}`, act: () => adapter.disconnect() },
      { title: `update ${of} ${JSON.stringify(update)}`, act: () => adapter.update(update) },
      vf,
    ]);
  }
}
