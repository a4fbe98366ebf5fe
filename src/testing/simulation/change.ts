import type { FabricInterface, VmHandle } from '../../policy/api.ts';
import { type ClassChange, ofClass } from './change-class.ts';
import { type HostChange, ofCopiedVm, ofHost } from './change-host.ts';
import { isWorldChange, ofWorld, type WorldChange } from './change-world.ts';
import { policyId } from './policy-id.ts';
import {
  policyLine,
  portLine,
  type StateLines,
  switchLine,
  switchPolicyLine,
  vmLine,
} from './state-lines.ts';
import type { Change, VmVerb } from './step.ts';
import { PORT_CLASS, PORT_SETTING, SWITCH_CLASS, SWITCH_SETTING } from './well-behaved.ts';

/** A change that has something to work on. */
export interface Act {
  /** The host it is asked of. */
  readonly host: string;
  /** Lines that begin with one of these may be others afterwards. */
  readonly touches: readonly string[];
  /** Lines of VMs may be others, though none may go: it is about a switch they are on. */
  readonly shakesVms?: boolean;
  run(fabric: FabricInterface): Promise<unknown>;
  /** What is missing of the effect that was acknowledged. */
  missing(after: StateLines): string | undefined;
}

/** Where things are. */
export interface Places {
  world(host: string): FabricInterface | undefined;
  /** The host a VM of this name is on. */
  hostOf(vm: string): string | undefined;
}

const has = (key: string, part = ''): Act['missing'] => {
  return (after) => (after.get(key)?.includes(part) ? undefined : `${key} ${part} is not there`);
};
const hasNot = (key: string): Act['missing'] => {
  return (after) => (after.has(key) ? `${key} is still there` : undefined);
};

const STATES: Readonly<Record<Exclude<VmVerb, 'delete'>, string>> = {
  start: 'running',
  stop: 'off',
  pause: 'paused',
  resume: 'running',
  save: 'saved',
  restore: 'running',
};

/** Gives `undefined` when what it names is not there. */
export function actOf(change: Change, places: Places): Act | undefined {
  if ('feature' in change) return ofClass(change, places);
  if (isWorldChange(change)) return ofWorld(change, places);
  return 'vm' in change ? ofVm(change, places) : ofSwitch(change, places);
}

type VmChange = Exclude<Extract<Change, { vm: string }>, WorldChange | ClassChange>;

function ofVm(change: VmChange, places: Places): Act | undefined {
  const { vm } = change;
  const touches = [vmLine(vm), `policy/${vm}/`];
  if (change.do === 'createVm') return ofNewVm(change, places, touches);
  const host = places.hostOf(vm);
  const handle = host === undefined ? undefined : places.world(host)?.vms.get(vm);
  if (host === undefined || handle === undefined) return undefined;
  const on = (fabric: FabricInterface): VmHandle => fabric.vms.get(vm);
  const line = vmLine(vm);
  if (change.do === 'copyVm') {
    const source = places.world(host);
    return source === undefined ? undefined : ofCopiedVm(change, source, places);
  }
  if (change.do === 'vm') {
    const { verb } = change;
    // A verb of the VM itself leaves its policies alone.
    if (verb !== 'delete') {
      const missing = has(line, `"state":"${STATES[verb]}"`);
      return { host, touches: [line], run: (fabric) => on(fabric)[verb](), missing };
    }
    return { host, touches, run: (fabric) => on(fabric).delete(), missing: hasNot(line) };
  }
  if (change.do === 'addAdapter') {
    const options = { name: change.adapter, switch: change.switch };
    const missing = has(line, `"name":"${change.adapter}"`);
    return { host, touches: [line], run: (fabric) => on(fabric).addAdapter(options), missing };
  }
  if (!handle.info.adapters.some(({ name }) => name === change.adapter)) return undefined;
  return ofAdapter(change, host, handle);
}

function ofNewVm(
  { vm, host, adapters }: Extract<Change, { do: 'createVm' }>,
  places: Places,
  touches: readonly string[],
): Act | undefined {
  if (places.hostOf(vm) !== undefined || places.world(host) === undefined) return undefined;
  const options = {
    name: vm,
    adapters: adapters.map((sw, i) => ({ name: `n${i}`, ...(sw === null ? {} : { switch: sw }) })),
  };
  return {
    host,
    touches,
    run: (fabric) => fabric.vms.create(options),
    missing: has(vmLine(vm)),
  };
}

