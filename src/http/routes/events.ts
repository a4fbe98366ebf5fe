import type { Cluster } from '../../cluster/api.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { openClusterEventStream } from '../cluster/cluster-event-stream.ts';
import { openEventStream, parseEventId, type StreamLimits } from '../event-stream.ts';
import { defineRoute, type Route } from '../route.ts';

type EventsQuery = { readonly lastEventId?: string; readonly cluster?: 'true' | 'false' };

function clusterOf({ cluster }: FabricInterface): Cluster {
  if (cluster !== undefined) return cluster;
  throw new ExtSwitchError(
    'INVALID_ARGUMENT',
    'cluster=true: this world is no host of a cluster: expected a server with --store nats://…',
    { member: 'cluster', expected: 'a host of a cluster', found: 'a world of its own' },
  );
}

/** `GET /v1/events`. */
export function eventsRoute(limits: StreamLimits): Route {
  return defineRoute<object, EventsQuery>({
    method: 'GET',
    path: '/events',
    operationId: 'streamEvents',
    tag: 'trace',
    summary: 'Server-Sent Events: trace entries, state changes, findings',
    description:
      'Events `trace`, `state`, `finding` with `id` = sequence number. Last-Event-ID (or ?lastEventId=) resumes after it; ' +
      'what is no longer held is announced by one `gap` event {"after","firstSeq"}. With cluster=true the events of all hosts of ' +
      'the cluster, each with `host`, ids such as 1204-3, events `log` {"dropped"} where a host could not keep up, and `gap` ' +
      '{"after","first"} with ids.',
    batch: false,
    produces: 'text/event-stream',
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          lastEventId: {
            type: 'string',
            maxLength: 32,
            description: 'Where headers cannot be set',
          },
          cluster: { enum: ['true', 'false'], description: 'true: of every host of the cluster' },
        },
      },
      response: { 200: { type: 'string' } },
      errors: ['RATE_LIMITED', 'MALFORMED', 'INVALID_ARGUMENT'],
    },
    handle({ world, entry, query, headers }) {
      const lastEventId = headers['last-event-id'] ?? query.lastEventId;
      if (entry.streams.size >= limits.perWorld) {
        throw new ExtSwitchError(
          'RATE_LIMITED',
          `this world serves at most ${limits.perWorld} event streams at a time`,
        );
      }
      if (query.cluster === 'true') {
        const { events } = clusterOf(world);
        const after = lastEventId === '' ? undefined : lastEventId;
        return { status: 200, stream: openClusterEventStream(entry, events, after, limits) };
      }
      const after = parseEventId(lastEventId);
      return { status: 200, stream: (response) => openEventStream(entry, response, after, limits) };
    },
  });
}
