import type {
  AdapterHandle,
  AdapterInfo,
  AdapterOptions,
  AdapterUpdate,
  FabricInterface,
} from '../../policy/api.ts';
import { type PageQuery, pageInOrder } from '../page.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';
import { adapter, adapterChangeInput, adapterInput } from '../vm-schemas.ts';

type VmParams = { readonly vm: string };
type AdapterParams = VmParams & { readonly adapter: string };
type ChangeBody = AdapterUpdate & { readonly switch?: string | null };

const vmParam = { vm: 'VM id or unique name' };
const params = { ...vmParam, adapter: 'Adapter id or unique name' };
const changes = ['NOT_FOUND', 'VETOED', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'];

export const vmAdapterRoutes: readonly Route[] = [
  defineRoute<VmParams, object, AdapterOptions | undefined>({
    method: 'POST',
    path: '/vms/{vm}/adapters',
    operationId: 'addAdapter',
    tag: 'adapters',
    summary: 'Add a network adapter to a VM; hot add while it runs',
    schema: {
      params: vmParam,
      body: adapterInput,
      bodyOptional: true,
      response: { 201: adapter },
      errors: [...changes, 'ALREADY_EXISTS'],
    },
    async handle({ world, base, params: { vm }, body }) {
      const handle = world.vms.get(vm);
      const { info } = await handle.addAdapter(body ?? {});
      const location = `${base}/vms/${handle.info.id}/adapters/${info.id}`;
      return { status: 201, body: info, location };
    },
  }),
  defineRoute<VmParams, PageQuery>({
    method: 'GET',
    path: '/vms/{vm}/adapters',
    operationId: 'listAdapters',
    tag: 'adapters',
    summary: 'Network adapters of a VM, in the order they were added',
    schema: {
      params: vmParam,
      query: pageQuery(),
      response: { 200: listOf(adapter) },
      errors: ['NOT_FOUND'],
    },
    handle: ({ world, params: { vm }, query }) => ({
      status: 200,
      body: pageInOrder(world.vms.get(vm).info.adapters, (one) => one.id, query),
    }),
  }),
  defineRoute<AdapterParams>({
    method: 'GET',
    path: '/vms/{vm}/adapters/{adapter}',
    operationId: 'getAdapter',
    tag: 'adapters',
    summary: 'One network adapter with all its names',
    schema: { params, response: { 200: adapter }, errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'] },
    handle: (context) => ({ status: 200, body: adapterOf(context).info }),
  }),
  defineRoute<AdapterParams, object, ChangeBody>({
    method: 'PATCH',
    path: '/vms/{vm}/adapters/{adapter}',
    operationId: 'changeAdapter',
    tag: 'adapters',
    summary:
      'Change name, addresses, MTU or required features, connect to a switch, move, or disconnect',
    description:
      'While it is connected, a change is NIC_UPDATED (rules C28, C29); another switch is a disconnect there and a connect ' +
      'here with its policies (S4). All of it is done, or nothing.',
    schema: { params, body: adapterChangeInput, response: { 200: adapter }, errors: changes },
    handle: async (context) => ({ status: 200, body: await changeAdapter(context) }),
  }),
  defineRoute<AdapterParams>({
    method: 'DELETE',
    path: '/vms/{vm}/adapters/{adapter}',
    operationId: 'removeAdapter',
    tag: 'adapters',
    summary: 'Remove a network adapter with its policies; hot remove while the VM runs',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'] },
    async handle(context) {
      const { vm, adapter: id } = context.params;
      await context.world.vms.get(vm).removeAdapter(id);
      return { status: 204 };
    },
  }),
  defineRoute<AdapterParams>({
    method: 'POST',
    path: '/vms/{vm}/adapters/{adapter}/vf',
    operationId: 'assignVf',
    tag: 'adapters',
    summary: 'SR-IOV: give the adapter a virtual function of the uplink',
    description: 'Encapsulated requests to the physical adapter, then NIC_UPDATED (S2 step 7).',
    schema: { params, response: { 200: adapter }, errors: changes },
    handle: async (context) => ({ status: 200, body: await adapterOf(context).assignVf() }),
  }),
  defineRoute<AdapterParams>({
    method: 'DELETE',
    path: '/vms/{vm}/adapters/{adapter}/vf',
    operationId: 'removeVf',
    tag: 'adapters',
    summary: 'SR-IOV: take the virtual function back',
    schema: { params, response: { 204: null }, errors: changes },
    async handle(context) {
      await adapterOf(context).removeVf();
      return { status: 204 };
    },
  }),
];

function adapterOf({
  world,
  params: { vm, adapter: id },
}: {
  readonly world: FabricInterface;
  readonly params: AdapterParams;
}): AdapterHandle {
  return world.vms.get(vm).adapter(id);
}

async function changeAdapter(
  context: RouteContext<AdapterParams, object, ChangeBody>,
): Promise<AdapterInfo> {
  const { switch: target, ...change } = context.body;
  const changesNic = Object.keys(change).length > 0;
  const apply = async (world: FabricInterface): Promise<AdapterInfo> => {
    const handle = adapterOf({ world, params: context.params });
    if (changesNic) await handle.update(change);
    if (target === null) await handle.disconnect();
    else if (target !== undefined) await handle.connect(target);
    return handle.info;
  };
  const { world, entry } = context;
  // Two calls of the library are one change for the client; inside an atomic batch they already are.
  if (changesNic && target !== undefined && world === entry.fabric) return world.atomic(apply);
  return apply(world);
}
