import type { AdapterOptions, VmHandle } from '../../policy/api.ts';
import { assertThisHost, type HostPageQuery, shown } from '../here.ts';
import { pageOf } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { hostPageQuery, listOfHosts } from '../schemas.ts';
import { restoredVm, vm, vmInput } from '../vm-schemas.ts';

type VmParams = { readonly vm: string };
type VmBody = { readonly name: string; readonly adapters?: readonly AdapterOptions[] };

const params = { vm: 'VM id or unique name' };

/** Verbs of a VM that answer the VM; the error a handler throws names state and rule. */
const ACTIONS: readonly (readonly [
  verb: 'start' | 'stop' | 'pause' | 'resume' | 'save',
  summary: string,
  description: string,
])[] = [
  [
    'start',
    'Start a VM: ports, policies and NICs come',
    'Each adapter that is configured for a switch: PORT_CREATE, PROPERTY_ADD, NIC_CREATE, NIC_CONNECT (S2). A veto undoes all of it.',
  ],
  [
    'stop',
    'Turn a VM off: NICs and ports go',
    'NIC_DISCONNECT, NIC_DELETE, PORT_TEARDOWN, PORT_DELETE for each adapter (S3). From `saved`: the saved data is discarded.',
  ],
  ['pause', 'Pause a VM in memory', 'NICs stay connected (OP-16).'],
  ['resume', 'Let a paused VM go on', 'From `paused` to `running`.'],
  [
    'save',
    'Save a VM with the run-time data of the extensions',
    'NIC_SAVE until nobody has more, NIC_SAVE_COMPLETE, then the connections go (S9).',
  ],
];

/** Order of the list. */
function keyOf({ name, id }: { readonly name?: unknown; readonly id?: unknown }): string {
  return `${name}/${id}`;
}

export const vmRoutes: readonly Route[] = [
  defineRoute<object, object, VmBody>({
    method: 'POST',
    path: '/vms',
    operationId: 'createVm',
    tag: 'vms',
    summary: 'Create a VM with its network adapters; it is off',
    schema: {
      body: vmInput,
      response: { 201: vm },
      errors: ['ALREADY_EXISTS', 'NOT_FOUND', 'INVALID_ARGUMENT', 'STORE_UNAVAILABLE'],
    },
    async handle({ world, base, here, body }) {
      const { info } = await world.vms.create(body);
      return { status: 201, body: shown(info, here), location: `${base}/vms/${info.id}` };
    },
  }),
  defineRoute<object, HostPageQuery>({
    method: 'GET',
    path: '/vms',
    operationId: 'listVms',
    tag: 'vms',
    summary: 'VMs, by name; in a cluster those of all hosts',
    gatheredBy: keyOf,
    schema: { query: hostPageQuery, response: { 200: listOfHosts(vm) } },
    handle({ world: { vms }, here, query }) {
      assertThisHost(query, here);
      return {
        status: 200,
        body: pageOf(vms.keys(), keyOf, query, ({ id }) => shown(vms.get(id).info, here)),
      };
    },
  }),
  defineRoute<VmParams>({
    method: 'GET',
    path: '/vms/{vm}',
    operationId: 'getVm',
    tag: 'vms',
    summary: 'One VM with its adapters and all their names',
    schema: { params, response: { 200: vm }, errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'] },
    handle: ({ world, here, params: { vm: id } }) => ({
      status: 200,
      body: shown(world.vms.get(id).info, here),
    }),
  }),
  defineRoute<VmParams>({
    method: 'DELETE',
    path: '/vms/{vm}',
    operationId: 'deleteVm',
    tag: 'vms',
    summary: 'Delete a VM that is off or saved, with its adapters and their policies',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'] },
    async handle(context) {
      await context.world.vms.get(context.params.vm).delete();
      return { status: 204 };
    },
  }),
  ...ACTIONS.map(([verb, summary, description]) =>
    actionRoute(verb, summary, description, (handle) => handle[verb]()),
  ),
  actionRoute(
    'restore',
    'Restore a saved VM: as a start, then the extensions get their data back',
    'NIC_RESTORE for each record, NIC_RESTORE_COMPLETE, then NIC_CONNECT (S10). `restore` tells what was found.',
    async (handle) => {
      const restore = await handle.restore();
      return { ...handle.info, restore };
    },
  ),
];

function actionRoute(
  verb: string,
  summary: string,
  description: string,
  run: (handle: VmHandle) => Promise<object>,
): Route {
  return defineRoute<VmParams>({
    method: 'POST',
    path: `/vms/{vm}/${verb}`,
    operationId: `${verb}Vm`,
    tag: 'vms',
    summary,
    description,
    schema: {
      params,
      response: { 200: verb === 'restore' ? restoredVm : vm },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'VETOED', 'EXTENSION_FAILED'],
    },
    handle: async ({ world, here, params: { vm: id } }) => ({
      status: 200,
      body: shown(await run(world.vms.get(id)), here),
    }),
  });
}
