import type { AdapterInfo, FabricInterface, PropertyInfo } from '../../policy/api.ts';

/** What management shows, one line a thing: key → value. VMs and their policies are under the same key on every host. */
export type StateLines = Map<string, string>;

export const vmLine = (vm: string): string => `vm/${vm}`;
export const policyLine = (vm: string, adapter: string, id: string): string =>
  `policy/${vm}/${adapter}/${id}`;
export const switchLine = (host: string, sw: string): string => `switch/${host}/${sw}`;
export const portLine = (host: string, sw: string, port: string): string =>
  `port/${host}/${sw}/${port}`;
export const switchPolicyLine = (host: string, sw: string, id: string): string =>
  `switchPolicy/${host}/${sw}/${id}`;

const text = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner));

/** What a person gave and must find again. Whether an extension has taken it is another matter. */
const policyText = ({ feature, settings, revision }: PropertyInfo): string =>
  text({ feature, settings, revision });

function adapterText({ id, name, type, mac, mtu, connected, vfAssigned, ...rest }: AdapterInfo) {
  const port = rest.port;
  const shown =
    port === undefined ? {} : { port: { portId: port.portId, state: port.state, nics: port.nics } };
  return { id, name, type, mac, mtu, connected, vfAssigned, switch: rest.switch?.name, ...shown };
}

/** Adds the lines of one host. */
export function addStateLines(lines: StateLines, host: string, fabric: FabricInterface): void {
  for (const info of fabric.switches.list()) {
    const sw = fabric.switches.get(info.id);
    const stack = sw.extensions
      .list()
      .map(({ name, enabled, order, required }) => ({ name, enabled, order, required }));
    lines.set(switchLine(host, info.name), text({ id: info.id, type: info.type, stack }));
    for (const property of sw.properties.list()) {
      lines.set(switchPolicyLine(host, info.name, property.id), policyText(property));
    }
    for (const { id, portId, names, type, nics, problem } of sw.ports.list()) {
      if (names.vmId !== undefined) continue;
      const key = portLine(host, info.name, names.portFriendlyName ?? id);
      lines.set(key, text({ id, portId, type, nics: problem === undefined ? nics : problem }));
    }
  }
  for (const { id, name, state, savedRecords, adapters } of fabric.vms.list()) {
    const shown = adapters.map(adapterText);
    lines.set(vmLine(name), text({ host, id, state, savedRecords, adapters: shown }));
    for (const adapter of fabric.vms.get(id).adapters) {
      for (const property of adapter.properties.list()) {
        lines.set(policyLine(name, adapter.info.name, property.id), policyText(property));
      }
    }
  }
}

/** Keys whose lines are not the same, with both. */
export function differences(before: StateLines, after: StateLines): [string, string, string][] {
  const found: [string, string, string][] = [];
  for (const [key, was] of before) {
    const is = after.get(key);
    if (is !== was) found.push([key, was, is ?? 'nothing']);
  }
  for (const [key, is] of after) if (!before.has(key)) found.push([key, 'nothing', is]);
  return found;
}
