import { ExtSwitchError } from '../../core/errors.ts';
import { openEventStream, parseEventId, type StreamLimits } from '../event-stream.ts';
import { defineRoute, type Route } from '../route.ts';

type EventsQuery = { readonly lastEventId?: string };

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
      'what is no longer held is announced by one `gap` event {"after","firstSeq"}.',
    batch: false,
    produces: 'text/event-stream',
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          lastEventId: {
            type: 'string',
            maxLength: 15,
            description: 'Where headers cannot be set',
          },
        },
      },
      response: { 200: { type: 'string' } },
      errors: ['RATE_LIMITED'],
    },
    handle({ entry, query, headers }) {
      const after = parseEventId(headers['last-event-id'] ?? query.lastEventId);
      if (entry.streams.size >= limits.perWorld) {
        throw new ExtSwitchError(
          'RATE_LIMITED',
          `this world serves at most ${limits.perWorld} event streams at a time`,
        );
      }
      return { status: 200, stream: (response) => openEventStream(entry, response, after, limits) };
    },
  });
}
