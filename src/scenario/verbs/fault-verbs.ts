import { OID_LIST } from '../../abi/index.ts';
import { NdisStatus } from '../../core/status.ts';
import { nearestName } from '../../mof/nearest-name.ts';
import { FAULT_MESSAGES, type FaultRuleOptions } from '../../policy/faults-api.ts';
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

/** What each fault needs; the other two kinds of fields are not for it. */
function needsOf(fault: string): readonly string[] {
  if (fault === 'storeFailure') return [];
  return fault === 'lostMessage' || fault === 'crash' ? ['message'] : ['extension', 'oid'];
}

function checkFault(
  values: Readonly<Record<string, unknown>> & { readonly fault: string },
  node: SourceNode,
  { problems }: Reader,
): void {
  const needs = needsOf(values.fault);
  for (const name of ['extension', 'oid', 'message']) {
    const isGiven = values[name] !== undefined;
    if (needs.includes(name) && !isGiven) {
      problems.add(node.place, `a ${values.fault} needs the field ${name}`);
    } else if (!needs.includes(name) && isGiven) {
      problems.add(
        valueAt(node, name)?.place ?? node.place,
        `${name} is not for a ${values.fault}`,
      );
    }
  }
}

/** What the fields of an injection are as a rule. */
interface Injection {
  readonly extension?: string | undefined;
  readonly oid?: string | undefined;
  readonly requestType?: FaultRuleOptions['requestType'];
  readonly switch?: string | undefined;
  readonly status?: string | undefined;
  readonly message?: FaultRuleOptions['message'];
  readonly to?: string | undefined;
  readonly delivered?: boolean | undefined;
  readonly delayMs?: number | undefined;
}

function ruleOf(fault: string, given: Injection): FaultRuleOptions {
  const { message = 'take', delivered = false, status = 'DATA_NOT_ACCEPTED' } = given;
  const { extension, oid, requestType, switch: sw, to, delayMs } = given;
  if (fault === 'storeFailure') return { at: 'store', effect: 'fail' };
  if (fault === 'lostMessage' || fault === 'crash') {
    const [whole, half] =
      fault === 'crash' ? (['crash', 'crashAnswered'] as const) : (['lost', 'lostAnswer'] as const);
    const where = to === undefined ? { message } : { message, to };
    return { at: 'message', effect: delivered ? half : whole, ...where };
  }
  const match = {
    at: 'oid',
    ...(extension === undefined ? {} : { extension }),
    ...(oid === undefined ? {} : { oid }),
    ...(requestType === undefined ? {} : { requestType }),
    ...(sw === undefined ? {} : { switch: sw }),
  } as const;
  if (fault === 'veto') return { ...match, effect: 'status', status };
  if (fault === 'delay') return { ...match, effect: 'delay', delayMs: delayMs ?? 1000 };
  return { ...match, effect: fault === 'throw' ? 'throw' : 'hang' };
}

export const FAULT_VERBS: readonly Verb[] = [
  verb({
    name: 'inject',
    group: 'faults',
    help:
      'Brings a fault: an extension vetoes an OID, holds it for a while (delay) or for ever (hang), or throws; or a write of a ' +
      "host's store fails; or a message between hosts is lost, or the host dies sending it. It is met once unless `times` says more.",
    fields: {
      fault: need(
        oneOf('what happens', [
          'veto',
          'delay',
          'throw',
          'hang',
          'storeFailure',
          'lostMessage',
          'crash',
        ]),
      ),
      extension: extensionAlias('the extension that does it'),
      oid: oidName('the OID it happens to'),
      requestType: oneOf('only to this kind of request', ['query', 'set', 'method']),
      host: hostName('default every host'),
      switch: switchName('default every switch'),
      status: statusField('status of a veto, default DATA_NOT_ACCEPTED'),
      message: oneOf(
        'the message between hosts that is lost, or that the host dies sending',
        FAULT_MESSAGES,
      ),
      to: hostName('only messages to this host; default any'),
      delivered: yesNo('the other host gets the message: only its answer is lost; default false'),
      delayMs: whole('virtual milliseconds of a delay, default 1,000'),
      nth: whole('from which one on, counted from now, default 1', 1),
      times: whole('how many, default 1', 1),
    },
    check: checkFault,
    async run({ fault, host, nth = 1, times = 1, ...rest }, runtime) {
      const among = host === undefined ? runtime.state.hosts.values() : [runtime.host(host)];
      const extension = rest.extension && runtime.extensionId(rest.extension);
      const rule = { ...ruleOf(fault, { ...rest, extension }), nth, times };
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
