import type { CommandSpec } from '../command.ts';
import { EVERYWHERE } from './common-flags.ts';

const STORE = {
  name: 'store',
  value: 'nats://…',
  env: 'EXTSWITCH_STORE',
  help: 'NATS servers, nats://server[,server…]; credentials as for serve. The name of a cluster in it does not count',
} as const;

/** Noun `cluster`: from outside, by the servers alone. */
export const CLUSTER_VERBS: readonly CommandSpec[] = [
  {
    words: ['cluster', 'list'],
    summary: 'List the clusters on NATS servers with their hosts and VMs',
    detail:
      'No host is asked and nothing is changed: a host is alive while its lease stands, its VMs are those of its records. Clusters that\nkilled runs have left are shown as such.',
    arguments: [{ name: 'cluster', help: 'only this one', optional: true }],
    flags: [STORE, ...EVERYWHERE],
    examples: ['cluster list --store nats://127.0.0.1:4222', 'cluster list lab --json'],
    load: async () => (await import('../commands/cluster.ts')).list,
  },
  {
    words: ['cluster', 'remove'],
    aliases: ['delete'],
    summary: 'Remove a cluster in which no host is alive, for good',
    detail:
      'With all its hosts, their records and its events. Refused while a host is alive, and while there are VMs: start their hosts and\nexport them, or say --with-vms. One host alone is removed by host remove.',
    arguments: [{ name: 'cluster', help: 'cluster, by name', optional: true }],
    flags: [
      STORE,
      { name: 'with-vms', help: 'its VMs go with it' },
      {
        name: 'left-runs',
        help: 'instead of one: all that killed runs have left more than an hour ago',
      },
      ...EVERYWHERE,
    ],
    examples: [
      'cluster remove lab --store nats://127.0.0.1:4222',
      'cluster remove --left-runs --store nats://127.0.0.1:4222',
    ],
    load: async () => (await import('../commands/cluster.ts')).remove,
  },
];
