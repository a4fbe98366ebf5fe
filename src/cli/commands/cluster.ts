import { type Column, ColumnPrinter } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printJson } from '../print-items.ts';
import { withProgress } from '../progress.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Row {
  readonly cluster: string;
  readonly age: string;
  readonly host?: string;
  readonly state?: string;
  readonly vms?: number;
  readonly epoch?: number;
  readonly url?: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'cluster', value: (row) => row.cluster },
  { title: 'age', value: (row) => row.age, align: 'right' },
  { title: 'host', value: (row) => row.host },
  { title: 'state', value: (row) => row.state },
  { title: 'vms', value: (row) => row.vms, align: 'right' },
  { title: 'epoch', value: (row) => row.epoch, align: 'right' },
  { title: 'url', value: (row) => row.url },
];

/** `cluster list` */
export const list: CommandHandler = async (call, terminal) => {
  const { listClusters } = await import('../../cluster/clusters.ts');
  const address = await addressOf(call, terminal);
  const found = await withProgress(terminal, 'looking at the clusters', () =>
    listClusters(address, call.arguments[0]),
  );
  if (call.has('json')) {
    await printJson(terminal, found);
    return 0;
  }
  const rows = found.flatMap(({ cluster, created, isOfRun, hosts }): Row[] => {
    const age = ageOf(created);
    if (hosts.length === 0) return [{ cluster, age, state: isOfRun ? 'left by a run' : 'empty' }];
    return hosts.map(({ host, state, vms, epoch, url }) => ({
      cluster,
      age,
      host,
      state: state === 'silent' && isOfRun ? 'left by a run' : state,
      vms: vms.length,
      ...(epoch === undefined ? {} : { epoch }),
      ...(url === undefined ? {} : { url }),
    }));
  });
  await new ColumnPrinter(terminal, COLUMNS).print(rows);
  if (rows.length === 0) terminal.note('there are no clusters');
  return 0;
};

/** `cluster remove` */
export const remove: CommandHandler = async (call, terminal) => {
  const { removeCluster, removeLeftRuns } = await import('../../cluster/clusters.ts');
  const address = await addressOf(call, terminal);
  const [name] = call.arguments;
  if (call.has('left-runs') === (name !== undefined)) {
    const expected = 'expected the name of a cluster, or --left-runs';
    throw new UsageError(`cluster remove: ${expected}`, 'cluster remove');
  }
  if (name === undefined) {
    const removed = await withProgress(terminal, 'removing what runs have left', () =>
      removeLeftRuns(address),
    );
    if (call.has('json')) await printJson(terminal, removed);
    else if (removed.length === 0) terminal.note('no run has left anything for an hour');
    else for (const each of removed) await terminal.line(`removed ${harmless(each)}`);
    return 0;
  }
  const { hosts, ...rest } = await withProgress(terminal, `removing cluster ${name}`, () =>
    removeCluster(address, name, { withVms: call.has('with-vms') }),
  );
  if (call.has('json')) {
    await printJson(terminal, { ...rest, hosts });
    return 0;
  }
  const vms = hosts.flatMap((host) => host.vms);
  const names = vms.map((vm) => harmless(vm.name)).join(', ');
  const and = vms.length === 0 ? '' : `, and with it VM ${names}`;
  const count = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`;
  await terminal.line(`removed cluster ${harmless(name)} of ${count}${and}`);
  return 0;
};

/** The servers of `--store`; throws a usage error for what is no address of NATS servers. */
async function addressOf(call: Invocation, { env }: Terminal) {
  const { isClusterAddress, parseClusterAddress } = await import('../../cluster/address.ts');
  const spec = call.text('store') ?? (env['EXTSWITCH_STORE'] || undefined);
  const help = call.spec.words.join(' ');
  if (spec === undefined || !isClusterAddress(spec)) {
    const found = spec === undefined ? 'nothing' : harmless(spec);
    throw new UsageError(`--store: expected nats://server[,server…], found ${found}`, help);
  }
  return parseClusterAddress(spec);
}

const AGES = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** By the clock of this machine, in the largest unit of which there is one. */
function ageOf(created: string): string {
  const ms = Math.max(0, Date.now() - Date.parse(created));
  const [unit, length] = AGES.find(([, one]) => ms >= one) ?? (['s', 1_000] as const);
  return `${Math.floor(ms / length)} ${unit}`;
}
