import type { FabricEvent, FabricInterface, TraceEntry } from '../policy/api.ts';
import type { ClusterEvents } from './api.ts';

/** How long the first of several waits for the others. */
const WINDOW_MS = 10;
/** Most of one window: 12,800 a second, which takes a twentieth of a processor. The world's own history is the queue behind it. */
const PER_WINDOW = 128;
/** When the world is this far ahead, what is oldest is left out, so that what is told is whole for a while again. */
const BEHIND_MAX = 8_192;
const BEHIND_AFTER = 4_096;
/** What is still told when the world closes. */
const AT_END = BEHIND_MAX;

/**
 * Tells a cluster what a world tells its own clients: trace entries (as they are, undecoded: {@link TraceEntry}) and events
 * ({@link FabricEvent}). Nothing is done in the middle of a request but to note that there is something. What the world's history
 * lost before it was told is counted, by an event of type `log`. Returns what ends it, after telling the rest.
 */
export function tapEvents(
  world: Pick<FabricInterface, 'events' | 'trace'>,
  to: Pick<ClusterEvents, 'publish'>,
): () => void {
  let position = world.events.lastSeq;
  let timer: NodeJS.Timeout | undefined;
  let time = 0;
  const tell = (most: number): void => {
    const { lastSeq } = world.events;
    const from = lastSeq - position > BEHIND_MAX ? lastSeq - BEHIND_AFTER : position;
    const until = Math.min(lastSeq, from + most);
    const items = itemsBetween(world, from, until);
    const lost = until - position - items.length;
    position = until;
    time = items[0]?.time ?? time;
    if (lost > 0) to.publish({ type: 'log', time, data: { dropped: lost } });
    for (const item of items) {
      time = item.time;
      to.publish({ type: 'oid' in item ? 'trace' : item.type, time, data: item });
    }
  };
  const arm = (): void => {
    timer = setTimeout(() => {
      timer = undefined;
      tell(PER_WINDOW);
      if (position < world.events.lastSeq) arm();
    }, WINDOW_MS);
    timer.unref();
  };
  const unsubscribe = world.events.subscribe(() => {
    if (timer === undefined) arm();
  });
  return () => {
    unsubscribe();
    clearTimeout(timer);
    tell(AT_END);
  };
}

/** Every number stands for one trace entry or one event; oldest first. */
function itemsBetween(
  { trace, events }: Pick<FabricInterface, 'events' | 'trace'>,
  after: number,
  until: number,
): (TraceEntry | FabricEvent)[] {
  if (until <= after) return [];
  const entries = trace.entries({ afterSeq: after, untilSeq: until });
  const others = events.after(after).filter(({ seq }) => seq <= until);
  if (others.length === 0) return entries;
  return [...entries, ...others].sort((a, b) => a.seq - b.seq);
}
