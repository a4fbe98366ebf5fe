import type { AdapterOptions, VmHandle } from '../../policy/api.ts';
import { type PageQuery, pageOf } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';
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
    async handle({ world, base, body }) {
      const { info } = await world.vms.create(body);
      return { status: 201, body: info, location: `${base}/vms/${info.id}` };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/vms',
    operationId: 'listVms',
    tag: 'vms',
    summary: 'VMs, by name',
    schema: { query: pageQuery(), response: { 200: listOf(vm) } },
    handle: ({ world: { vms }, query }) => ({
      status: 200,
      body: pageOf(
        vms.keys(),
        ({ name, id }) => `${name}/${id}`,
        query,
        ({ id }) => vms.get(id).info,
      ),
    }),
  }),
  defineRoute<VmParams>({
    method: 'GET',
    path: '/vms/{vm}',
    operationId: 'getVm',
    tag: 'vms',
    summary: 'One VM with its adapters and all their names',
    schema: { params, response: { 200: vm }, errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'] },
    handle: (context) => ({ status: 200, body: context.world.vms.get(context.params.vm).info }),
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
    handle: async (context) => ({
      status: 200,
      body: await run(context.world.vms.get(context.params.vm)),
    }),
  });
}
