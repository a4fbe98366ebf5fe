import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { object, property, settingsInput } from '../src/http/schemas.ts';

type Params = { readonly switch: string; readonly port: string };
type Body = { readonly feature: string; readonly settings: Record<string, unknown> };

const text = { type: 'string', minLength: 1, maxLength: 256 };
const params = object({ switch: text, port: text });
const body = object({ feature: text, settings: settingsInput });

/**
 * The baseline: fastify with its own parser, validator and serializer, the same schemas and the same bodies, keeping the
 * property in a map (and, with `store`, durably). No extension is asked, no bytes are made, no header is checked.
 */
export function bareServer(
  store?: (id: string, value: unknown) => Promise<unknown>,
): FastifyInstance {
  const app = Fastify({ logger: false });
  const kept = new Map<string, unknown>();
  app.post<{ Params: Params; Body: Body }>(
    '/v1/switches/:switch/ports/:port/properties',
    { schema: { params, body, response: { 201: property } } },
    async (request, reply) => {
      const id = randomUUID();
      const made = {
        id,
        featureId: 'd1f8e3a2-5b7c-4e6f-9a01-23456789abcd',
        feature: request.body.feature,
        version: 256,
        settings: request.body.settings,
        revision: 1,
        instanceId: `Microsoft:${request.params.switch}\\${request.params.port}\\${id}`,
        delivered: true,
      };
      kept.set(id, made);
      if (store !== undefined) await store(id, made);
      const { switch: sw, port } = request.params;
      reply.code(201);
      reply.header('etag', '"1"');
      reply.header('location', `/v1/switches/${sw}/ports/${port}/properties/${id}`);
      return made;
    },
  );
  return app;
}
