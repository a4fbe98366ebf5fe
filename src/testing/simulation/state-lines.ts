import type {
  AdapterInfo,
  FabricInterface,
  PhysicalAdapterInfo,
  PortInfo,
  PropertyInfo,
  SwitchExtensionInfo,
  SwitchHandle,
  VmHandle,
  VmInfo,
} from '../../policy/api.ts';

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

const withBigints = (_key: string, inner: unknown): unknown =>
  typeof inner === 'bigint' ? `${inner}` : inner;

/** What a person gave and must find again. Whether an extension has taken it is another matter. */
const policyText = ({ feature, settings, revision }: PropertyInfo): string =>
  JSON.stringify({ feature, settings, revision }, withBigints);

function adapterText({ id, name, type, mac, mtu, connected, vfAssigned, ...rest }: AdapterInfo) {
  const port = rest.port;
  const shown =
    port === undefined ? {} : { port: { portId: port.portId, state: port.state, nics: port.nics } };
  return { id, name, type, mac, mtu, connected, vfAssigned, switch: rest.switch?.name, ...shown };
}

const lowerText = ({ index, linkUp, name, mac, virtualFunctions }: PhysicalAdapterInfo) => {
  return { index, linkUp, name, mac, virtualFunctions };
};

/** What a switch shows beside its own facts. */
export interface ShownSwitch {
  readonly stack: readonly SwitchExtensionInfo[];
  readonly ports: readonly PortInfo[];
  readonly properties: readonly PropertyInfo[];
}

/** Adds the lines of one switch, without those of the VMs on it; gives what it shows. */
export function addSwitchLines(lines: StateLines, host: string, sw: SwitchHandle): ShownSwitch {
  const { id: switchId, name, type: kind } = sw.info;
  const extensions = sw.extensions.list();
  const stack = extensions.map(({ name: of, enabled, order, required }) => {
    return { name: of, enabled, order, required };
  });
  const { uplink } = sw.host;
  const shownUplink =
    uplink === undefined
      ? {}
      : { uplink: { team: uplink.team, adapters: uplink.adapters.map(lowerText) } };
  const shown = { id: switchId, type: kind, stack, ...shownUplink };
  lines.set(switchLine(host, name), JSON.stringify(shown));
  const properties = [...sw.properties.list()];
  for (const property of properties) {
    lines.set(switchPolicyLine(host, name, property.id), policyText(property));
  }
  const ports = [...sw.ports.list()];
  for (const { id, portId, names, type, nics, problem } of ports) {
    if (names.vmId !== undefined) continue;
    const key = portLine(host, name, names.portFriendlyName ?? id);
    const shown = { id, portId, type, nics: problem === undefined ? nics : problem };
    lines.set(key, JSON.stringify(shown));
  }
  return { stack: extensions, ports, properties };
}

/** Adds the lines of one VM; gives what it shows. */
export function addVmLines(lines: StateLines, host: string, vm: VmHandle): VmInfo {
  const { info } = vm;
  const { id, name, state, savedRecords, adapters } = info;
  const shown = adapters.map(adapterText);
  lines.set(vmLine(name), JSON.stringify({ host, id, state, savedRecords, adapters: shown }));
  vm.adapters.forEach(({ properties }, i) => {
    const adapter = adapters[i]?.name ?? '';
    for (const property of properties.list()) {
      lines.set(policyLine(name, adapter, property.id), policyText(property));
    }
  });
  return info;
}

/** Adds the lines of one host. */
export function addStateLines(lines: StateLines, host: string, fabric: FabricInterface): void {
  for (const { id } of fabric.switches.list()) {
    addSwitchLines(lines, host, fabric.switches.get(id));
  }
  for (const { id } of fabric.vms.keys()) addVmLines(lines, host, fabric.vms.get(id));
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
