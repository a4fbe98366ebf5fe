import { ExtSwitchError } from '../../core/errors.ts';
import type { ArrivalInfo, MigrationInfo } from '../../policy/migration-api.ts';
import { need, oneOf, text } from '../field.ts';
import type { Host } from '../host.ts';
import { hostName, vmName } from '../name-fields.ts';
import type { Runtime } from '../runtime.ts';
import { type Verb, verb } from '../verb.ts';

/*
 * What a person does about a migration that is stuck since the other host does not come back (decision 0010). Steps name the VM: its
 * newest migration is meant.
 */

const CUT_OFF = { vm: need(vmName()), host: hostName('host it is on its way from') };

interface Found<T> {
  readonly host: Host;
  readonly info: T;
}

/** The newest of this VM's that a host has. */
function newest<T extends MigrationInfo | ArrivalInfo>(
  runtime: Runtime,
  { vm, host }: { readonly vm: string; readonly host?: string | undefined },
  what: string,
  of: (host: Host) => Iterable<T>,
): Found<T> {
  const among = host === undefined ? runtime.hosts.values() : [runtime.host(host)];
  for (const each of among) {
    const info = [...of(each)].findLast(({ vm: { name } }) => name === vm);
    if (info !== undefined) return { host: each, info };
  }
  throw new ExtSwitchError(
    'NOT_FOUND',
    `there is ${what} of VM ${vm} on ${host === undefined ? 'any host' : `host ${host}`}`,
  );
}

const departures = ({ fabric }: Host): Iterable<MigrationInfo> => fabric.migrations.list();
const arrivals = ({ fabric }: Host): Iterable<ArrivalInfo> => fabric.migrations.arrivals();
/** What a host keeps of VMs, gone or come. */
const kept = (host: Host): Iterable<MigrationInfo | ArrivalInfo> =>
  [...departures(host), ...arrivals(host)].filter((each) => each.kept === true);

const stands = ({ state, error }: MigrationInfo): string =>
  error === undefined ? state : `${state}: ${error.message}`;

export const SETTLEMENT_VERBS: readonly Verb[] = [
  verb({
    name: 'resumeMigration',
    group: 'hosts',
    help: 'Asks the other host again, at once, where a migration stands that was cut off.',
    short: 'vm',
    isApart: true,
    fields: CUT_OFF,
    async run(at, runtime) {
      const { host, info } = newest(runtime, at, 'no migration', departures);
      return stands(await host.fabric.migrations.resume(info.id));
    },
  }),
  verb({
    name: 'settleMigration',
    group: 'hosts',
    help: 'A person decides whose the VM is, where the destination does not answer: it cannot be asked back.',
    isApart: true,
    fields: {
      ...CUT_OFF,
      owner: need(oneOf('whose it is from now on', ['source', 'destination'])),
    },
    async run({ owner, ...at }, runtime) {
      const { host, info } = newest(runtime, at, 'no migration', departures);
      const confirm = info.destination.host ?? '';
      const settled = await host.fabric.migrations.settle(info.id, { owner, confirm });
      runtime.state.lastMigration = settled;
      return stands(settled);
    },
  }),
  verb({
    name: 'abandonArrival',
    group: 'hosts',
    help: 'Gives up a VM that is prepared on a host and whose source does not come back.',
    short: 'vm',
    isApart: true,
    fields: { vm: need(vmName()), host: hostName('host it was to come to') },
    async run(at, runtime) {
      const { host, info } = newest(runtime, at, 'no arrival', arrivals);
      const { state } = await host.fabric.migrations.abandon(info.id);
      return state;
    },
  }),
  verb({
    name: 'exportKept',
    group: 'hosts',
    help: 'The VM that a decision left without an owner, or took away, as a portable document to import.',
    isApart: true,
    fields: {
      vm: need(vmName()),
      host: hostName('host that keeps it'),
      as: need(text('name of the document for later steps')),
    },
    check({ as }, _node, { names }) {
      names.documents.add(as);
    },
    async run({ as, ...at }, runtime) {
      const { host, info } = newest(runtime, at, 'nothing kept', kept);
      runtime.state.documents.set(as, host.fabric.migrations.kept(info.id));
    },
  }),
  verb({
    name: 'discardKept',
    group: 'hosts',
    help: 'Deletes what a decision has kept of a VM.',
    short: 'vm',
    isApart: true,
    fields: { vm: need(vmName()), host: hostName('host that keeps it') },
    async run(at, runtime) {
      const { host, info } = newest(runtime, at, 'nothing kept', kept);
      await host.fabric.migrations.discard(info.id);
    },
  }),
];
