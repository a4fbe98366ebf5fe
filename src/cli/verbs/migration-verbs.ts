import type { CommandSpec } from '../command.ts';
import { LIMIT_FLAG, SERVER } from './common-flags.ts';

const MIGRATION_ARGUMENT = { name: 'migration', help: 'migration, by id' } as const;

/** Noun `migration`. */
export const MIGRATION_VERBS: readonly CommandSpec[] = [
  {
    words: ['migration', 'start'],
    aliases: ['new', 'create'],
    summary: 'Migrate a VM to another host with its policies and run-time data',
    detail:
      'Hosts are those of the cluster (host list) and the worlds of the server, by name. Whatever fails leaves the VM where it was, with everything it had; what\nwould fail is found before anything moves. Without --to it goes to another switch of its host. Exit code 1 when it fails or would fail.',
    arguments: [{ name: 'vm', help: 'VM, by id or name' }],
    flags: [
      { name: 'to', value: 'HOST', help: 'host it goes to; left out: this one, to --switch' },
      {
        name: 'switch',
        short: 's',
        value: 'SWITCH',
        help: 'switch there for every adapter, default the name each has here',
      },
      { name: 'dry-run', help: 'only print what stands against it: nothing moves' },
      { name: 'wait', help: 'print its end instead of its beginning' },
      ...SERVER,
    ],
    examples: [
      'migration start TestVm --to target --wait',
      'migration start TestVm --to target --switch Other --dry-run',
    ],
    load: async () => (await import('../commands/migration.ts')).start,
  },
  {
    words: ['migration', 'list'],
    summary: 'List the migrations of VMs, the oldest first, in a cluster those of all hosts',
    arguments: [],
    flags: [LIMIT_FLAG, ...SERVER],
    examples: ['migration list'],
    load: async () => (await import('../commands/migration.ts')).list,
  },
  {
    words: ['migration', 'show'],
    aliases: ['get'],
    summary: 'Show a migration: its steps, what failed, what stands against it',
    detail: 'Exit code 1 when it has failed.',
    arguments: [MIGRATION_ARGUMENT],
    flags: SERVER,
    examples: ['migration show 3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    load: async () => (await import('../commands/migration.ts')).show,
  },
  {
    words: ['migration', 'settle'],
    summary: 'Decide whose a VM is, for a host that does not come back',
    detail:
      'Only while the migration waits for that host, and that does not answer: make sure that it is off. source: the VM is taken\nback with everything; a copy the other has after all is taken away there and kept. destination: it leaves this host,\nwhich keeps what it was until the other has it.',
    arguments: [MIGRATION_ARGUMENT],
    flags: [
      {
        name: 'owner',
        value: 'SIDE',
        choices: ['source', 'destination'],
        required: true,
        help: 'whose the VM is from now on',
      },
      {
        name: 'confirm',
        value: 'HOST',
        required: true,
        help: 'name of the host that does not answer, once more',
      },
      ...SERVER,
    ],
    examples: [
      'migration settle 3f2504e0-4f89-41d3-9a0c-0305e82c3301 --owner source --confirm target',
    ],
    load: async () => (await import('../commands/migration.ts')).settle,
  },
  {
    words: ['migration', 'kept'],
    summary: 'Print the VM that a decision left without an owner, or took away, for vm import',
    arguments: [MIGRATION_ARGUMENT],
    flags: [
      {
        name: 'output',
        short: 'o',
        value: 'FILE',
        help: 'write to FILE instead of standard output',
      },
      ...SERVER,
    ],
    examples: ['migration kept 3f2504e0-4f89-41d3-9a0c-0305e82c3301 -o vm.json'],
    load: async () => (await import('../commands/migration.ts')).kept,
  },
  {
    words: ['migration', 'discard'],
    summary: 'Delete what is kept of a VM',
    arguments: [MIGRATION_ARGUMENT],
    flags: SERVER,
    examples: ['migration discard 3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    load: async () => (await import('../commands/migration.ts')).discard,
  },
  {
    words: ['migration', 'abandon'],
    summary: 'Give up a VM that is prepared here and whose source does not come back',
    detail: 'Its ports, name and addresses are free. Should the source come back it keeps its VM.',
    arguments: [MIGRATION_ARGUMENT],
    flags: SERVER,
    examples: ['migration abandon 3f2504e0-4f89-41d3-9a0c-0305e82c3301 --world target'],
    load: async () => (await import('../commands/migration.ts')).abandon,
  },
];
