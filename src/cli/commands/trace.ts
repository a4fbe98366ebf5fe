import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlPlane, connect, type Item, pathOf } from '../client.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { writeOutput } from '../input.ts';
import { ModuleNames } from '../module-names.ts';
import { UnreachableError } from '../server-error.ts';
import type { ServerEvent } from '../sse.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** Entries printed before following, when --limit says nothing. */
const DEFAULT_LIMIT = 20;
/** Most the server gives at once. */
const PAGE_MAX = 1000;
/** Attempts to reach a server that went away, each after twice the time of the one before. */
const RECONNECT_ATTEMPTS = 6;
const RECONNECT_FIRST_MS = 250;

/** What is printed of the stream, and where it goes on. */
interface Follower {
  readonly call: Invocation;
  readonly terminal: Terminal;
  readonly names: ModuleNames;
  readonly oid: string | undefined;
  readonly switchName: string | undefined;
  /** Events of all hosts, told by their stream's ids: each host counts for itself. */
  readonly isCluster: boolean;
  lastSeq: number;
  /** Where a stream that breaks is resumed; undefined: from then on. */
  lastId: string | undefined;
}

/**
 * `trace`: the last requests and indications, then with --follow every new one; with --cluster every new one of all hosts. --json
 * prints one entry a line.
 */
export const trace: CommandHandler = async (call, terminal) => {
  const plane = connect(call, terminal);
  if (call.has('save') || call.has('from')) return save(plane, call, terminal);
  const given = call.text('switch');
  const isCluster = call.has('cluster');
  if (isCluster && call.has('limit')) {
    throw new UsageError('--limit belongs to the trace of one host, not to --cluster', 'trace');
  }
  // Another host's switch is known by its name only.
  const isKnown = given !== undefined && !isCluster;
  const found = isKnown ? await plane.get(`/switches${pathOf(given)}`) : { name: given };
  const follower: Follower = {
    call,
    terminal,
    names: new ModuleNames(plane),
    oid: call.text('oid'),
    switchName: given === undefined ? undefined : String(found['name']),
    isCluster,
    lastSeq: 0,
    lastId: undefined,
  };
  if (isCluster) {
    await follow(plane, follower);
    return 0;
  }
  const limit = call.integer('limit') ?? DEFAULT_LIMIT;
  if (call.has('follow')) {
    follower.lastSeq = await newestSeq(plane);
    follower.lastId = String(follower.lastSeq);
  }
  if (limit > 0) {
    const query = new URLSearchParams({ limit: String(Math.min(limit, PAGE_MAX)) });
    if (follower.oid !== undefined) query.set('oid', follower.oid);
    if (given !== undefined) query.set('switch', given);
    const { items } = (await plane.get(`/trace?${query}`)) as { readonly items: readonly Item[] };
    for (const entry of items) await printEntry(follower, entry);
    if (items.length === 0 && !call.has('follow')) terminal.note('the trace is empty');
  }
  if (call.has('follow')) await follow(plane, follower);
  return 0;
};

const FOR_READING = ['follow', 'cluster', 'limit', 'oid', 'switch', 'verbose', 'json'];

/** `trace --save`: everything, since a part of it could not be replayed. */
async function save(plane: ControlPlane, call: Invocation, terminal: Terminal): Promise<number> {
  const file = call.text('save');
  if (file === undefined) throw new UsageError('--from belongs to --save', 'trace');
  const other = FOR_READING.find((flag) => call.has(flag));
  if (other !== undefined) {
    throw new UsageError(`--save writes the whole trace: --${other} does not go with it`, 'trace');
  }
  const from = call.text('from');
  const query = from === undefined ? '' : `?${new URLSearchParams({ snapshot: from })}`;
  const bytes = await plane.bytes('GET', `/sim/recording${query}`);
  await writeOutput(terminal, file === '-' ? undefined : file, new TextDecoder().decode(bytes));
  if (file !== '-')
    terminal.note(`saved ${harmless(file)}: extswitch replay ${harmless(file)} --extension PATH`);
  return 0;
}

async function newestSeq(plane: ControlPlane): Promise<number> {
  const { items } = (await plane.get('/trace?limit=1')) as { readonly items: readonly Item[] };
  return Number(items[0]?.['seq'] ?? 0);
}

/** Follows the event stream and resumes it after the last seen entry when the connection breaks. */
async function follow(plane: ControlPlane, follower: Follower): Promise<void> {
  const signal = follower.terminal.signal ?? new AbortController().signal;
  let attempt = 0;
  while (!signal.aborted) {
    try {
      const query = follower.isCluster ? '?cluster=true' : '';
      for await (const event of plane.events(follower.lastId, signal, query)) {
        attempt = 0;
        await takeEvent(follower, event);
      }
    } catch (error) {
      if (signal.aborted) return;
      const broken = error instanceof UnreachableError || error instanceof TypeError;
      if (!broken || attempt >= RECONNECT_ATTEMPTS) throw error;
    }
    if (signal.aborted) return;
    if (attempt >= RECONNECT_ATTEMPTS) {
      throw new UnreachableError('the server ended the event stream again and again');
    }
    if (attempt === 0) follower.terminal.note('connection lost, trying again');
    await sleep(RECONNECT_FIRST_MS * 2 ** attempt, undefined, { signal }).catch(() => undefined);
    attempt += 1;
  }
}

