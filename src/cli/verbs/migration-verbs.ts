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
      'Hosts are those of the cluster (host list) and the worlds of the server, by name. Whatever fails leaves the VM where it was, with everything it had; what\nwould fail is found before anything moves. Exit code 1 when it fails or would fail.',
    arguments: [{ name: 'vm', help: 'VM, by id or name' }],
    flags: [
      { name: 'to', value: 'HOST', help: 'host it goes to; only --dry-run can do without' },
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
    summary: 'List the migrations of VMs, in a cluster those of all hosts',
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
];
