import type { CommandSpec } from '../command.ts';
import { SERVER } from './common-flags.ts';

/** Whatever world or host is meant otherwise, the hosts are those of the cluster. */
const FLAGS = SERVER.filter(({ name }) => name !== 'world' && name !== 'on');

/** Noun `host`. */
export const HOST_VERBS: readonly CommandSpec[] = [
  {
    words: ['host', 'list'],
    summary: 'List the hosts of the cluster',
    detail:
      'Any of them may be asked (--url). A host that is silent or has left keeps its VMs until it is back. Without a cluster the\nserver is the only host.',
    arguments: [],
    flags: FLAGS,
    examples: ['host list', 'host list --json'],
    load: async () => (await import('../commands/host.ts')).list,
  },
  {
    words: ['host', 'show'],
    aliases: ['get'],
    summary: 'Show a host of the cluster: its state, address and number of VMs',
    detail:
      'Its switches, ports and features are shown by their own verbs with --on, e.g. extswitch switch list --on b.',
    arguments: [{ name: 'host', help: 'host, by name' }],
    flags: FLAGS,
    examples: ['host show b'],
    load: async () => (await import('../commands/host.ts')).show,
  },
  {
    words: ['host', 'remove'],
    aliases: ['delete'],
    summary: 'Remove a host that is not alive from the cluster, for good',
    detail:
      'With everything it has stored; its name is free then. Refused while it has VMs: start it once more and migrate or export\nthem, or say --with-vms. A process of it that comes back ends. Migrations that wait for it are settled by migration settle.',
    arguments: [{ name: 'host', help: 'host, by name' }],
    flags: [...FLAGS, { name: 'with-vms', help: 'its VMs go with it' }],
    examples: ['host remove b', 'host remove b --with-vms'],
    load: async () => (await import('../commands/host.ts')).remove,
  },
];
