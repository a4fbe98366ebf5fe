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
];
