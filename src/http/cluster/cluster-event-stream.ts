import type { ServerResponse } from 'node:http';
import type { ClusterEvent, ClusterEvents } from '../../cluster/api.ts';
import type { FabricInterface, TraceEntry } from '../../policy/api.ts';
import { HEARTBEAT_MS, type StreamLimits, writeEventHead } from '../event-stream.ts';
import { jsonText } from '../json-text.ts';
import { traceItem } from '../routes/trace.ts';
import type { World } from '../worlds.ts';

/** Events written before others get their turn. */
const AT_ONCE = 64;

/**
 * Takes over a response as a stream of the events of all hosts: after `after`, without it from now on. Throws `MALFORMED` for an
 * `after` that is no id of such an event.
 */
export function openClusterEventStream(
  world: World,
  events: ClusterEvents,
  after: string | undefined,
  limits: StreamLimits,
): (response: ServerResponse) => void {
  const ending = new AbortController();
  const { signal } = ending;
  const reading = events.read({ ...(after === undefined ? {} : { after }), signal });
  return (response) => {
    const end = (): void => ending.abort();
    world.streams.add(end);
    response.on('close', end);
    response.on('error', end);
    writeEventHead(response);
    const beat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': still here\n\n');
    }, limits.heartbeatMs ?? HEARTBEAT_MS);
    beat.unref();
    void pour(reading, response, world.fabric, signal)
      // The client sees the end of the stream, and resumes.
      .catch(() => undefined)
      .finally(() => {
        clearInterval(beat);
        world.streams.delete(end);
        if (!response.writableEnded) response.end();
      });
  };
}

/** One after the other; a client that does not read holds the reading up, and the stream keeps what it misses. */
async function pour(
  reading: AsyncIterable<ClusterEvent>,
  response: ServerResponse,
  world: FabricInterface,
  signal: AbortSignal,
): Promise<void> {
  let written = 0;
  for await (const event of reading) {
    if (signal.aborted) return;
    written += 1;
    const isTaken = response.write(eventText(event, world));
    if (!isTaken) await drained(response, signal);
    else if (written % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    response.on('drain', go);
    signal.addEventListener('abort', go);
    if (signal.aborted || !response.writableNeedDrain) go();
  });
}

function eventText({ id, host, type, time, data }: ClusterEvent, world: FabricInterface): string {
  const shown =
    type === 'state' || type === 'finding'
      ? { host, ...(data as object) }
      : type === 'trace'
        ? { host, ...decoded(data as TraceEntry, world) }
        : { host, type, time, data };
  return `event: ${type}\nid: ${id}\ndata: ${jsonText(shown)}\n\n`;
}

/** Custom data is decoded by the classes registered here: bytes of a class that only the other host has stay bytes. */
function decoded(entry: TraceEntry, world: FabricInterface): object {
  try {
    return traceItem(world, entry);
  } catch {
    // Anyone who may write to the stream may have told anything.
    return entry;
  }
}
