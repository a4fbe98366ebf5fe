import type { TraceEntry } from '../policy/api.ts';
import { hexDump } from './bytes-text.ts';

export interface TraceTextOptions {
  /** Extension id → what to call it; ids that are not here stand as they are. */
  readonly names?: ReadonlyMap<string, string>;
  /** Adds the input's bytes below each line, and the output's when there is one. */
  readonly bytes?: boolean;
  /** Adds decoded fields below each line: usually `fabric.trace.decode`. */
  readonly decode?: (entry: TraceEntry) => Readonly<Record<string, unknown>>;
}

const EDGES: ReadonlyMap<string, string> = new Map([
  ['protocolEdge', 'protocol edge'],
  ['miniportEdge', 'miniport edge'],
]);

/**
 * A trace as text a person reads and a snapshot keeps: one line a request, from who issued it down to who completed it.
 *
 * ```text
 * OID_SWITCH_PORT_PROPERTY_ADD set: protocol edge > Port ACL forward > miniport edge => NDIS_STATUS_SUCCESS
 * ```
 *
 * It holds neither times nor numbers; what an extension issued itself starts with its name. Names of `NDIS_STATUS_SUCCESS`
 * steps are left out of the way down: the end of the line says it. Faults that rules injected stand below the line.
 */
export function traceText(entries: Iterable<TraceEntry>, options: TraceTextOptions = {}): string {
  const lines: string[] = [];
  const name = (module: string): string =>
    EDGES.get(module) ?? options.names?.get(module) ?? module;
  for (const entry of entries) {
    const steps = entry.route.map(({ module, verdict }) =>
      verdict === entry.status ? name(module) : `${name(module)} ${verdict}`,
    );
    lines.push(
      `${entry.oid} ${entry.requestType}: ${[name(entry.origin), ...steps].join(' > ')} => ${entry.status}`,
    );
    for (const { rule, module, effect, call } of entry.faults ?? []) {
      const what = call === undefined ? effect : `${call} ${effect}`;
      lines.push(`  fault rule ${rule}: ${what} at ${name(module)}`);
    }
    if (options.decode !== undefined) lines.push(...fieldLines(options.decode(entry), '  '));
    if (options.bytes === true) {
      lines.push(...indented('in', entry.input));
      if (entry.output !== undefined) lines.push(...indented('out', entry.output));
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function indented(label: string, bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [`  ${label} (nothing)`];
  return hexDump(bytes)
    .split('\n')
    .map((line) => `  ${label} ${line}`);
}

function fieldLines(fields: Readonly<Record<string, unknown>>, indent: string): string[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value)) {
      const inner = fieldLines(value as Readonly<Record<string, unknown>>, `${indent}  `);
      return [`${indent}${key}:`, ...inner];
    }
    return [`${indent}${key}: ${valueText(value)}`];
  });
}

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function valueText(value: unknown): string {
  if (isBytes(value)) return Array.from(value, (b) => b.toString(16).padStart(2, '0')).join(' ');
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}` : isBytes(inner) ? valueText(inner) : inner,
  );
}
