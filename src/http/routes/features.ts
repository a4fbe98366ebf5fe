import { ExtSwitchError } from '../../core/errors.ts';
import type { RegisterOptions } from '../../policy/api.ts';
import { BODY_LIMITS } from '../body-limits.ts';
import { type PageQuery, pageByKey } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { feature, listOf, object, pageQuery, registration, text } from '../schemas.ts';

type MofBody = {
  readonly mof: string;
  readonly uint16?: 'native' | 'doc32';
  readonly source?: string;
};
type MofQuery = Omit<MofBody, 'mof'>;
type KindQuery = { readonly kind?: 'setting' | 'status' };

const uint16 = { enum: ['native', 'doc32'], description: 'Size of a uint16 (management.md 2.4)' };
const source = text(256, 'File name for diagnostics; nothing is read from it');
const kind = {
  type: 'object',
  additionalProperties: false,
  properties: { kind: { enum: ['setting', 'status'] } },
};

export const featureRoutes: readonly Route[] = [
  defineRoute<object, MofQuery, MofBody | Uint8Array | undefined>({
    method: 'POST',
    path: '/features',
    operationId: 'registerFeatures',
    tag: 'features',
    summary: 'Register the feature classes of a MOF file',
    description:
      'MOF as text/plain (UTF-8 or UTF-16 with BOM) or inside JSON. Identical again: 200.',
    takesText: true,
    bodyLimit: BODY_LIMITS.largeBytes,
    schema: {
      query: { type: 'object', additionalProperties: false, properties: { uint16, source } },
      body: object({ mof: { type: 'string' }, uint16, source }, ['uint16', 'source']),
      response: { 201: registration, 200: registration },
      errors: ['MOF_INVALID', 'FEATURE_IN_USE', 'ALREADY_EXISTS', 'TOO_LARGE'],
    },
    async handle({ world, base, query, body }) {
      if (body === undefined) throw new ExtSwitchError('MALFORMED', 'POST /features needs a body');
      const options = body instanceof Uint8Array ? query : body;
      const mof = body instanceof Uint8Array ? body : body.mof;
      const result = await world.features.register(mof, registerOptions(options));
      const only = result.features.length === 1 ? result.features[0] : undefined;
      return {
        status: result.changed ? 201 : 200,
        body: { features: result.features, warnings: result.warnings },
        ...(result.changed && only !== undefined
          ? { location: `${base}/features/${only.id}` }
          : {}),
      };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/features',
    operationId: 'listFeatures',
    tag: 'features',
    summary: 'Registered feature classes, by name',
    schema: { query: pageQuery(), response: { 200: listOf(feature) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageByKey(world.features.list(), (f) => `${f.name}/${f.kind}/${f.id}`, query),
    }),
  }),
  defineRoute<{ feature: string }, KindQuery>({
    method: 'GET',
    path: '/features/{feature}',
    operationId: 'getFeature',
    tag: 'features',
    summary: 'One feature class, by id or class name',
    schema: {
      params: { feature: 'GUID or class name' },
      query: kind,
      response: { 200: feature },
      errors: ['NOT_FOUND'],
    },
    handle: ({ world, params, query }) => ({
      status: 200,
      body: world.features.get(params.feature, query.kind),
    }),
  }),
  defineRoute<{ feature: string }, KindQuery>({
    method: 'DELETE',
    path: '/features/{feature}',
    operationId: 'deleteFeature',
    tag: 'features',
    summary: 'Forget a feature class that nothing uses',
    schema: {
      params: { feature: 'GUID or class name' },
      query: kind,
      response: { 204: null },
      errors: ['NOT_FOUND', 'FEATURE_IN_USE'],
    },
    async handle({ world, params, query }) {
      await world.features.delete(params.feature, query.kind);
      return { status: 204 };
    },
  }),
];

function registerOptions(options: MofQuery): RegisterOptions {
  return {
    ...(options.uint16 === undefined ? {} : { uint16: options.uint16 }),
    ...(options.source === undefined ? {} : { source: options.source }),
  };
}
