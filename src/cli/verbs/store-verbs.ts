import type { CommandSpec } from '../command.ts';
import { EVERYWHERE } from './common-flags.ts';

const DETAIL_BESIDE =
  'A server may have the folder open meanwhile: the copy is its state between two acknowledged changes.';

/** Verbs for store folders. They need no server, and get on with one that is running. */
export const STORE_VERBS: readonly CommandSpec[] = [
  {
    words: ['store', 'check'],
    summary: 'Read every record of a store folder and verify its checksum',
    detail:
      'Prints how many records of each kind there are and names the damaged ones; exit code 1 when there are any. Nothing\nis changed. A server may have the folder open meanwhile.',
    arguments: [{ name: 'folder', help: 'folder of a store, or of a backup' }],
    flags: EVERYWHERE,
    examples: ['store check .extswitch'],
    load: async () => (await import('../commands/store.ts')).check,
  },
  {
    words: ['store', 'backup'],
    summary: 'Copy a store folder, also while a server uses it',
    detail: `${DETAIL_BESIDE}\nIt is read from end to end before it gets its name: the destination is there whole or not at all. What a killed\nbackup leaves is FOLDER.partial, which the next one removes.`,
    arguments: [],
    flags: [
      { name: 'from', value: 'FOLDER', required: true, help: 'folder of the store' },
      {
        name: 'to',
        value: 'FOLDER',
        required: true,
        help: 'folder of the backup; must be missing or empty',
      },
      ...EVERYWHERE,
    ],
    examples: ['store backup --from .extswitch --to backups/monday'],
    load: async () => (await import('../commands/store.ts')).backup,
  },
  {
    words: ['store', 'restore'],
    summary: 'Put a backup where a server will look for its store',
    detail:
      'The server that uses the destination must be stopped. The backup is read from end to end first, and stays.',
    arguments: [],
    flags: [
      { name: 'from', value: 'FOLDER', required: true, help: 'folder of the backup' },
      { name: 'to', value: 'FOLDER', required: true, help: 'folder of the store' },
      {
        name: 'replace',
        help: 'move a store that is there to FOLDER.replaced-TIME instead of refusing',
      },
      ...EVERYWHERE,
    ],
    examples: [
      'store restore --from backups/monday --to .extswitch',
      'store restore --from backups/monday --to .extswitch --replace',
    ],
    load: async () => (await import('../commands/store.ts')).restore,
  },
];
