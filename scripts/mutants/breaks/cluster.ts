import type { Area } from '../mutant.ts';

const suites = ['test/cluster/store.test.ts', 'test/cluster/store-faults.test.ts'];

export const CLUSTER: Area = {
  name: 'Cluster',
  isSimulated: false,
  mutants: [
    {
      id: 'put-over-another',
      title: 'a journal entry is put where there is one already (expected last sequence left out)',
      file: 'src/cluster/journal.ts',
      from: 'publish({ subject, data, expected: 0 }, ATTEMPT_MS)',
      to: 'publish({ subject, data }, ATTEMPT_MS)',
      suites,
    },
    {
      id: 'not-fenced',
      title:
        'a process whose place in the journal is taken does not learn that it is the host no more',
      file: 'src/cluster/commit-writer.ts',
      from: `else if (outcome.kind === 'taken') this.#fence(outcome.by.entry);`,
      to: '',
      suites,
    },
    {
      id: 'mark-one-too-far',
      title: 'the mark says that the records have a commit that is still open',
      file: 'src/cluster/applied-mark.ts',
      from: 'first === undefined ? this.#committed : first - 1;',
      to: 'first === undefined ? this.#committed : first;',
      suites,
    },
    {
      id: 'age-forgotten',
      title: 'a change that replaces a waiting one of its key does not take over its age',
      file: 'src/cluster/record-writer.ts',
      from: 'this.#waiting.set(op.key, { op, number, since: waiting?.since ?? number });',
      to: 'this.#waiting.set(op.key, { op, number, since: number });',
      suites,
    },
    {
      id: 'own-record-of-another-epoch',
      title: 'a record of another epoch with the same number is taken for the own one',
      file: 'src/cluster/record-writer.ts',
      from: 'found.epoch === epoch && found.number === number',
      to: 'found.number === number',
      suites: ['test/cluster/slips.test.ts', ...suites],
    },
    {
      id: 'stale-journal-believed',
      title: 'an opening is taken for valid without a look at what came before it meanwhile',
      file: 'src/cluster/take-over.ts',
      from: 'if (await isLast(journal, entries, head.epoch, number, revision, deadline)) {',
      to: 'if (revision > 0) {',
      suites: ['test/cluster/slips.test.ts', ...suites],
    },
    {
      id: 'lease-never-runs-out',
      title: 'a host whose lease has run out goes on answering',
      file: 'src/cluster/lease.ts',
      from: '!this.#isClosed && !this.#lost.signal.aborted && since(this.#renewed) < this.#options.leaseMs',
      to: '!this.#isClosed && !this.#lost.signal.aborted',
      suites: ['test/cluster/membership.test.ts', 'test/cluster/world.test.ts'],
    },
    {
      id: 'unanswered-commit-stays',
      title:
        'a commit whose writer was told that it failed, and that is in the journal, is not undone',
      file: 'src/cluster/commit-writer.ts',
      from: 'this.#toUndo = { ops: [...older, ...ops], kept: [...olderKept, ...kept] };',
      to: 'this.#toUndo = { ops: [...older], kept: [...olderKept, ...kept] };',
      suites,
    },
    {
      id: 'silent-host-alive',
      title: 'a host of which nothing is heard stays alive for the others',
      file: 'src/cluster/membership.ts',
      from: `      known.state = 'silent';\n`,
      to: '',
      suites: ['test/cluster/membership.test.ts'],
    },
  ],
};
