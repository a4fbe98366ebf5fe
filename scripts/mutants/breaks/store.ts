import type { Area } from '../mutant.ts';

const suites = [
  'test/store/contract.test.ts',
  'test/store/lmdb-store.test.ts',
  'test/store/store-folder.test.ts',
  'test/store/backup.test.ts',
];

export const STORE: Area = {
  name: 'Store and LMDB engine',
  isSimulated: false,
  mutants: [
    {
      id: 'checksum-not-checked',
      title: 'the checksum of a record is not compared',
      file: 'src/store/record.ts',
      from: 'if ((crc32(bytes.subarray(0, valueBytes), crc32(key)) | 0) !== expected) {',
      to: 'if (Number.isNaN(expected)) {',
      suites,
    },
    {
      id: 'refused-and-written',
      title: 'what waits behind a commit that failed is refused, and written all the same',
      file: 'src/store/group-commit.ts',
      from: '        this.#queue = [];\n        batch.reject(cause);',
      to: '        batch.reject(cause);',
      suites,
    },
    {
      id: 'acknowledged-before-the-commit',
      title: 'a write is acknowledged before LMDB has committed it',
      file: 'src/store/lmdb-store.ts',
      from: 'await environment.batch(() => {',
      to: 'void environment.batch(() => {',
      suites: [...suites, 'test/store/crash.test.ts'],
    },
    {
      id: 'failed-once-failed-for-ever',
      title: 'after a failed commit the environment is not opened anew',
      file: 'src/store/lmdb-store.ts',
      from: 'if (this.#suspect) await this.#recover();',
      to: '',
      suites,
    },
    {
      id: 'cut-range-just-ends',
      title: 'who reads on in a store that was closed gets fewer entries and no error',
      file: 'src/store/lmdb-store.ts',
      from: `    this.return();\n    this.#state = 'cut';`,
      to: '    this.return();',
      suites,
    },
    {
      id: 'unfinished-copy-opened',
      title: 'the folder of a backup that was never finished is opened as a store',
      file: 'src/store/store-folder.ts',
      from: '    checkFinished(path);\n',
      to: '',
      suites: ['test/store/backup.test.ts', ...suites],
    },
    {
      id: 'older-meta-page',
      title: 'the check of a data file looks at the older one of its two meta pages',
      file: 'src/store/lmdb-file.ts',
      from: 'return second.transaction > first.transaction ? second : first;',
      to: 'return second.transaction > first.transaction ? first : second;',
      suites: [
        'test/store/store-folder.test.ts',
        'test/store/lmdb-store.test.ts',
        'test/store/crash.test.ts',
      ],
    },
    {
      id: 'damage-sealed',
      title: 'an upgrade gives records that cannot be read a checksum that says they are whole',
      file: 'src/store/store-upgrade.ts',
      from: '      decodePlain(key, value, value.length, path);\n',
      to: '',
      suites: ['test/store/upgrade.test.ts'],
    },
    {
      id: 'forks-share-a-level',
      title: 'the original of a forked memory store goes on writing into what both share',
      file: 'src/store/memory-store.ts',
      from: '    this.#owner = {};\n    return copy;',
      to: '    return copy;',
      suites: ['test/store/contract.test.ts', 'test/policy/snapshot.test.ts'],
    },
  ],
};
