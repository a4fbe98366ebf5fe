import type {
  AdapterHandle,
  FabricInterface,
  FabricOptions,
  SwitchHandle,
  VmHandle,
} from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { extensionWith, FABRIKAM_MOF } from '../support/fabrikam.ts';

/** A memory store that outlives the fabric that closes it. */
export class KeptStore extends MemoryStore {
  override async close(): Promise<void> {
    return undefined;
  }
}

/** A world on its manual clock with Fabrikam's classes and switch `S` (and others) with these extensions. */
export async function openVmWorld(
  extensions: readonly ExtensionDefinition[] = [extensionWith(() => ({}))],
  options: FabricOptions = {},
  switches: readonly string[] = ['S'],
): Promise<{ fabric: Fabric; sw: SwitchHandle; oids: () => string[] }> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'vms', extensions, ...options });
  await fabric.features.register(FABRIKAM_MOF);
  for (const name of switches) await fabric.switches.create({ name, extensions, type: 'external' });
  const oids = tracer(fabric);
  oids();
  return { fabric, sw: fabric.switches.get('S'), oids };
}

const VALIDATION = new Set(['PORT_CREATE', 'PORT_TEARDOWN', 'PORT_DELETE']);

/**
 * OIDs since the last call, without their prefix: `?` behind those of a validation port, `!` behind those that failed, the
 * switch before those that are not of `S`. What extensions ask by themselves is left out.
 */
export function tracer(fabric: FabricInterface): () => string[] {
  let seen = 0;
  return () => {
    const entries = fabric.trace.entries({ afterSeq: seen });
    seen = fabric.events.lastSeq;
    return entries
      .filter(({ origin, requestType }) => origin === 'protocolEdge' && requestType !== 'query')
      .map((entry) => {
        const name = entry.oid.replace('OID_SWITCH_', '');
        const isValidation =
          VALIDATION.has(name) && fabric.trace.decode(entry)['IsValidationPort'] === true;
        const where = entry.switch === 'S' ? '' : `${entry.switch}:`;
        const failed = entry.status === 'NDIS_STATUS_SUCCESS' ? '' : '!';
        return `${where}${name}${isValidation ? '?' : ''}${failed}`;
      });
  };
}

/** OIDs of one adapter without policies, as rules.md has them. */
export const VALIDATED = ['PORT_CREATE?', 'PORT_TEARDOWN?', 'PORT_DELETE?'];
export const STARTED = ['PORT_CREATE', 'NIC_CREATE', 'NIC_CONNECT'];
export const STOPPED = ['NIC_DISCONNECT', 'NIC_DELETE', 'PORT_TEARDOWN', 'PORT_DELETE'];

export function first(vm: VmHandle): AdapterHandle {
  const [adapter] = vm.adapters;
  if (adapter === undefined) throw new Error('the VM has no adapter');
  return adapter;
}

/** Everything a store holds, as text that can be compared. */
export function contents(store: Store): string[] {
  return Array.from(store.range(''), ([key, value]) => `${key} ${text(value)}`);
}

/** What is to be seen of a world: VMs with adapters and policies, switches with ports. */
export function visible(fabric: FabricInterface): string {
  const vms = Array.from(fabric.vms.list(), (info) => ({
    info,
    properties: fabric.vms.get(info.id).adapters.map((one) => [...one.properties.list()]),
  }));
  // In an order of their own: a port that was made again is the newest of its switch.
  const switches = Array.from(fabric.switches.list(), ({ id }) => {
    const { ports } = fabric.switches.get(id);
    return [...ports.list()]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((port) => [port, [...ports.get(port.id).properties.list()]]);
  });
  return text({ vms, switches });
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('hex');
    return inner;
  });
}

/** The code and rule of an error, `done` when there is none. */
export async function ending(change: () => Promise<unknown>): Promise<string> {
  try {
    await change();
    return 'done';
  } catch (error) {
    const { code, place } = error as { code?: string; place?: { rule?: string } };
    if (code === undefined) throw error;
    return place?.rule === undefined ? code : `${code} ${place.rule}`;
  }
}
