import { NdisStatus } from '../../src/core/status.ts';
import type { FabricInterface } from '../../src/policy/api.ts';
import type { PortableDocument } from '../../src/policy/migration-api.ts';
import { checksumOf, portableText } from '../../src/policy/portable-canonical.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { PORT_SETTING, SWITCH_SETTING } from './open-world.ts';
import { first, openVmWorld } from './vm-world.ts';

/** Saves the bytes 9 and 7 for each NIC, and takes them back. */
export function keeper(refuses: (settings: unknown) => boolean = () => false): ExtensionDefinition {
  return extensionWith(() => {
    const done = new Set<number>();
    return {
      addPortProperty: (property) =>
        refuses(property.settings) ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
      saveNic: (state) => {
        if (done.has(state.portId)) return 'forward';
        done.add(state.portId);
        return state.save(Uint8Array.of(9, 7));
      },
      saveNicComplete: (nic) => {
        done.delete(nic.portId);
        return 'forward';
      },
      restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
    };
  });
}

/** A document as a plain value of JSON, to be changed. */
export function plain(document: PortableDocument): Record<string, unknown> {
  return JSON.parse(portableText(document)) as Record<string, unknown>;
}

/** The value at a path of names and indexes. */
export function at(value: unknown, path: readonly (string | number)[]): unknown {
  let found = value;
  for (const step of path) found = (found as Record<string | number, unknown>)[step];
  return found;
}

/** A copy with another value at `path` (`undefined`: without it), its checksum made again. */
export function changed(
  document: PortableDocument,
  path: readonly (string | number)[],
  value: unknown,
): Record<string, unknown> {
  const copy = plain(document);
  const last = path.at(-1) ?? '';
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return { ...copy, ...(path[0] === 'checksum' ? {} : { checksum: checksumOf(copy) }) };
}

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** The document with every id replaced by its place in the order they appear; ids of classes and extensions stay. */
export function withoutIds(document: PortableDocument): unknown {
  const keep = new Set<string>();
  for (const { id, extensionId } of document.features) keep.add(id).add(extensionId);
  for (const one of document.switches) for (const { id } of one.extensions) keep.add(id);
  const seen = new Map<string, string>();
  const { checksum: _checksum, ...rest } = plain(document);
  const text = JSON.stringify(rest).replace(GUID, (id) => {
    if (keep.has(id)) return id;
    const known = seen.get(id.toLowerCase()) ?? `#${seen.size + 1}`;
    seen.set(id.toLowerCase(), known);
    return known;
  });
  return JSON.parse(text, (name, value: unknown) =>
    // A VM that ran arrives off; port ids are the switch's to give.
    name === 'state' && value !== 'saved' ? 'off' : name === 'portId' ? 0 : value,
  );
}

/** Code and message of what a change throws. */
export async function refusal(change: () => Promise<unknown>): Promise<string> {
  try {
    await change();
    return 'done';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code}: ${message}`;
  }
}

/** Everything of a world a document could change: policies, ports, VMs, classes. */
export async function picture(fabric: FabricInterface): Promise<string> {
  const switches = await Promise.all(
    Array.from(fabric.switches.list(), ({ id }) => fabric.switches.get(id).export({ vms: true })),
  );
  const vms = await Promise.all(
    Array.from(fabric.vms.list(), ({ id }) => fabric.vms.get(id).export()),
  );
  return JSON.stringify([
    switches.map(portableText),
    vms.map(portableText),
    fabric.features.list().map(({ name, version }) => [name, version]),
  ]);
}

/** A document with every member a document can have. */
export async function everything(): Promise<PortableDocument> {
  const { fabric, sw } = await openVmWorld([keeper()]);
  const adapter = { name: 'nic', virtualFunctions: 2, queues: 3 };
  await sw.host.connectUplink({ team: 'lbfo', adapters: [adapter] });
  await sw.host.addInternalNic();
  const hand = await sw.ports.create({ name: 'hand' });
  await hand.nics.connect();
  await hand.properties.add(PORT_SETTING);
  await sw.properties.add(SWITCH_SETTING);
  const vm = await fabric.vms.create({
    name: 'V',
    adapters: [{ switch: 'S', requiredFeatures: [PORT_SETTING] }],
  });
  await first(vm).update({ vmMac: '02-00-00-00-00-09' });
  await first(vm).properties.add(PORT_SETTING, { SettingIntB: 2n ** 64n - 1n });
  await vm.start();
  await vm.save();
  return sw.export({ vms: true });
}