type AdapterChange = Exclude<Extract<VmChange, { adapter: string }>, { do: 'addAdapter' }>;

function ofAdapter(change: AdapterChange, host: string, handle: VmHandle): Act | undefined {
  const { vm, adapter } = change;
  const on = (fabric: FabricInterface) => fabric.vms.get(vm).adapter(adapter);
  const line = vmLine(vm);
  const none = (): undefined => undefined;
  if ('policy' in change) return ofPolicy(change, host, handle);
  switch (change.do) {
    case 'removeAdapter': {
      const touches = [line, `policy/${vm}/${adapter}/`];
      const run = (fabric: FabricInterface) => fabric.vms.get(vm).removeAdapter(adapter);
      return { host, touches, run, missing: none };
    }
    case 'assignVf':
    case 'removeVf': {
      const { do: verb } = change;
      const shown = `"vfAssigned":${verb === 'assignVf'}`;
      const missing = (after: StateLines): string | undefined => {
        const all: readonly { readonly name: string }[] = JSON.parse(
          after.get(line) ?? '{}',
        ).adapters;
        const found = all?.find(({ name }) => name === adapter);
        return JSON.stringify(found)?.includes(shown) ? undefined : `${line} ${adapter} ${shown}`;
      };
      return { host, touches: [line], run: (fabric) => on(fabric)[verb](), missing };
    }
    case 'disconnectAdapter':
      return { host, touches: [line], run: (fabric) => on(fabric).disconnect(), missing: none };
    case 'connectAdapter': {
      const missing = has(line, `"switch":"${change.switch}"`);
      const run = (fabric: FabricInterface) => on(fabric).connect(change.switch);
      return { host, touches: [line], run, missing };
    }
    default: {
      const { mtu } = change;
      const run = (fabric: FabricInterface) => on(fabric).update({ mtu });
      return { host, touches: [line], run, missing: has(line, `"mtu":${mtu}`) };
    }
  }
}

type PolicyChange = Extract<AdapterChange, { policy: number }>;

function ofPolicy(change: PolicyChange, host: string, handle: VmHandle): Act | undefined {
  const { vm, adapter } = change;
  const id = policyId(change.policy);
  const key = policyLine(vm, adapter, id);
  const on = (fabric: FabricInterface) => fabric.vms.get(vm).adapter(adapter).properties;
  const found = [...handle.adapter(adapter).properties.list()].find((each) => each.id === id);
  if ((found !== undefined) === (change.do === 'addPolicy')) return undefined;
  // A revision of before, or one that is yet to come.
  const revision = (found?.revision ?? 0) + (change.revision === 'stale' ? 1 : 0);
  const named = change.revision === undefined ? {} : { ifRevision: revision };
  const sure = (missing: Act['missing']): Act['missing'] =>
    change.revision === 'stale'
      ? () => `${key} has changed, asked for with a wrong revision`
      : missing;
  if (change.do === 'removePolicy') {
    const run = (fabric: FabricInterface) => on(fabric).delete(id, named);
    return { host, touches: [key], run, missing: sure(hasNot(key)) };
  }
  const settings = { [PORT_SETTING]: change.value };
  const missing = sure(has(key, `"${PORT_SETTING}":${change.value},`));
  const run =
    change.do === 'addPolicy'
      ? (fabric: FabricInterface) => on(fabric).add(PORT_CLASS, settings, { id })
      : (fabric: FabricInterface) => on(fabric).update(id, settings, named);
  return { host, touches: [key], run, missing };
}

type SwitchChange = Exclude<Change, VmChange | WorldChange | ClassChange>;

