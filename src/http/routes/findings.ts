import { DEFAULT_LIMIT, MAX_LIMIT } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { finding, findingGroup, object, text } from '../schemas.ts';

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
      'Of each rule and extension the first 10 and the newest 90, with at most 4 MiB of bytes: a frequent one pushes out no other. ' +
      'groups says how many there were of each. bytes, offset and route are there in a world with a verifier.',
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          rule: text(64, "E22, or Driver Verifier's name"),
          extension: text(256, 'Extension id or unique name'),
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: MAX_LIMIT,
            description:
              'Default 100: the newest of each rule and extension first, then the second newest of each.',
          },
        },
      },
      response: {
        200: object({
          items: { type: 'array', items: finding },
          groups: { type: 'array', items: findingGroup },
        }),
      },
      errors: ['NOT_FOUND'],
    },
    handle({ world, query: { rule, extension, limit = DEFAULT_LIMIT } }) {
      const filter = {
        ...(rule === undefined ? {} : { rule }),
        ...(extension === undefined ? {} : { extensionId: world.extensions.get(extension).id }),
      };
      const { findings } = world;
      const items = findings.entries({ limit, ...filter });
      return { status: 200, body: { items, groups: findings.groups(filter) } };
    },
  }),
];
