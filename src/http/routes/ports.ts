import type { PortInfo, PortKey } from '../../policy/api.ts';
import { type PageQuery, pageOf } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, object, pageQuery, port, portTypes, text } from '../schemas.ts';

type SwitchParams = { readonly switch: string };
type PortParams = SwitchParams & { readonly port: string };
type PortBody = { readonly name?: string; readonly type?: PortInfo['type'] };

const switchParam = { switch: 'Switch id or unique name' };
const params = { ...switchParam, port: 'Port GUID, port id (decimal) or unique name' };

/** Port ids are 32 bits: ten digits sort as the numbers do. */
const portKey = ({ portId }: PortKey): string => String(portId).padStart(10, '0');

export const portRoutes: readonly Route[] = [
  defineRoute<SwitchParams, object, PortBody | undefined>({
    method: 'POST',
    path: '/switches/{switch}/ports',
    operationId: 'createPort',
    tag: 'ports',
    summary: 'Create a port',
    schema: {
      params: switchParam,
      body: object({ name: text(256), type: portTypes }, ['name', 'type']),
      bodyOptional: true,
      response: { 201: port },
      errors: ['NOT_FOUND', 'VETOED', 'ILLEGAL_TRANSITION'],
    },
    async handle(context) {
      const sw = context.world.switches.get(context.params.switch);
      const { info } = await sw.ports.create(context.body ?? {});
      const location = `${context.base}/switches/${sw.info.id}/ports/${info.id}`;
      return { status: 201, body: info, location };
    },
  }),
  defineRoute<SwitchParams, PageQuery>({
    method: 'GET',
    path: '/switches/{switch}/ports',
    operationId: 'listPorts',
    tag: 'ports',
    summary: 'Ports of a switch, by port id',
    schema: {
      params: switchParam,
      query: pageQuery(),
      response: { 200: listOf(port) },
      errors: ['NOT_FOUND'],
    },
    handle: ({ world, params: { switch: name }, query }) => {
      const { ports } = world.switches.get(name);
      return {
        status: 200,
        body: pageOf(ports.keys(), portKey, query, ({ id }) => ports.get(id).info),
      };
    },
  }),
  defineRoute<PortParams>({
    method: 'GET',
    path: '/switches/{switch}/ports/{port}',
    operationId: 'getPort',
    tag: 'ports',
    summary: 'One port',
    schema: { params, response: { 200: port }, errors: ['NOT_FOUND', 'AMBIGUOUS_NAME'] },
    handle: (context) => ({
      status: 200,
      body: context.world.switches.get(context.params.switch).ports.get(context.params.port).info,
    }),
  }),
  defineRoute<PortParams, object, { readonly name: string }>({
    method: 'PATCH',
    path: '/switches/{switch}/ports/{port}',
    operationId: 'renamePort',
    tag: 'ports',
    summary: 'Change the friendly name of a port, the only thing that may change (rule B19)',
    schema: {
      params,
      body: object({ name: text(256) }),
      response: { 200: port },
      errors: ['NOT_FOUND', 'AMBIGUOUS_NAME', 'ILLEGAL_TRANSITION'],
    },
    async handle({ world, params: path, body }) {
      const handle = world.switches.get(path.switch).ports.get(path.port);
      return { status: 200, body: await handle.rename(body.name) };
    },
  }),
  defineRoute<PortParams>({
    method: 'DELETE',
    path: '/switches/{switch}/ports/{port}',
    operationId: 'deletePort',
    tag: 'ports',
    summary: 'Tear a port down and delete it, with its NICs and properties',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'] },
    async handle(context) {
      await context.world.switches
        .get(context.params.switch)
        .ports.get(context.params.port)
        .delete();
      return { status: 204 };
    },
  }),
];
