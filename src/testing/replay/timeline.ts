import type { FabricEvent, TraceEntry } from '../../policy/api.ts';
import type { Recording } from '../../policy/recording.ts';

/** What is done again on one switch, in the order it was begun. */
export type Act = {
  readonly switchName: string;
  readonly time: number;
  readonly seq: number;
  /** What the extension issued itself from here to the next act on this switch. */
  readonly issued: TraceEntry[];
} & (
  | { readonly kind: 'oid'; readonly entry: TraceEntry; readonly isSeen: boolean }
  | { readonly kind: 'attach'; readonly isLive: boolean }
  | { readonly kind: 'activate' | 'restart' | 'detach' | 'gone' }
);

/** Why a recorded entry is not done again. */
export type SkipReason =
  | 'status indications go up, and nobody asks for them'
  | 'OID_SWITCH_NIC_REQUEST carries a request of a driver, which is not in the recording';

export interface Timeline {
  readonly acts: readonly Act[];
  readonly skipped: ReadonlyMap<SkipReason, number>;
}

/**
 * The acts of a recording for the extension with this id. `startsOn`: names of switches on which it runs when the recording
 * begins.
 */
export function timelineOf(
  recording: Recording,
  id: string,
  startsOn: ReadonlySet<string>,
): Timeline {
  const skipped = new Map<SkipReason, number>();
  const lines = new Map<string, Line>();
  const lineOf = (name: string): Line => {
    const known = lines.get(name) ?? new Line(name, id, startsOn.has(name));
    lines.set(name, known);
    return known;
  };
  for (const item of [...recording.entries, ...recording.events].sort((a, b) => a.seq - b.seq)) {
    if (item.switch === undefined) continue;
    if (!('oid' in item)) {
      lineOf(item.switch).event(item);
      continue;
    }
    const reason = skipOf(item);
    if (reason === undefined) lineOf(item.switch).entry(item);
    else skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  }
  return { acts: merged([...lines.values()].map((line) => line.acts())), skipped };
}

function skipOf({ requestType, oid }: TraceEntry): SkipReason | undefined {
  if (requestType === 'indication') return 'status indications go up, and nobody asks for them';
  if (oid !== 'OID_SWITCH_NIC_REQUEST') return undefined;
  return 'OID_SWITCH_NIC_REQUEST carries a request of a driver, which is not in the recording';
}

/** Several lists, each in its own order, as one by time. */
function merged(lists: readonly (readonly Act[])[]): Act[] {
  const places = lists.map(() => 0);
  const all: Act[] = [];
  for (;;) {
    let first: Act | undefined;
    let from = -1;
    for (const [i, list] of lists.entries()) {
      const head = list[places[i] ?? 0];
      if (head === undefined) continue;
      const isEarlier =
        first === undefined ||
        head.time < first.time ||
        (head.time === first.time && head.seq < first.seq);
      if (!isEarlier) continue;
      first = head;
      from = i;
    }
    if (first === undefined) return all;
    places[from] = (places[from] ?? 0) + 1;
    all.push(first);
  }
}

type Kind = Exclude<Act['kind'], 'oid' | 'attach'>;

/** One switch: entries come in order of completion and are put in order of issue between the deletions of the switch. */
class Line {
  readonly #name: string;
  readonly #id: string;
  readonly #done: Act[] = [];
  #items: (TraceEntry | FabricEvent)[] = [];
  #isAttached: boolean;
  /** Somebody was on the switch before the extension. */
  #isLive: boolean;
  /** It was started since it was attached. */
  #hasRun: boolean;

  constructor(name: string, id: string, isAttached: boolean) {
    this.#name = name;
    this.#id = id;
    this.#isAttached = isAttached;
    this.#isLive = isAttached;
    this.#hasRun = isAttached;
  }

  entry(entry: TraceEntry): void {
    this.#items.push(entry);
  }

  event(event: FabricEvent): void {
    if (event.data['event'] === 'switchDeleted') {
      this.#flush();
      this.#add('gone', event);
      this.#isAttached = false;
      this.#isLive = false;
    } else {
      this.#items.push(event);
    }
  }

  acts(): readonly Act[] {
    this.#flush();
    return this.#done;
  }

  #flush(): void {
    for (const item of inOrderOfIssue(this.#items)) {
      if ('oid' in item) this.#take(item);
      else this.#moved(item);
    }
    this.#items = [];
  }

  #moved(item: FabricEvent): void {
    const { event, extensionId, to, from } = item.data;
    if (event === 'switchActivated') {
      this.#isLive = true;
      this.#add('activate', item);
    }
    if (event !== 'moduleState' || extensionId !== this.#id) return;
    if (to === 'attaching' && !this.#isAttached) {
      this.#attach(item);
      this.#hasRun = false;
    } else if (to === 'detached' && this.#isAttached) {
      this.#add('detach', item);
      this.#isAttached = false;
    } else if (from === 'paused' && to === 'restarting') {
      // The first one belongs to the attachment.
      if (this.#hasRun) this.#add('restart', item);
      this.#hasRun = true;
    }
  }

  #attach({ time, seq }: TraceEntry | FabricEvent): void {
    const facts = { switchName: this.#name, time, seq, issued: [] };
    this.#done.push({ ...facts, kind: 'attach', isLive: this.#isLive });
    this.#isAttached = true;
  }

  #add(kind: Kind, { time, seq }: TraceEntry | FabricEvent): void {
    this.#done.push({ switchName: this.#name, time, seq, issued: [], kind });
  }

  #take(entry: TraceEntry): void {
    const isOwn = entry.origin === this.#id;
    const isSeen = entry.route.some(({ module }) => module === this.#id);
    if ((isOwn || isSeen) && !this.#isAttached) {
      // Nothing tells when it came, so it comes now.
      this.#attach(entry);
      this.#hasRun = true;
      if (!this.#isLive) this.#add('activate', entry);
      this.#isLive = true;
    }
    if (isOwn) {
      this.#done.at(-1)?.issued.push(entry);
      return;
    }
    if (entry.origin !== 'protocolEdge' && !isSeen) return;
    this.#isLive = true;
    const { time, seq } = entry;
    const issued: TraceEntry[] = [];
    this.#done.push({ switchName: this.#name, time, seq, issued, kind: 'oid', entry, isSeen });
  }
}

/** Entries by the number of their request; an event stays behind all that had completed before it. */
function inOrderOfIssue(
  items: readonly (TraceEntry | FabricEvent)[],
): readonly (TraceEntry | FabricEvent)[] {
  const entries = items.filter((item): item is TraceEntry => 'oid' in item);
  entries.sort((a, b) => a.request - b.request);
  const behind = new Map<number, FabricEvent[]>();
  for (const item of items) {
    if ('oid' in item) continue;
    let at = entries.length;
    while (at > 0 && (entries[at - 1] as TraceEntry).seq > item.seq) at -= 1;
    behind.set(at, [...(behind.get(at) ?? []), item]);
  }
  return [...entries, undefined].flatMap((entry, i) => [
    ...(behind.get(i) ?? []),
    ...(entry === undefined ? [] : [entry]),
  ]);
}
