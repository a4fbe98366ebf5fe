import { OID_LIST } from '../../abi/index.ts';
import { NdisStatus } from '../../core/status.ts';
import { nearestName } from '../../mof/nearest-name.ts';
import { FAILING_CALLS, FAULT_ACTS, FAULT_MESSAGES } from '../../policy/faults-api.ts';
import { WARP_LIMIT_MS } from '../../policy/sim-api.ts';
import { FAULT_KIND_NAMES, type FaultKindName, faultProblem, faultRuleOf } from '../fault-kinds.ts';
import { type Field, field, need, oneOf, text, whole, yesNo } from '../field.ts';
import { extensionAlias, hostName, switchName } from '../name-fields.ts';
import type { Reader } from '../reader.ts';
import type { SourceNode } from '../source-node.ts';
import { type Verb, verb } from '../verb.ts';
import { valueAt } from './property-verbs.ts';

/** Name of an OID of the switch. */
export function oidName(help: string): Field<string, false> {
  const plain = text(help, 'name of an OID');
  const names: readonly string[] = OID_LIST.map(({ name }) => name);
  const schema = { $ref: '#/$defs/oid' };
  return field('name of an OID', help, schema, (node, reader, what) => {
    const name = plain.read(node, reader, what);
    if (name === undefined || names.includes(name)) return name;
    const message = `${what}: no OID is called ${JSON.stringify(name)}`;
    reader.problems.add(node.place, message, nearestName(name, names));
    return undefined;
  });
}

/** Name of an NDIS status, with or without `NDIS_STATUS_`. */
export function statusField(help: string): Field<string, false> {
  const plain = text(help, 'name of an NDIS status');
  const names = Object.keys(NdisStatus);
  return field('name of an NDIS status', help, { type: 'string' }, (node, reader, what) => {
    const name = plain.read(node, reader, what)?.replace(/^NDIS_STATUS_/, '');
    if (name === undefined || names.includes(name)) return name;
    const message = `${what}: no NDIS status is called ${JSON.stringify(name)}`;
    reader.problems.add(node.place, message, nearestName(name, names));
    return undefined;
  });
}

function checkFault(
  values: Readonly<Record<string, unknown>> & { readonly fault: FaultKindName },
  node: SourceNode,
  { problems }: Reader,
): void {
  const problem = faultProblem(values.fault, values);
  if (problem === undefined) return;
  const { member, message } = problem;
  const at = member === undefined ? undefined : valueAt(node, member);
  problems.add(at?.place ?? node.place, message);
}

/** How likely something is. */
function likelihood(help: string): Field<number, false> {
  const type = 'a number 0 to 1';
  const parameter = { type: 'string', pattern: '\\$\\{[^}]*\\}' };
  const schema = { anyOf: [{ type: 'number', minimum: 0, maximum: 1 }, parameter] };
  return field(type, help, schema, (given, reader, what) => {
    const node = reader.resolve(given);
    const value = node.kind === 'scalar' ? node.value : undefined;
    if (typeof value === 'number' && value >= 0 && value <= 1) return value;
    return reader.wrong(node, what, type);
  });
}

export const FAULT_VERBS: readonly Verb[] = [
  verb({
    name: 'inject',
    group: 'faults',
    help:
      'Brings a fault, a rule of [the same engine as everywhere](../howto/inject-faults.md). An extension vetoes an OID, holds it ' +
      'for a while (delay) or for ever (hang), throws, or completes it twice; a call it makes of its switch fails (callFailure); a ' +
      "write of a host's store fails, is late or is the last thing the host does (storeCrash); a message between hosts is lost, comes twice or late, or the host dies sending it; or " +
      'something is done to extension, port or switch in the instant in which an OID is met (act). It is met once unless `times` ' +
      'says more.',
    fields: {
      fault: need(oneOf('what happens', FAULT_KIND_NAMES)),
      extension: extensionAlias('the extension it happens to'),
      oid: oidName('the OID it happens to'),
      requestType: oneOf('only to this kind of request', ['query', 'set', 'method']),
      host: hostName('default every host'),
      switch: switchName('default every switch'),
      call: oneOf('callFailure: only this call, default any', FAILING_CALLS),
      act: oneOf('what an act does to the extension, the port or the switch', FAULT_ACTS),
      status: statusField(
        'status of a veto, default DATA_NOT_ACCEPTED, or of a callFailure, default RESOURCES',
      ),
      message: oneOf(
        'the message between hosts that is lost, comes twice or late, or that the host dies sending',
        FAULT_MESSAGES,
      ),
      to: hostName('only messages to this host; default any'),
      delivered: yesNo(
        'the message gets to the other host, or the write to the store: only the answer is lost; default false',
      ),
      delayMs: whole('virtual milliseconds of a delay, default 1,000', 0, WARP_LIMIT_MS),
      nth: whole('from which one on, counted from now, default 1', 1),
      times: whole('how many, default 1', 1),
      probability: likelihood(
        "how likely each of them is, drawn from the scenario's seed; default 1",
      ),
    },
    check: checkFault,
    async run({ fault, host, nth = 1, times = 1, probability = 1, ...rest }, runtime) {
      const among = host === undefined ? runtime.state.hosts.values() : [runtime.host(host)];
      const extension = rest.extension && runtime.extensionId(rest.extension);
      const rule = { ...faultRuleOf(fault, { ...rest, extension }), nth, times, probability };
      for (const each of among) each.inject(rule);
    },
  }),
  verb({
    name: 'clearFaults',
    group: 'faults',
    help: 'Takes back every fault that was not met.',
    short: 'host',
    fields: { host: hostName('default every host') },
    async run({ host }, runtime) {
      const among = host === undefined ? runtime.state.hosts.values() : [runtime.host(host)];
      for (const each of among) each.clearFaults();
    },
  }),
];
