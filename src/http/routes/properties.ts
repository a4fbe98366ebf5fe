import { ExtSwitchError } from '../../core/errors.ts';
import { parseGuid } from '../../core/guid.ts';
import type { FabricInterface, PropertyCollection, UpdateOptions } from '../../policy/api.ts';
import { clientHas, requiredRevision } from '../conditional.ts';
import { type PageQuery, pageByKey } from '../page.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { guidInput, listOf, object, pageQuery, property, settingsInput, text } from '../schemas.ts';

/** A switch, a port of it, or an adapter of a VM. */
type OwnerParams =
  | { readonly switch: string; readonly port?: string }
  | { readonly vm: string; readonly adapter: string };
type PropertyParams = OwnerParams & { readonly property: string };
type SettingsBody = { readonly settings: Readonly<Record<string, unknown>> };
type AddBody = {
  readonly featureId?: string;
  readonly feature?: string;
  readonly settings?: SettingsBody['settings'];
  readonly id?: string;
};
type Context<Params, Body = undefined> = RouteContext<Params, object, Body>;

const addBody = object(
  {
    featureId: { ...guidInput, description: 'UUID of the feature class' },
    feature: text(256, 'Name of the feature class, instead of featureId'),
    settings: settingsInput,
    id: { ...guidInput, description: 'PropertyInstanceId; default: a new one' },
  },
  ['featureId', 'feature', 'settings', 'id'],
);
const conflicts = ['NOT_FOUND', 'VETOED', 'SETTINGS_INVALID', 'STORE_UNAVAILABLE'];
const switchParam = { switch: 'Switch id or unique name' };
const portParams = { ...switchParam, port: 'Port GUID, port id (decimal) or unique name' };
const adapterParams = { vm: 'VM id or unique name', adapter: 'Adapter id or unique name' };

type Noun = 'Port' | 'Switch' | 'Adapter';
const OWNERS: Readonly<Record<Noun, string>> = {
  Port: 'a port',
  Switch: 'a switch',
  Adapter: 'an adapter, whatever state its VM is in',
};

/** Policies of ports, of switches, and of adapters, with which they travel: the same five routes each. */
export const propertyRoutes: readonly Route[] = [
  ...routesOf('/switches/{switch}/ports/{port}', 'Port', portParams),
  ...routesOf('/switches/{switch}', 'Switch', switchParam),
  ...routesOf('/vms/{vm}/adapters/{adapter}', 'Adapter', adapterParams),
];

function routesOf(
  owner: string,
  noun: Noun,
  ownerParams: Readonly<Record<string, string>>,
): readonly Route[] {
  const path = `${owner}/properties`;
  const what = noun.toLowerCase();
  return [
    defineRoute<OwnerParams, object, AddBody>({
      method: 'POST',
      path,
      operationId: `add${noun}Property`,
      tag: 'properties',
      summary: `Add ${aOrAn(what)} property: the extensions decide, then it is stored`,
      pipelined: true,
      schema: {
        params: ownerParams,
        body: addBody,
        response: { 201: property },
        errors: [...conflicts, 'ALREADY_EXISTS', 'SINGLE_INSTANCE'],
      },
      handle: addProperty,
    }),
    defineRoute<OwnerParams, PageQuery>({
      method: 'GET',
      path,
      operationId: `list${noun}Properties`,
      tag: 'properties',
      summary: `Properties of ${OWNERS[noun]}, by id`,
      schema: {
        params: ownerParams,
        query: pageQuery(),
        response: { 200: listOf(property) },
        errors: ['NOT_FOUND'],
      },
      handle: ({ world, params: place, query }) => ({
        status: 200,
        body: pageByKey(propertiesOf(world, place).list(), (p) => p.id, query),
      }),
    }),
    ...itemRoutes(path, noun, { ...ownerParams, property: 'PropertyInstanceId' }),
  ];
}