async function takeEvent(follower: Follower, event: ServerEvent): Promise<void> {
  const entry = JSON.parse(event.data) as Item;
  follower.lastId = event.id ?? follower.lastId;
  if (event.event === 'gap') {
    // The history moved on without us, or the world was reset: the stream goes on from another number.
    const first = follower.isCluster ? 'this' : `request ${entry['firstSeq']}`;
    follower.terminal.note(`missed what came before ${first}`);
    if (!follower.isCluster) follower.lastSeq = Number(event.id ?? 0);
    return;
  }
  if (event.event === 'log') {
    const { dropped } = (entry['data'] ?? {}) as Item;
    follower.terminal.note(harmless(`host ${entry['host']} left out ${dropped} events`));
    return;
  }
  if (!follower.isCluster) {
    const seq = Number(entry['seq'] ?? 0);
    if (seq <= follower.lastSeq) return;
    follower.lastSeq = seq;
  }
  if (entry['oid'] === undefined && follower.oid !== undefined) return;
  if (follower.oid !== undefined && entry['oid'] !== follower.oid) return;
  if (follower.switchName !== undefined && entry['switch'] !== follower.switchName) return;
  await printEntry(follower, entry);
}

async function printEntry(follower: Follower, entry: Item): Promise<void> {
  const { call, terminal } = follower;
  follower.lastSeq = Math.max(follower.lastSeq, Number(entry['seq'] ?? 0));
  if (call.has('json')) return terminal.line(JSON.stringify(entry));
  const { style } = terminal;
  const host = follower.isCluster ? `${harmless(String(entry['host']))}  ` : '';
  const head = `${host}${String(entry['seq']).padStart(6)}  ${timeText(entry['time'])}  ${harmless(String(entry['switch'] ?? '-'))}`;
  if (entry['oid'] === undefined) {
    return terminal.line(`${head}  ${style.dim(harmless(eventText(entry)))}`);
  }
  const status = String(entry['status']);
  // An indication has no outcome: its status says what it is about.
  const paint = entry['requestType'] === 'indication' ? style.bold : style.error;
  const shown = status === 'NDIS_STATUS_SUCCESS' ? style.good(status) : paint(status);
  const steps = entry['route'] as readonly Item[];
  const faults = (entry['faults'] ?? []) as readonly Item[];
  const nameOf = await follower.names.of([...steps, ...faults].map(({ module }) => module));
  const route = steps
    .map(({ module, verdict }) => `${nameOf(module) ?? module}:${verdict}`)
    .join(' > ');
  await terminal.line(
    `${head}  ${style.bold(harmless(String(entry['oid'])))} ${entry['requestType']}  ${shown}  ${style.dim(harmless(route))}`,
  );
  for (const { rule, module, effect, call: failed } of faults) {
    const what = failed === undefined ? effect : `${failed} ${effect}`;
    const text = `fault rule ${rule}: ${what} at ${nameOf(module) ?? module}`;
    await terminal.line(`        ${style.bold(harmless(text))}`);
  }
  for (const finding of (entry['findings'] ?? []) as readonly Item[]) {
    await terminal.line(`        ${findingText(finding, style)}`);
  }
  if (call.has('verbose')) {
    const text = JSON.stringify(entry['decoded'], null, 2);
    await terminal.line(harmless(text).replace(/^/gm, '        '));
  }
}

/** A rule that was broken with the request, below its line: who did what is in the message. */
function findingText(finding: Item, style: Terminal['style']): string {
  const severity = harmless(String(finding['severity']));
  const paint = severity === 'error' ? style.error : style.bold;
  return `${paint(severity)} ${harmless(String(finding['rule']))}: ${harmless(String(finding['message']))}`;
}

/** What happened beside the OIDs: a state change as `event  name value, …`, anything else as JSON. */
function eventText(entry: Item): string {
  const { seq, time, host, switch: _, ...rest } = entry;
  const { event, ...facts } = (entry['data'] ?? {}) as Item;
  if (entry['type'] !== 'state' || typeof event !== 'string') return JSON.stringify(rest);
  const parts = Object.entries(facts).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${event}  ${parts.join(', ')}`.trimEnd();
}

/** Virtual milliseconds since 1970 as a date and time of day, UTC. */
function timeText(time: unknown): string {
  const date = new Date(Number(time));
  return Number.isNaN(date.getTime()) ? `${time} ms` : date.toISOString();
}
