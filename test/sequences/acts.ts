import type {
  AdapterOptions,
  FabricInterface,
  PropertyCollection,
  SwitchInfo,
  UplinkOptions,
} from '../../src/policy/api.ts';

/*
 * What a person does to a world, once as a call of the library and once as an HTTP request: the sequences of the rule book
 * are lists of these, so that both ways are driven by the same list.
 */

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Behind `/v1`. */
  readonly path: string;
  readonly body?: unknown;
}

export interface Act {
  /** For people, e.g. `start VM A`. */
  readonly title: string;
  /** A refusal is what the sequence shows; anything else fails the run. */
  readonly mayBeRefused: boolean;
  library(fabric: FabricInterface): Promise<unknown>;
  readonly http: HttpRequest;
}

const act = (
  title: string,
  http: HttpRequest,
  library: (fabric: FabricInterface) => Promise<unknown>,
): Act => ({ title, mayBeRefused: false, library, http });

/** The same act, expected to be refused. */
export const refused = (one: Act): Act => ({
  ...one,
  title: `${one.title} (refused)`,
  mayBeRefused: true,
});

const part = encodeURIComponent;

// --- switches ----------------------------------------------------------------------------------------------------------

export function createSwitch(options: {
  readonly name: string;
  readonly type?: SwitchInfo['type'];
  readonly extensions?: readonly string[];
  readonly uplink?: UplinkOptions;
  readonly managementOs?: boolean;
}): Act {
  const { extensions = [], ...rest } = options;
  return act(
    `create switch ${options.name}`,
    { method: 'POST', path: '/switches', body: { ...rest, extensions } },
    (fabric) => fabric.switches.create({ ...rest, extensions }),
  );
}

export const deleteSwitch = (name: string): Act =>
  act(`delete switch ${name}`, { method: 'DELETE', path: `/switches/${part(name)}` }, (fabric) =>
    fabric.switches.get(name).delete(),
  );

export const changeExtension = (
  switchName: string,
  id: string,
  change: { readonly enabled?: boolean; readonly order?: number; readonly required?: boolean },
): Act =>
  act(
    `extension ${id.slice(-4)} of ${switchName}: ${JSON.stringify(change)}`,
    { method: 'PATCH', path: `/switches/${part(switchName)}/extensions/${id}`, body: change },
    (fabric) => fabric.switches.get(switchName).extensions.change(id, change),
  );

// --- ports and NICs ----------------------------------------------------------------------------------------------------

export const createPort = (switchName: string, name: string): Act =>
  act(
    `create port ${name}`,
    { method: 'POST', path: `/switches/${part(switchName)}/ports`, body: { name } },
    (fabric) => fabric.switches.get(switchName).ports.create({ name }),
  );

const portPath = (switchName: string, port: string): string =>
  `/switches/${part(switchName)}/ports/${part(port)}`;

export const deletePort = (switchName: string, name: string): Act =>
  act(`delete port ${name}`, { method: 'DELETE', path: portPath(switchName, name) }, (fabric) =>
    fabric.switches.get(switchName).ports.get(name).delete(),
  );

export const renamePort = (switchName: string, port: string, name: string): Act =>
  act(
    `rename port ${port} to ${name}`,
    { method: 'PATCH', path: portPath(switchName, port), body: { name } },
    (fabric) => fabric.switches.get(switchName).ports.get(port).rename(name),
  );

export const connectNic = (switchName: string, port: string): Act =>
  act(
    `connect a NIC to port ${port}`,
    { method: 'POST', path: `${portPath(switchName, port)}/nics`, body: {} },
    (fabric) => fabric.switches.get(switchName).ports.get(port).nics.connect({}),
  );

export const disconnectNic = (switchName: string, port: string): Act =>
  act(
    `disconnect the NIC of port ${port}`,
    { method: 'DELETE', path: `${portPath(switchName, port)}/nics/0` },
    (fabric) => fabric.switches.get(switchName).ports.get(port).nics.disconnect(0),
  );

// --- policies ----------------------------------------------------------------------------------------------------------

/** What carries a policy. */
export interface Target {
  readonly title: string;
  readonly path: string;
  properties(fabric: FabricInterface): PropertyCollection;
  status(fabric: FabricInterface, feature: string): Promise<unknown>;
}

export const ofPort = (switchName: string, port: string): Target => ({
  title: `port ${port}`,
  path: portPath(switchName, port),
  properties: (fabric) => fabric.switches.get(switchName).ports.get(port).properties,
  status: (fabric, feature) => fabric.switches.get(switchName).ports.get(port).status(feature),
});

export const ofSwitch = (switchName: string): Target => ({
  title: `switch ${switchName}`,
  path: `/switches/${part(switchName)}`,
  properties: (fabric) => fabric.switches.get(switchName).properties,
  status: (fabric, feature) => fabric.switches.get(switchName).status(feature),
});

export const ofAdapter = (vm: string, adapter: string): Target => ({
  title: `${adapter} of ${vm}`,
  path: `/vms/${part(vm)}/adapters/${part(adapter)}`,
  properties: (fabric) => fabric.vms.get(vm).adapter(adapter).properties,
  status: (fabric, feature) => fabric.vms.get(vm).adapter(adapter).status(feature),
});

type Settings = Readonly<Record<string, unknown>>;

export const addProperty = (target: Target, feature: string, settings: Settings, id: string): Act =>
  act(
    `add ${feature} to ${target.title}`,
    { method: 'POST', path: `${target.path}/properties`, body: { feature, settings, id } },
    (fabric) => target.properties(fabric).add(feature, settings, { id }),
  );

