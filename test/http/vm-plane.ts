import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { MOF, type TestPlane, testExtension } from './plane.ts';

export const KEEPER = '5cbf81be-5055-47cd-9055-a76b2b4e3610';
export const GATEKEEPER = '5cbf81be-5055-47cd-9055-a76b2b4e3611';

/** Saves one record of three bytes for each NIC, and takes it back. */
const keeper: ExtensionDefinition = {
  id: KEEPER,
  name: 'Keeper',
  vendor: 'Test',
  version: '1.0',
  type: 'capture',
  attach() {
    const done = new Set<number>();
    return {
      saveNic(state) {
        if (done.has(state.portId)) return 'forward';
        done.add(state.portId);
        return state.save(new Uint8Array([1, 2, 3]));
      },
      restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
    };
  },
};

/** Refuses every NIC whose friendly name holds "refuse". */
const gatekeeper: ExtensionDefinition = {
  id: GATEKEEPER,
  name: 'Gatekeeper',
  vendor: 'Test',
  version: '1.0',
  type: 'filter',
  attach: () => ({
    createNic: (nic) =>
      nic.friendlyName.includes('refuse') ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
  }),
};

export const extensions = [testExtension().definition, keeper, gatekeeper];

/** Registers the classes, makes private switches `s` and `s2` with all extensions running, and VM `vm` with adapter `a` on `s`. */
export async function withVm({ call }: TestPlane): Promise<void> {
  await call('POST', '/v1/features', { mof: MOF });
  for (const name of ['s', 's2']) {
    await call('POST', '/v1/switches', { name });
    for (const { id } of extensions) {
      await call('PATCH', `/v1/switches/${name}/extensions/${id}`, { enabled: true });
    }
  }
  await call('POST', '/v1/vms', { name: 'vm', adapters: [{ name: 'a', switch: 's' }] });
}

/** All that a client can see of the objects of a world, for comparing before and after. */
export async function picture({ call }: TestPlane): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  const get = async (path: string): Promise<unknown[]> => {
    const { body } = await call('GET', path);
    seen[path] = body;
    return body.items ?? [];
  };
  for (const { id } of (await get('/v1/switches')) as { id: string }[]) {
    const path = `/v1/switches/${id}`;
    for (const list of ['extensions', 'properties', 'host/uplink']) await get(`${path}/${list}`);
    for (const port of (await get(`${path}/ports`)) as { id: string }[]) {
      await get(`${path}/ports/${port.id}/properties`);
    }
  }
  const vms = (await get('/v1/vms')) as { id: string; adapters: { id: string }[] }[];
  for (const { id, adapters } of vms) {
    for (const adapter of adapters) await get(`/v1/vms/${id}/adapters/${adapter.id}/properties`);
  }
  return seen;
}
