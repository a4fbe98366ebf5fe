import type { FabricOptions, PortHandle, SwitchHandle, TraceEntry } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition, OidRequest } from '../../src/sdk/extension.ts';
import { extensionWith, FABRIKAM_MOF } from '../support/fabrikam.ts';

export const PORT_SETTING = 'Fabrikam_PortCustomSettingData';
export const SWITCH_SETTING = 'Fabrikam_SwitchCustomSettingData';
export const PORT_STATUS = 'Fabrikam_CustomPortData';
export const SWITCH_STATUS = 'Fabrikam_CustomSwitchData';

/** A world on its manual clock with Fabrikam's classes, switch `S` with these extensions enabled, and its port `P`. */
export async function openWorld(
  extensions: readonly ExtensionDefinition[] = [],
  options: FabricOptions = {},
): Promise<{ fabric: Fabric; sw: SwitchHandle; port: PortHandle }> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'policy', extensions, ...options });
  await fabric.features.register(FABRIKAM_MOF);
  const sw = await fabric.switches.create({ name: 'S', extensions });
  const port = await sw.ports.create({ name: 'P' });
  return { fabric, sw, port };
}

/** Pends every OID of this name; `held` has the requests, oldest first. */
export function holder(oidName: string): { held: OidRequest[]; extension: ExtensionDefinition } {
  const held: OidRequest[] = [];
  const extension = extensionWith(() => ({
    oidRequest: (request) => {
      if (request.oidName !== oidName) return 'forward';
      held.push(request);
      return request.pend();
    },
  }));
  return { held, extension };
}

/** Lets everything that needs no clock happen. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function lastEntry(sw: SwitchHandle, oid: string): TraceEntry {
  const entry = sw.trace.entries({ oid }).at(-1);
  if (entry === undefined) throw new Error(`no ${oid} in the trace`);
  return entry;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The wire bytes of a GUID as the ABI sheet says: u32, u16, u16 little-endian, then 8 raw bytes. */
export function guidHex(guid: string): string {
  const [a = '', b = '', c = '', d = '', e = ''] = guid.split('-');
  const swap = (digits: string): string => Buffer.from(digits, 'hex').reverse().toString('hex');
  return swap(a) + swap(b) + swap(c) + d + e;
}

/** A MOF class of Fabrikam's for a test: members as MOF text. */
export function mofClass(
  facts: {
    readonly name?: string;
    readonly uuid?: string;
    readonly base?: string;
    readonly version?: string;
    readonly extensionId?: string;
  },
  members = '[WmiDataId(1)] uint32 A = 5;',
): string {
  const base = facts.base ?? 'Msvm_EthernetSwitchPortFeatureSettingData';
  return `
[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("${facts.uuid ?? '0a0a0a0a-0000-4000-8000-000000000001'}"),
 ExtensionId("${facts.extensionId ?? '5cbf81be-5055-47cd-9055-a76b2b4e369e'}"), DisplayName("T"),
 InterfaceVersion("${facts.version ?? '1'}"), InterfaceRevision("0")]
class ${facts.name ?? 'Fabrikam_Test'} : ${base} {
  ${members}
};`;
}
