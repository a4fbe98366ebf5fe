import { OID_LIST } from '../../abi/index.ts';
import { NdisStatus } from '../../core/status.ts';
import { nearestName } from '../../mof/nearest-name.ts';
import { type Field, field, need, oneOf, text, whole } from '../field.ts';
import { extensionAlias, hostName, switchName } from '../name-fields.ts';
import { type Verb, verb } from '../verb.ts';
import { valueAt } from './property-verbs.ts';

/** Name of an OID of the switch. */
export function oidName(help: string): Field<string, false> {
  const plain = text(help, 'name of an OID');
  const names: readonly string[] = OID_LIST.map(({ name }) => name);
  const schema = { type: 'string', examples: names };
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

const OID_FAULTS: readonly string[] = ['veto', 'delay', 'throw', 'hang'];

export const FAULT_VERBS: readonly Verb[] = [
  verb({
    name: 'inject',
    group: 'faults',
    help:
      'Brings a fault: an extension vetoes an OID, holds it for a while (delay) or for ever (hang), or throws; or a write of a ' +
      "host's store fails. It is met once unless `times` says more.",
    fields: {
      fault: need(oneOf('what happens', ['veto', 'delay', 'throw', 'hang', 'storeFailure'])),
      extension: extensionAlias('the extension that does it'),
      oid: oidName('the OID it happens to'),
      requestType: oneOf('only to this kind of request', ['query', 'set', 'method']),
      host: hostName('default every host'),
      switch: switchName('default every switch'),
      status: statusField('status of a veto, default DATA_NOT_ACCEPTED'),
      delayMs: whole('virtual milliseconds of a delay, default 1,000'),
      nth: whole('from which one on, counted from now, default 1', 1),
      times: whole('how many, default 1', 1),
    },
    check({ fault, extension, oid }, node, { problems }) {
      if (fault === 'storeFailure') {
        const wrong = valueAt(node, 'extension') ?? valueAt(node, 'oid');
        if (wrong !== undefined) {
          problems.add(wrong.place, 'a storeFailure is of a host: expected no extension or oid');
        }
        return;
      }
      if (extension === undefined) problems.add(node.place, `a ${fault} needs an extension`);
      if (oid === undefined) problems.add(node.place, `a ${fault} needs an oid`);
    },
    async run({ fault, host, nth = 1, times = 1, ...rest }, runtime) {
      const among = host === undefined ? runtime.state.hosts.values() : [runtime.host(host)];
      for (const { faults } of among) {
        if (!OID_FAULTS.includes(fault) || fault === 'storeFailure') {
          faults.injectStore({ nth, times });
          continue;
        }
        const { status = 'DATA_NOT_ACCEPTED', delayMs = 1000, extension = '', oid = '' } = rest;
        faults.injectOid({
          effect: fault,
          extension,
          oid,
          requestType: rest.requestType,
          switch: rest.switch,
          status: NdisStatus[status as keyof typeof NdisStatus],
          delayMs,
          nth,
          times,
        });
      }
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
      for (const { faults } of among) faults.clear();
    },
  }),
];
