import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { FabricInterface, TraceEntry } from '../../src/policy/api.ts';
import { traceText } from '../../src/testing/index.ts';

/*
 * test/golden/traces/NAME.txt: what a canonical sequence of the rule book looks like. One line per OID (origin, route with
 * verdicts, status), its virtual time and sizes, then the decoded structure. Read against the rule book by hand before it
 * was committed; UPDATE_GOLDEN=1 rewrites it, and the difference is to be read again.
 */
const FOLDER = new URL('../golden/traces/', import.meta.url);

/** The trace of a world as a golden file has it. */
export function goldenText(
  title: string,
  fabric: FabricInterface,
  names: ReadonlyMap<string, string>,
): string {
  const lines = [`# ${title}`];
  for (const entry of fabric.trace.entries()) {
    const [first, ...fields] = traceText([entry], {
      names,
      decode: (one) => fabric.trace.decode(one),
    })
      .trimEnd()
      .split('\n');
    const out = entry.output === undefined ? '' : `, ${entry.output.length} bytes out`;
    lines.push('', first ?? '', `  at ${entry.time} ms, ${entry.input.length} bytes in${out}`);
    lines.push(...fields);
  }
  return `${lines.join('\n')}\n`;
}

/** The committed text of `name`; with UPDATE_GOLDEN=1 the file is written first. */
export function goldenTrace(name: string, actual: string): string {
  const file = new URL(`${name}.txt`, FOLDER);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
  if (!existsSync(file)) throw new Error(`${name}.txt is not there: run with UPDATE_GOLDEN=1`);
  return readFileSync(file, 'utf8');
}

/** `OID: verdicts => status` of every entry, without the prefixes, in the order of completion. */
export function briefly(entries: readonly TraceEntry[]): string[] {
  return entries.map(({ oid, route, status }) => {
    const verdicts = route.map(({ verdict }) => verdict.replace('NDIS_STATUS_', '')).join(' ');
    return `${oid.replace('OID_SWITCH_', '')}: ${verdicts} => ${status.replace('NDIS_STATUS_', '')}`;
  });
}
