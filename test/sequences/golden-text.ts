import type { FabricEvent, TraceEntry } from '../../src/policy/api.ts';
import { traceText } from '../../src/testing/index.ts';

/*
 * What a sequence looks like in its golden file: everything in the order it happened. One line per OID and indication (origin,
 * route with verdicts, status) with its time, sizes and decoded structure; one line per state change and finding.
 */

/** OIDs in short: without OID_SWITCH_, with the status when it is not success. */
export function briefly(entries: readonly TraceEntry[]): string[] {
  return entries.map(({ oid, status }) => {
    const short = oid.replace('OID_SWITCH_', '');
    const plain = status === 'NDIS_STATUS_SUCCESS' || oid.startsWith('NDIS_STATUS_');
    return plain ? short : `${short} ${status.replace('NDIS_STATUS_', '')}`;
  });
}

/** Where a golden text comes from: a fabric, or a single switch. */
export interface History {
  readonly trace: {
    entries(filter: { readonly afterSeq: number }): readonly TraceEntry[];
    decode(entry: TraceEntry): Readonly<Record<string, unknown>>;
  };
  readonly events: { after(seq: number): readonly Pick<FabricEvent, 'seq' | 'type' | 'data'>[] };
}

export function goldenText(
  title: string,
  fabric: History,
  names: ReadonlyMap<string, string>,
  afterSeq: number,
): string {
  const decode = (entry: TraceEntry) => fabric.trace.decode(entry);
  const pieces: { readonly seq: number; readonly lines: readonly string[] }[] = [];
  for (const entry of fabric.trace.entries({ afterSeq })) {
    const [first = '', ...fields] = traceText([entry], { names, decode }).trimEnd().split('\n');
    const out = entry.output === undefined ? '' : `, ${entry.output.length} bytes out`;
    const sizes = `  at ${entry.time} ms, ${entry.input.length} bytes in${out}`;
    pieces.push({ seq: entry.seq, lines: ['', first, sizes, ...fields] });
  }
  for (const event of fabric.events.after(afterSeq)) {
    pieces.push({ seq: event.seq, lines: [eventLine(event, names)] });
  }
  pieces.sort((a, b) => a.seq - b.seq);
  return `${[`# ${title}`, '', ...pieces.flatMap(({ lines }) => lines)].join('\n')}\n`;
}

/** `* module state: extension filter, from paused, to restarting`. */
function eventLine(
  { type, data }: Pick<FabricEvent, 'type' | 'data'>,
  names: ReadonlyMap<string, string>,
): string {
  const { event, ...rest } = data;
  const shown = (value: unknown): string => {
    if (Array.isArray(value)) return value.map(shown).join(' > ');
    return typeof value === 'string' ? (names.get(value) ?? value) : JSON.stringify(value);
  };
  const fields = Object.entries(rest).map(([name, value]) => `${name} ${shown(value)}`);
  return `* ${type === 'finding' ? 'finding' : String(event)}: ${fields.join(', ')}`;
}
