import type { Area } from '../mutant.ts';

const suites = [
  'test/testing/sweep/slips.test.ts',
  'test/testing/sweep/careless.test.ts',
  'test/testing/sweep/shipped.test.ts',
];
const file = 'src/testing/sweep/sweep.ts';

export const SWEEP: Area = {
  name: 'Sweep',
  isSimulated: false,
  mutants: [
    {
      id: 'stops-at-the-first-kind',
      title: 'places that only a run with a fault passes are not failed in their turn',
      file,
      from: '      queue.push(...more);\n',
      to: '',
      suites,
    },
    {
      id: 'calls-forgotten',
      title: 'calls of an extension are places where nothing is made to fail',
      file: 'src/testing/sweep/effects.ts',
      from: `return met?.isWitness === true ? [] : ['callFails', ...comings(site)];`,
      to: `return met?.isWitness === true ? [] : comings(site);`,
      suites,
    },
    {
      id: 'always-the-first',
      title: 'of places of one kind the first is failed again and again',
      file: 'src/testing/sweep/effects.ts',
      from: `? write : site.nth;`,
      to: `? write : 1;`,
      suites,
    },
    {
      id: 'met-for-ever',
      title: 'a fault is met at its place and at all that follow it',
      file: 'src/testing/sweep/effects.ts',
      from: 'return { ...site, nth, times: 1, ...consequence };',
      to: 'return { ...site, nth, ...consequence };',
      suites,
    },
    {
      id: 'no-baseline',
      title: 'what only the second run without a fault shows is held against faults',
      file,
      from: 'new Set([...clean.breaches, ...again.breaches].map(breachKey));',
      to: 'new Set(clean.breaches.map(breachKey));',
      suites,
    },
    {
      id: 'excused-by-its-kind',
      title: 'what breaks an invariant without a fault excuses all that breaks it with one',
      file: 'src/testing/sweep/breach.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a text of the source
      from: 'return `${invariant}/${rule}/${extension}/${alike}`;',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the same
      to: 'return `${invariant}/${rule}/${extension}/${alike.length > 0}`;',
      suites,
    },
    {
      id: 'others-not-counted',
      title: 'a defect that many faults show is reported as shown by one',
      file,
      from: '      known.count += 1;\n',
      to: '',
      suites,
    },
    {
      id: 'always-complete',
      title: 'a sweep that was ended by its budget says that no fault was left',
      file,
      from: 'subjects.every(({ faults, played }) => faults === played)',
      to: 'subjects.every(({ faults, played }) => faults >= played)',
      suites,
    },
    {
      id: 'capture-made-to-veto',
      title: 'a capturing extension is made to veto, which no rule allows (rule A17)',
      file: 'src/testing/sweep/effects.ts',
      from: `const mayVeto = type === 'filter' || type === 'forward';`,
      to: `const mayVeto = type !== undefined;`,
      suites,
    },
    {
      id: 'strays-not-taken',
      title: 'what is thrown where nobody looks during a run is not held against its fault',
      file,
      from: 'breaches: [...played.breaches, ...this.#strays.take()]',
      to: 'breaches: played.breaches',
      suites,
    },
  ],
};
