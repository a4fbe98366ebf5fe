import { type PageQuery, pageByKey, pageInOrder } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { extension, listOf, object, pageQuery, switchExtension } from '../schemas.ts';

type SwitchExtensionParams = { readonly switch: string; readonly extension: string };
type Change = {
  readonly enabled?: boolean;
  readonly order?: number;
  readonly required?: boolean;
};

const params = { switch: 'Switch id or unique name', extension: 'Extension id or name' };

export const extensionRoutes: readonly Route[] = [
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/extensions',
    operationId: 'listExtensions',
    tag: 'extensions',
    summary: 'Installed extensions, by name',
    description: 'Extensions are installed from files when the server starts, never over HTTP.',
    schema: { query: pageQuery(), response: { 200: listOf(extension) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageByKey(world.extensions.list(), (e) => `${e.name}/${e.id}`, query),
    }),
  }),
  defineRoute<{ extension: string }>({
    method: 'GET',
    path: '/extensions/{extension}',
    operationId: 'getExtension',
    tag: 'extensions',
    summary: 'One installed extension',
    schema: {
      params: { extension: params.extension },
      response: { 200: extension },
      errors: ['NOT_FOUND'],
    },
    handle: (context) => ({
      status: 200,
      body: context.world.extensions.get(context.params.extension),
    }),
  }),
  defineRoute<{ switch: string }, PageQuery>({
    method: 'GET',
    path: '/switches/{switch}/extensions',
    operationId: 'listSwitchExtensions',
    tag: 'extensions',
    summary: 'The extensions of a switch, top to bottom',
    schema: {
      params: { switch: params.switch },
      query: pageQuery(),
      response: { 200: listOf(switchExtension) },
      errors: ['NOT_FOUND'],
    },
    handle: ({ world, params: { switch: id }, query }) => ({
      status: 200,
      body: pageInOrder(world.switches.get(id).extensions.list(), (e) => e.id, query),
    }),
  }),
  defineRoute<SwitchExtensionParams>({
    method: 'GET',
    path: '/switches/{switch}/extensions/{extension}',
    operationId: 'getSwitchExtension',
    tag: 'extensions',
    summary: 'One extension of a switch',
    schema: { params, response: { 200: switchExtension }, errors: ['NOT_FOUND'] },
    handle: (context) => ({
      status: 200,
      body: context.world.switches
        .get(context.params.switch)
        .extensions.get(context.params.extension),
    }),
  }),
  defineRoute<SwitchExtensionParams, object, Change>({
    method: 'PATCH',
    path: '/switches/{switch}/extensions/{extension}',
    operationId: 'changeSwitchExtension',
    tag: 'extensions',
    summary: 'Enable, disable, move or require an extension of a switch',
    schema: {
      params,
      body: object(
        {
          enabled: { type: 'boolean' },
          order: {
            type: 'integer',
            minimum: 0,
            maximum: 1_000,
            description: 'Place inside its class, 0 nearest the protocol edge',
          },
          required: {
            type: 'boolean',
            description: 'The switch does not run without it (rule A50)',
          },
        },
        ['enabled', 'order', 'required'],
      ),
      response: { 200: switchExtension },
      errors: ['NOT_FOUND', 'SECOND_FORWARDING_EXTENSION', 'EXTENSION_FAILED'],
    },
    async handle({ world, params: { switch: id, extension: extensionId }, body }) {
      const extensions = world.switches.get(id).extensions;
      return { status: 200, body: await extensions.change(extensionId, body) };
    },
  }),
];
