import type { Area } from '../mutant.ts';

const suites = [
  'test/policy/fault-slips.test.ts',
  'test/policy/faults.test.ts',
  'test/policy/fault-places.test.ts',
];
const places = [suites[0] ?? '', ...suites.slice(1).reverse()];

export const FAULTS: Area = {
  name: 'Fault engine',
  isSimulated: false,
  mutants: [
    {
      id: 'unlikely-is-certain',
      title: 'a rule with any probability at all is hit each time',
      file: 'src/policy/fault-rule.ts',
      from: 'return probability >= 1 || this.#rng.float() < probability;',
      to: 'return probability > 0 || this.#rng.float() < probability;',
      suites,
    },
    {
      id: 'one-stream-for-all-rules',
      title: 'all rules of a world draw the same numbers',
      file: 'src/policy/fault-rule.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a text of the source
      from: 'new Rng(`${seed}/fault/${id}`)',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the same
      to: 'new Rng(`${seed}/fault`)',
      suites,
    },
    {
      id: 'one-match-too-late',
      title: 'the match after the one that is asked for is the first that is hit',
      file: 'src/policy/fault-rule.ts',
      from: 'this.#matched < nth ||',
      to: 'this.#matched <= nth ||',
      suites,
    },
    {
      id: 'one-hit-too-many',
      title: 'a rule is hit once more than it says',
      file: 'src/policy/fault-rule.ts',
      from: 'this.#hits >= times',
      to: 'this.#hits > times',
      suites,
    },
    {
      id: 'port-not-matched',
      title: 'a rule for one port is met at all ports',
      file: 'src/policy/fault-rule.ts',
      from: '    if (portId !== undefined && portId !== place.portId) return false;\n',
      to: '',
      suites,
    },
    {
      id: 'request-type-not-matched',
      title: 'a rule for queries is met by sets as well',
      file: 'src/policy/fault-rule.ts',
      from: 'return this.#fitsModule(place) && fits(options.requestType, place.requestType);',
      to: 'return this.#fitsModule(place);',
      suites,
    },
    {
      id: 'hit-by-several',
      title: 'of several rules at one place each is hit and counted, not the first alone',
      file: 'src/policy/fault-rules.ts',
      from: '      if (met !== undefined && !isAct) continue;\n',
      to: '',
      suites,
    },
    {
      id: 'removed-and-still-hit',
      title: 'of rules that are removed together only the first goes',
      file: 'src/policy/fault-rules.ts',
      from: 'this.#set(this.#rules.filter((rule) => !gone.includes(rule)));',
      to: 'this.#set(this.#rules.filter((rule) => rule !== gone[0]));',
      suites,
    },
    {
      id: 'rule-outlives-its-change',
      title: 'a rule that was set in an atomic change that failed stays',
      file: 'src/policy/fault-collection.ts',
      from: '    transaction.faultUndos.push(undo);\n',
      to: '',
      suites,
    },
    {
      id: 'undo-meets-the-rule',
      title:
        'the rules of an atomic change that fails are taken back last, and its undoing meets them',
      file: 'src/policy/change-log.ts',
      from: `        for (const undo of transaction.faultUndos.reverse()) undo();
        for (const undo of transaction.undos.reverse()) await this.#undo(undo);`,
      to: `        for (const undo of transaction.undos.reverse()) await this.#undo(undo);
        for (const undo of transaction.faultUndos.reverse()) undo();`,
      suites,
    },
    {
      id: 'draws-anew-after-a-restore',
      title: 'a rule that a snapshot brings back draws its numbers from the beginning',
      file: 'src/policy/fault-rule.ts',
      from: '    this.#rng.goTo(drawn);\n',
      to: '',
      suites,
    },
    {
      id: 'late-by-the-wall',
      title:
        'a message that is delayed waits by the clock of the machine, not by that of the world',
      file: 'src/policy/fault-hosts.ts',
      from: 'this.#clock.after(delayMs, resolve, true)',
      to: 'setTimeout(resolve, delayMs)',
      suites: places,
    },
    {
      id: 'late-write-overtaken',
      title: 'a write overtakes the one before it that a fault holds up',
      file: 'src/policy/fault-writes.ts',
      from: 'return this.#held.length > 0 ? this.#hold(ops, undefined) : this.#store.write(ops);',
      to: 'return this.#store.write(ops);',
      suites,
    },
    {
      id: 'written-behind-a-failure',
      title:
        'what is written before it is known that the write before it fails is stored all the same',
      file: 'src/policy/fault-writes.ts',
      from: `    if (this.#failing.length > 0) return this.#fail('the write before it failed');\n`,
      to: '',
      suites,
    },
    {
      id: 'answer-lost-with-the-question',
      title: 'a message of which only the answer is to be lost does not arrive either',
      file: 'src/policy/fault-hosts.ts',
      from: `      case 'lostAnswer':
        await deliver();`,
      to: `      case 'lostAnswer':`,
      suites: places,
    },
    {
      id: 'neighbours-excused',
      title: 'what any module does with a request that a fault has met is held against nobody',
      file: 'switch/fault-points.ts',
      from: 'injected?.some((one) => one.excuses && one.module === module) === true ||',
      to: 'injected?.some((one) => one.excuses) === true ||',
      suites: places,
    },
    {
      id: 'own-doing-excused',
      title: 'what a module does itself with a request that a fault has met is excused as well',
      file: 'switch/fault-points.ts',
      from: 'one.excuses && one.module === module',
      to: 'one.module === module',
      suites: places,
    },
  ],
};
