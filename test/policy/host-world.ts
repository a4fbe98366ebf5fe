import { structure } from '../../src/abi/index.ts';
import type { FabricOptions, SwitchHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition, ExtensionHandlers } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith } from '../support/fabrikam.ts';

const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');
const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');

export type NicView = ReturnType<typeof NIC.view>;
export type PortView = ReturnType<typeof PORT.view>;

/** A memory store that outlives the fabric that closes it. */
export class KeptStore extends MemoryStore {
  override async close(): Promise<void> {
    return undefined;
  }
  keys(prefix = ''): string[] {
    return [...this.range(prefix)].map(([key]) => key);
  }
}

/** The port and NIC OIDs of a switch so far: `NIC_CREATE 1` for index 1, `PORT_CREATE`; those refused end with `!`. */
export function told(sw: Pick<SwitchHandle, 'trace'>): string[] {
  const lines: string[] = [];
  for (const { oid, input, status } of sw.trace.entries()) {
    const name = oid.replace('OID_SWITCH_', '');
    const mark = status === 'NDIS_STATUS_SUCCESS' ? '' : '!';
    if (/^NIC_(CREATE|CONNECT|UPDATED|DISCONNECT|DELETE)$/.test(name)) {
      lines.push(`${name} ${NIC.view(input).NicIndex}${mark}`);
    } else if (/^PORT_(CREATE|UPDATED|TEARDOWN|DELETE)$/.test(name)) lines.push(name + mark);
    else if (/PROPERTY_(ADD|UPDATE|DELETE)$/.test(name)) lines.push(name + mark);
  }
  return lines;
}

/** What the OIDs of this name carried, oldest first. */
export function nicViews(sw: Pick<SwitchHandle, 'trace'>, oid: string): NicView[] {
  return sw.trace.entries({ oid: `OID_SWITCH_${oid}` }).map(({ input }) => NIC.view(input));
}
export function portViews(sw: Pick<SwitchHandle, 'trace'>, oid: string): PortView[] {
  return sw.trace.entries({ oid: `OID_SWITCH_${oid}` }).map(({ input }) => PORT.view(input));
}

export const one = { adapters: [{ name: 'Ethernet', mac: '02-aa-00-00-00-01' }] } as const;
export const team = {
  team: 'switch',
  adapters: [
    { name: 'Slot 1', mac: '02-aa-00-00-00-01', virtualFunctions: 4, queues: 8 },
    { name: 'Slot 2', mac: '02-aa-00-00-00-02' },
    { name: 'Slot 3', mac: '02-aa-00-00-00-03' },
  ],
} as const;

/** A world on its manual clock with this one extension. */
export async function hostWorld(
  handlers: ExtensionHandlers | undefined = undefined,
  options: FabricOptions = {},
): Promise<{ fabric: Fabric; extensions: ExtensionDefinition[] }> {
  const extensions = handlers === undefined ? [] : [extensionWith(() => handlers)];
  const fabric = await Fabric.open({ clock: 'manual', seed: 'host', extensions, ...options });
  return { fabric, extensions };
}