export const updateProperty = (target: Target, id: string, settings: Settings): Act =>
  act(
    `update ${id.slice(-4)} of ${target.title}`,
    { method: 'PUT', path: `${target.path}/properties/${id}`, body: { settings } },
    (fabric) => target.properties(fabric).update(id, settings),
  );

export const removeProperty = (target: Target, id: string): Act =>
  act(
    `remove ${id.slice(-4)} from ${target.title}`,
    { method: 'DELETE', path: `${target.path}/properties/${id}` },
    (fabric) => target.properties(fabric).delete(id),
  );

export const queryStatus = (target: Target, feature: string): Act =>
  act(
    `ask for ${feature} of ${target.title}`,
    { method: 'GET', path: `${target.path}/status/${feature}` },
    (fabric) => target.status(fabric, feature),
  );

// --- VMs ---------------------------------------------------------------------------------------------------------------

export const createVm = (name: string, adapters: readonly AdapterOptions[]): Act =>
  act(`create ${name}`, { method: 'POST', path: '/vms', body: { name, adapters } }, (fabric) =>
    fabric.vms.create({ name, adapters }),
  );

const vmAct =
  (verb: 'start' | 'stop' | 'pause' | 'resume' | 'save' | 'restore') =>
  (vm: string): Act =>
    act(`${verb} ${vm}`, { method: 'POST', path: `/vms/${part(vm)}/${verb}` }, (fabric) =>
      fabric.vms.get(vm)[verb](),
    );

export const startVm = vmAct('start');
export const stopVm = vmAct('stop');
export const pauseVm = vmAct('pause');
export const resumeVm = vmAct('resume');
export const saveVm = vmAct('save');
export const restoreVm = vmAct('restore');

export const deleteVm = (vm: string): Act =>
  act(`delete ${vm}`, { method: 'DELETE', path: `/vms/${part(vm)}` }, (fabric) =>
    fabric.vms.get(vm).delete(),
  );

export const addAdapter = (vm: string, options: AdapterOptions): Act =>
  act(
    `add adapter ${options.name} to ${vm}`,
    { method: 'POST', path: `/vms/${part(vm)}/adapters`, body: options },
    (fabric) => fabric.vms.get(vm).addAdapter(options),
  );

const adapterPath = (vm: string, adapter: string): string =>
  `/vms/${part(vm)}/adapters/${part(adapter)}`;

export const removeAdapter = (vm: string, adapter: string): Act =>
  act(
    `remove adapter ${adapter} of ${vm}`,
    { method: 'DELETE', path: adapterPath(vm, adapter) },
    (fabric) => fabric.vms.get(vm).removeAdapter(adapter),
  );

export const connectAdapter = (vm: string, adapter: string, switchName: string): Act =>
  act(
    `connect ${adapter} of ${vm} to ${switchName}`,
    { method: 'PATCH', path: adapterPath(vm, adapter), body: { switch: switchName } },
    (fabric) => fabric.vms.get(vm).adapter(adapter).connect(switchName),
  );

export const disconnectAdapter = (vm: string, adapter: string): Act =>
  act(
    `disconnect ${adapter} of ${vm}`,
    { method: 'PATCH', path: adapterPath(vm, adapter), body: { switch: null } },
    (fabric) => fabric.vms.get(vm).adapter(adapter).disconnect(),
  );

export const updateAdapter = (
  vm: string,
  adapter: string,
  change: { readonly name?: string; readonly mtu?: number },
): Act =>
  act(
    `change ${adapter} of ${vm}: ${JSON.stringify(change)}`,
    { method: 'PATCH', path: adapterPath(vm, adapter), body: change },
    (fabric) => fabric.vms.get(vm).adapter(adapter).update(change),
  );

export const assignVf = (vm: string, adapter: string): Act =>
  act(
    `assign a VF to ${adapter} of ${vm}`,
    { method: 'POST', path: `${adapterPath(vm, adapter)}/vf` },
    (fabric) => fabric.vms.get(vm).adapter(adapter).assignVf(),
  );

export const removeVf = (vm: string, adapter: string): Act =>
  act(
    `remove the VF of ${adapter} of ${vm}`,
    { method: 'DELETE', path: `${adapterPath(vm, adapter)}/vf` },
    (fabric) => fabric.vms.get(vm).adapter(adapter).removeVf(),
  );

// --- the host's own connections ------------------------------------------------------------------------------------------

export const connectUplink = (switchName: string, options: UplinkOptions): Act =>
  act(
    `connect the uplink of ${switchName}`,
    { method: 'PUT', path: `/switches/${part(switchName)}/host/uplink`, body: options },
    (fabric) => fabric.switches.get(switchName).host.connectUplink(options),
  );

export const disconnectUplink = (switchName: string): Act =>
  act(
    `disconnect the uplink of ${switchName}`,
    { method: 'DELETE', path: `/switches/${part(switchName)}/host/uplink` },
    (fabric) => fabric.switches.get(switchName).host.disconnectUplink(),
  );

export const setLink = (switchName: string, index: number, linkUp: boolean): Act =>
  act(
    `link of adapter ${index} ${linkUp ? 'up' : 'down'}`,
    {
      method: 'PATCH',
      path: `/switches/${part(switchName)}/host/uplink/adapters/${index}`,
      body: { linkUp },
    },
    (fabric) => fabric.switches.get(switchName).host.setLink(index, linkUp),
  );