/** The routes of one property. */
function itemRoutes(
  path: string,
  noun: Noun,
  params: Readonly<Record<string, string>>,
): readonly Route[] {
  const what = noun.toLowerCase();
  return [
    defineRoute<PropertyParams>({
      method: 'GET',
      path: `${path}/{property}`,
      operationId: `get${noun}Property`,
      tag: 'properties',
      summary: `One ${what} property; If-None-Match is honoured`,
      schema: { params, response: { 200: property, 304: null }, errors: ['NOT_FOUND'] },
      handle: getProperty,
    }),
    defineRoute<PropertyParams, object, SettingsBody>({
      method: 'PUT',
      path: `${path}/{property}`,
      operationId: `update${noun}Property`,
      tag: 'properties',
      summary: `Replace the settings of ${aOrAn(what)} property; If-Match is honoured`,
      pipelined: true,
      schema: {
        params,
        body: object({ settings: settingsInput }),
        response: { 200: property },
        errors: [...conflicts, 'STALE_REVISION'],
      },
      handle: updateProperty,
    }),
    defineRoute<PropertyParams>({
      method: 'DELETE',
      path: `${path}/{property}`,
      operationId: `delete${noun}Property`,
      tag: 'properties',
      summary: `Delete ${aOrAn(what)} property; If-Match is honoured`,
      pipelined: true,
      schema: {
        params,
        response: { 204: null },
        errors: ['NOT_FOUND', 'STALE_REVISION', 'STORE_UNAVAILABLE'],
      },
      handle: deleteProperty,
    }),
  ];
}

async function addProperty({ world, base, params, body }: Context<OwnerParams, AddBody>) {
  const feature = body.featureId ?? body.feature;
  if (feature === undefined || (body.featureId !== undefined && body.feature !== undefined)) {
    throw new ExtSwitchError('MALFORMED', 'exactly one of "featureId" and "feature" is needed', {
      member: 'featureId',
    });
  }
  const properties = propertiesOf(world, params);
  const info = await (body.id === undefined
    ? properties.add(feature, body.settings)
    : properties.add(feature, body.settings, { id: parseGuid(body.id, 'id') }));
  return {
    status: 201,
    body: info,
    etag: info.revision,
    location: `${base}${ownerPath(params)}/properties/${info.id}`,
  };
}

function getProperty({ world, params, headers }: Context<PropertyParams>) {
  const info = propertiesOf(world, params).get(params.property);
  if (clientHas(headers['if-none-match'], info.revision)) {
    return { status: 304, etag: info.revision };
  }
  return { status: 200, body: info, etag: info.revision };
}

async function updateProperty({
  world,
  params,
  headers,
  body,
}: Context<PropertyParams, SettingsBody>) {
  const properties = propertiesOf(world, params);
  const { property: id } = params;
  const info = await properties.update(
    id,
    body.settings,
    conditionOf(properties, id, headers['if-match']),
  );
  return { status: 200, body: info, etag: info.revision };
}

async function deleteProperty({ world, params, headers }: Context<PropertyParams>) {
  const properties = propertiesOf(world, params);
  const { property: id } = params;
  await properties.delete(id, conditionOf(properties, id, headers['if-match']));
  return { status: 204 };
}

function conditionOf(
  properties: PropertyCollection,
  id: string,
  ifMatch: string | undefined,
): UpdateOptions {
  const revision = requiredRevision(ifMatch, () => properties.get(id).revision);
  return revision === undefined ? {} : { ifRevision: revision };
}

function propertiesOf(world: FabricInterface, place: OwnerParams): PropertyCollection {
  if ('vm' in place) return world.vms.get(place.vm).adapter(place.adapter).properties;
  const sw = world.switches.get(place.switch);
  return place.port === undefined ? sw.properties : sw.ports.get(place.port).properties;
}

function ownerPath(place: OwnerParams): string {
  if ('vm' in place) {
    return `/vms/${encodeURIComponent(place.vm)}/adapters/${encodeURIComponent(place.adapter)}`;
  }
  const path = `/switches/${encodeURIComponent(place.switch)}`;
  return place.port === undefined ? path : `${path}/ports/${encodeURIComponent(place.port)}`;
}

function aOrAn(noun: string): string {
  return `${noun === 'adapter' ? 'an' : 'a'} ${noun}`;
}
