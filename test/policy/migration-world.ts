import { NdisStatus } from '../../src/core/status.ts';
import type { FabricOptions, VmHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { HostDirectory } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
} from '../../src/sdk/extension.ts';
import { FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { first, tracer } from './vm-world.ts';

export const PORT_SETTING = 'Fabrikam_PortCustomSettingData';
export const FORWARDER = 'f0000000-0000-4000-8000-0000000000f0';

/** What the extensions of one host hold for NICs: bytes per port, given when they are asked and taken when they are theirs. */
export interface Keeper {
  readonly held: Map<number, Uint8Array[]>;
  /** Decides about the request that comes; `undefined` lets it through. */
  decide: (oid: string) => ReturnType<NonNullable<ExtensionHandlers['oidRequest']>> | undefined;
  /** The filter does not come up again. */
  failsRestart?: boolean;
}

function keeping(keeper: Keeper, id: string, type: ExtensionType): ExtensionDefinition {
  return defineExtension({
    id,
    name: `Fabrikam ${type}`,
    vendor: 'Fabrikam',
    version: '1.0',
    type,
    attach: () => {
      const next = new Map<number, number>();
      if (type !== 'filter') return {};
      return {
        restart: () => {
          if (keeper.failsRestart === true) throw new Error('it does not come up');
        },
        oidRequest: (request) =>
          keeper.decide(request.oidName.replace('OID_SWITCH_', '')) ?? 'forward',
        saveNic: (state) => {
          const blobs = keeper.held.get(state.portId) ?? [];
          const at = next.get(state.portId) ?? 0;
          const blob = blobs[at];
          if (blob === undefined) return 'forward';
          // Rule G17: too little room, and it is asked again for the same record.
          const verdict = state.save(blob);
          if (verdict === NdisStatus.SUCCESS) next.set(state.portId, at + 1);
          return verdict;
        },
        saveNicComplete: (state) => {
          next.delete(state.portId);
          return 'forward';
        },
        restoreNic: (state) => {
          if (!state.isMine) return 'forward';
          keeper.held.set(state.portId, [
            ...(keeper.held.get(state.portId) ?? []),
            state.data.slice(),
          ]);
          return NdisStatus.SUCCESS;
        },
        deleteNic: (nic) => {
          keeper.held.delete(nic.portId);
          return 'forward';
        },
      };
    },
  });
}

export interface Host {
  readonly fabric: Fabric;
  readonly keeper: Keeper;
  readonly extensions: readonly ExtensionDefinition[];
  readonly oids: () => string[];
}

/** A world that others find under `name`, with switch `S`, Fabrikam's filter and a forwarding extension. */
export async function openHost(
  hosts: HostDirectory,
  name: string,
  options: FabricOptions = {},
  keeper: Keeper = { held: new Map(), decide: () => undefined },
): Promise<Host> {
  const extensions = options.extensions ?? [
    keeping(keeper, FABRIKAM, 'filter'),
    keeping(keeper, FORWARDER, 'forward'),
  ];
  const fabric = await Fabric.open({
    clock: 'manual',
    seed: name,
    name,
    hosts,
    extensions,
    ...options,
  });
  if ([...fabric.switches.list()].length === 0) {
    await fabric.features.register(FABRIKAM_MOF);
    await fabric.switches.create({ name: 'S', type: 'external', extensions });
  }
  const oids = tracer(fabric);
  oids();
  return { fabric, keeper, extensions, oids };
}

export async function openPair(
  options: FabricOptions = {},
  ofB: FabricOptions = options,
): Promise<{ hosts: LocalHosts; a: Host; b: Host }> {
  const hosts = new LocalHosts();
  return { hosts, a: await openHost(hosts, 'a', options), b: await openHost(hosts, 'b', ofB) };
}

/** VM `vm` with two policies, on `S`; running, with two records in its extension. */
export async function runningVm({ fabric, keeper, oids }: Host, name = 'vm'): Promise<VmHandle> {
  const vm = await fabric.vms.create({ name, adapters: [{ switch: 'S' }] });
  const { properties } = first(vm);
  await properties.add(PORT_SETTING, { SettingIntA: 100, SettingIntB: 9_999n });
  await properties.add('Msvm_EthernetSwitchPortVlanSettingData', { AccessVlanId: 5 });
  await vm.start();
  keeper.held.set(first(vm).port.info.portId, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
  oids();
  return vm;
}
