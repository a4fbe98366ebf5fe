import { ExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface, NicInfo, NicUpdate, PortHandle } from '../../policy/api.ts';
import { type PageQuery, pageInOrder } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, macInput, mtuInput, nic, object, pageQuery, text } from '../schemas.ts';
import { nicChangeInput } from '../vm-schemas.ts';

type PortParams = { readonly switch: string; readonly port: string };
type NicParams = PortParams & { readonly index: string };
type NicBody = {
  readonly name?: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly index?: number;
};

const portParams = {
  switch: 'Switch id or unique name',
  port: 'Port GUID, port id (decimal) or unique name',
};
const params = { ...portParams, index: 'NIC index, 0 to 65535' };

export const nicRoutes: readonly Route[] = [
  defineRoute<PortParams, object, NicBody | undefined>({
    method: 'POST',
    path: '/switches/{switch}/ports/{port}/nics',
    operationId: 'connectNic',
    tag: 'nics',
    summary: 'Create and connect a NIC',
    schema: {
      params: portParams,
      body: object(
        {
          name: text(256),
          mac: { ...macInput, description: 'Default from the pool 00-15-5d' },
          mtu: mtuInput,
          index: { type: 'integer', minimum: 0, maximum: 65_535, description: 'Default 0' },
        },
        ['name', 'mac', 'mtu', 'index'],
      ),
      bodyOptional: true,
      response: { 201: nic },
      errors: ['NOT_FOUND', 'VETOED', 'ILLEGAL_TRANSITION'],
    },
    async handle(context) {
      const handle = portOf(context.world, context.params);
      const info = await handle.nics.connect(context.body ?? {});
      const path = `/switches/${encodeURIComponent(context.params.switch)}/ports/${handle.info.id}`;
      return { status: 201, body: info, location: `${context.base}${path}/nics/${info.index}` };
    },
  }),
  defineRoute<PortParams, PageQuery>({
    method: 'GET',
    path: '/switches/{switch}/ports/{port}/nics',
    operationId: 'listNics',
    tag: 'nics',
    summary: 'NICs of a port, by index',
    schema: {
      params: portParams,
      query: pageQuery(),
      response: { 200: listOf(nic) },
      errors: ['NOT_FOUND'],
    },
    handle(context) {
      const nics = [...portOf(context.world, context.params).nics.list()];
      nics.sort((a, b) => a.index - b.index);
      return { status: 200, body: pageInOrder(nics, (n) => String(n.index), context.query) };
    },
  }),
  defineRoute<NicParams>({
    method: 'GET',
    path: '/switches/{switch}/ports/{port}/nics/{index}',
    operationId: 'getNic',
    tag: 'nics',
    summary: 'One NIC',
    schema: { params, response: { 200: nic }, errors: ['NOT_FOUND'] },
    handle: (context) => ({
      status: 200,
      body: nicOf(portOf(context.world, context.params), context.params.index),
    }),
  }),
  defineRoute<NicParams, object, NicUpdate>({
    method: 'PATCH',
    path: '/switches/{switch}/ports/{port}/nics/{index}',
    operationId: 'updateNic',
    tag: 'nics',
    summary: 'Change what NIC_UPDATED may change of a connected NIC (rules C28, C29)',
    schema: {
      params,
      body: nicChangeInput,
      response: { 200: nic },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'],
    },
    async handle(context) {
      const handle = portOf(context.world, context.params);
      const found = nicOf(handle, context.params.index);
      if (Object.keys(context.body).length === 0) return { status: 200, body: found };
      return { status: 200, body: await handle.nics.update(found.index, context.body) };
    },
  }),
  defineRoute<NicParams>({
    method: 'DELETE',
    path: '/switches/{switch}/ports/{port}/nics/{index}',
    operationId: 'disconnectNic',
    tag: 'nics',
    summary: 'Disconnect and delete a NIC',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'] },
    async handle(context) {
      const handle = portOf(context.world, context.params);
      await handle.nics.disconnect(nicOf(handle, context.params.index).index);
      return { status: 204 };
    },
  }),
];

function portOf(world: FabricInterface, path: PortParams): PortHandle {
  return world.switches.get(path.switch).ports.get(path.port);
}

function nicOf(handle: PortHandle, index: string): NicInfo {
  const found = handle.nics.list().find((info) => String(info.index) === index);
  if (found !== undefined) return found;
  throw new ExtSwitchError(
    'NOT_FOUND',
    `port ${handle.info.portId} has no NIC with index ${JSON.stringify(index)}`,
  );
}
