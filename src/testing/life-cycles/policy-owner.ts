import type { FabricInterface, PropertyCollection } from '../../policy/api.ts';

/** What carries policies. Looked up anew each time, since a restart of the service makes it anew. */
export interface PolicyOwner {
  /** For people, e.g. `VM1 eth0`; one owner, one title. */
  readonly title: string;
  readonly scope: 'port' | 'switch';
  properties(fabric: FabricInterface): PropertyCollection;
  status(fabric: FabricInterface, feature: string): Promise<unknown>;
}

/** A VM's network adapter: its policies stay with it while the VM is off. */
export const adapterOwner = (vm: string, adapter: string): PolicyOwner => ({
  title: `${vm} ${adapter}`,
  scope: 'port',
  properties: (fabric) => fabric.vms.get(vm).adapter(adapter).properties,
  status: (fabric, feature) => fabric.vms.get(vm).adapter(adapter).status(feature),
});

/** A port of the host, by id. */
export const portOwner = (title: string, switchName: string, port: string): PolicyOwner => ({
  title,
  scope: 'port',
  properties: (fabric) => fabric.switches.get(switchName).ports.get(port).properties,
  status: (fabric, feature) => fabric.switches.get(switchName).ports.get(port).status(feature),
});

export const switchOwner = (switchName: string): PolicyOwner => ({
  title: `switch ${switchName}`,
  scope: 'switch',
  properties: (fabric) => fabric.switches.get(switchName).properties,
  status: (fabric, feature) => fabric.switches.get(switchName).status(feature),
});