function ofSwitch(change: SwitchChange, places: Places): Act | undefined {
  const { host, switch: name } = change;
  const world = places.world(host);
  if (world === undefined) return undefined;
  const line = switchLine(host, name);
  const isThere = [...world.switches.list()].some((each) => each.name === name);
  if (isThere === (change.do === 'createSwitch')) return undefined;
  const all = [line, `port/${host}/${name}/`, `switchPolicy/${host}/${name}/`];
  const on = (fabric: FabricInterface) => fabric.switches.get(name);
  switch (change.do) {
    case 'createSwitch': {
      const { type } = change;
      const run = (fabric: FabricInterface) => {
        const extensions = fabric.extensions.list().map(({ id }) => id);
        return fabric.switches.create({ name, type, extensions });
      };
      return { host, touches: all, run, missing: has(line) };
    }
    case 'deleteSwitch': {
      const run = (fabric: FabricInterface) => on(fabric).delete();
      return { host, touches: all, shakesVms: true, run, missing: hasNot(line) };
    }
    case 'changeExtension': {
      const { extension, enabled, order, required } = change;
      const what = {
        ...(enabled === undefined ? {} : { enabled }),
        ...(order === undefined ? {} : { order }),
        ...(required === undefined ? {} : { required }),
      };
      const run = (fabric: FabricInterface) => on(fabric).extensions.change(extension, what);
      return { host, touches: all, shakesVms: true, run, missing: has(line) };
    }
    case 'connectUplink':
    case 'disconnectUplink':
    case 'setLink':
    case 'addInternalNic':
    case 'copySwitch':
      return ofHost(change, world, places);
    default:
      return 'policy' in change
        ? ofSwitchPolicy(change, world)
        : ofPort(change, world, portLine(host, name, change.port));
  }
}

type PortChange = Exclude<Extract<SwitchChange, { port: string }>, HostChange>;

function ofPort(change: PortChange, world: FabricInterface, key: string): Act | undefined {
  const { host, switch: name, port } = change;
  const ports = (fabric: FabricInterface) => fabric.switches.get(name).ports;
  const found = [...ports(world).list()].find(({ names }) => names.portFriendlyName === port);
  if ((found === undefined) !== (change.do === 'createPort')) return undefined;
  const touches = [key];
  switch (change.do) {
    case 'createPort': {
      const run = (fabric: FabricInterface) => ports(fabric).create({ name: port });
      return { host, touches, run, missing: has(key) };
    }
    case 'deletePort': {
      const run = (fabric: FabricInterface) => ports(fabric).get(port).delete();
      return { host, touches, run, missing: hasNot(key) };
    }
    case 'renamePort': {
      const { to } = change;
      const renamed = portLine(host, name, to);
      const run = (fabric: FabricInterface) => ports(fabric).get(port).rename(to);
      return { host, touches: [key, renamed], run, missing: has(renamed) };
    }
    case 'updateNic': {
      const { mtu } = change;
      const run = (fabric: FabricInterface) => ports(fabric).get(port).nics.update(0, { mtu });
      return { host, touches, run, missing: has(key, `"mtu":${mtu}`) };
    }
    case 'connectNic': {
      const run = (fabric: FabricInterface) => ports(fabric).get(port).nics.connect();
      return { host, touches, run, missing: has(key, '"state":"connected"') };
    }
    default: {
      const run = (fabric: FabricInterface) => ports(fabric).get(port).nics.disconnect(0);
      return { host, touches, run, missing: has(key, '"nics":[]') };
    }
  }
}

type SwitchPolicyChange = Extract<SwitchChange, { policy: number }>;

function ofSwitchPolicy(change: SwitchPolicyChange, world: FabricInterface): Act | undefined {
  const { host, switch: name } = change;
  const id = policyId(change.policy);
  const key = switchPolicyLine(host, name, id);
  const on = (fabric: FabricInterface) => fabric.switches.get(name).properties;
  const isThere = [...on(world).list()].some((each) => each.id === id);
  if (isThere === (change.do === 'addSwitchPolicy')) return undefined;
  if (change.do === 'removeSwitchPolicy') {
    const run = (fabric: FabricInterface) => on(fabric).delete(id);
    return { host, touches: [key], run, missing: hasNot(key) };
  }
  const settings = { [SWITCH_SETTING]: change.value };
  const missing = has(key, `"${SWITCH_SETTING}":${change.value},`);
  const run =
    change.do === 'addSwitchPolicy'
      ? (fabric: FabricInterface) => on(fabric).add(SWITCH_CLASS, settings, { id })
      : (fabric: FabricInterface) => on(fabric).update(id, settings);
  return { host, touches: [key], run, missing };
}
