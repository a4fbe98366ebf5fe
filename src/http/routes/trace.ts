import { OFFLOAD_OIDS, OID_LIST } from '../../abi/index.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import { nearestName } from '../../mof/nearest-name.ts';
import type { FabricInterface, TraceEntry } from '../../policy/api.ts';
import { DEFAULT_LIMIT, MAX_LIMIT } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { object, text, traceEntry } from '../schemas.ts';

/** What stands as `oid` in a trace. */
const NAMES: ReadonlySet<string> = new Set([
  ...OID_LIST.map(({ name }) => name),
  ...Object.keys(OFFLOAD_OIDS),
  'NDIS_STATUS_SWITCH_NIC_STATUS',
]);

type TraceQuery = { readonly switch?: string; readonly oid?: string; readonly limit?: number };

export const traceRoutes: readonly Route[] = [
  defineRoute<object, TraceQuery>({
    method: 'GET',
    path: '/trace',
    operationId: 'listTrace',
    tag: 'trace',
    summary: 'The last OID requests and status indications, newest last',
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          switch: text(256, 'Switch id or unique name'),
          oid: text(128, 'OID_SWITCH_PORT_PROPERTY_ADD, or NDIS_STATUS_SWITCH_NIC_STATUS'),
          limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: 'Default 100.' },
        },
      },
      response: { 200: object({ items: { type: 'array', items: traceEntry } }) },
      errors: ['NOT_FOUND', 'MALFORMED'],
    },
    handle({ world, query }) {
      if (query.oid !== undefined) checkOid(query.oid);
      const view =
        query.switch === undefined ? world.trace : world.switches.get(query.switch).trace;
      const entries = view.entries({
        limit: query.limit ?? DEFAULT_LIMIT,
        ...(query.oid === undefined ? {} : { oid: query.oid }),
      });
      return { status: 200, body: { items: entries.map((entry) => traceItem(world, entry)) } };
    },
  }),
];

/** An empty list would say that nothing happened. A code without a name stands in the trace in hexadecimal. */
function checkOid(oid: string): void {
  if (NAMES.has(oid) || /^0x[0-9A-F]{8}$/.test(oid)) return;
  const near = nearestName(oid, [...NAMES]);
  throw new ExtSwitchError(
    'MALFORMED',
    `query parameter "oid": there is no ${JSON.stringify(oid)}` +
      (near === undefined ? '' : `; did you mean ${near}?`),
    { member: 'oid', ...(near === undefined ? {} : { expected: near }), found: oid },
  );
}

/** A trace entry as HTTP shows it: with its bytes decoded by the registered classes. */
export interface TraceItem extends TraceEntry {
  readonly decoded: Readonly<Record<string, unknown>>;
}

export function traceItem(world: FabricInterface, entry: TraceEntry): TraceItem {
  const { seq, request, time, oid, requestType, origin, route, status, input, output } = entry;
  return {
    seq,
    request,
    time,
    switch: entry.switch,
    oid,
    requestType,
    origin,
    route,
    status,
    input,
    ...(output === undefined ? {} : { output }),
    ...(entry.findings === undefined ? {} : { findings: entry.findings }),
    ...(entry.faults === undefined ? {} : { faults: entry.faults }),
    decoded: world.trace.decode(entry),
  };
}
