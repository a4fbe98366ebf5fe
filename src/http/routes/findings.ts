import { DEFAULT_LIMIT, MAX_LIMIT } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { finding, object, text } from '../schemas.ts';

type FindingsQuery = {
  readonly rule?: string;
  readonly extension?: string;
  readonly limit?: number;
};

export const findingRoutes: readonly Route[] = [
  defineRoute<object, FindingsQuery>({
    method: 'GET',
    path: '/findings',
    operationId: 'listFindings',
    tag: 'trace',
    summary: 'Rules that extensions broke, newest last',
    description:
      'The newest 1,000, with at most 4 MiB of bytes; how many there were of each rule is extswitch_findings_total of /metrics. ' +
      'bytes, offset and route are there in a world with a verifier.',
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          rule: text(64, "E22, or Driver Verifier's name"),
          extension: text(256, 'Extension id or unique name'),
          limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: 'Default 100.' },
        },
      },
      response: { 200: object({ items: { type: 'array', items: finding } }) },
      errors: ['NOT_FOUND'],
    },
    handle({ world, query: { rule, extension, limit = DEFAULT_LIMIT } }) {
      const items = world.findings.entries({
        limit,
        ...(rule === undefined ? {} : { rule }),
        ...(extension === undefined ? {} : { extensionId: world.extensions.get(extension).id }),
      });
      return { status: 200, body: { items } };
    },
  }),
];
