import t from 'tap';
import type { Breach } from '../../../src/testing/sweep/breach.ts';
import { effectsAt, ruleAt } from '../../../src/testing/sweep/effects.ts';
import type { PassedSite, SweepFault } from '../../../src/testing/sweep/fault.ts';
import type { Played, SweepSubject } from '../../../src/testing/sweep/subject.ts';
import { Sweep, type SweepOptions } from '../../../src/testing/sweep/sweep.ts';
import type { SweepReport } from '../../../src/testing/sweep/sweep-report.ts';

/* Small slips in the sweep that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

/** The n-th write of a run; `after`: in what course it comes. */
const write = (nth: number, after: string): PassedSite => ({
  host: '',
  life: 1,
  site: { at: 'store', nth },
  write: nth,
  change: 1,
  after,
});

type Play = (faults: readonly string[], run: number) => Partial<Played>;

/** A subject that does what `play` says; the names of the places where a fault is, in order. */
function subject(play: Play): SweepSubject & { readonly runs: string[] } {
  const runs: string[] = [];
  const nameOf = (fault: SweepFault): string =>
    fault.effect === 'reorder' ? 'reorder' : `${fault.effect} ${fault.at.site.nth}`;
  return {
    ...{ name: '', title: 'fake', seed: 'x', runs },
    called: (id) => id,
    extension: () => undefined,
    play: async (chain) => {
      const faults = chain.map(nameOf);
      runs.push(faults.join('+'));
      return { passed: [], met: true, breaches: [], ...play(faults, runs.length) };
    },
  };
}

async function swept(play: Play, options: SweepOptions = {}) {
  const swept = subject(play);
  const target = { kind: 'scenario', name: 'fake' } as const;
  const sweep = new Sweep(target, { effects: ['storeFails'], orders: 0, ...options });
  await sweep.subjects([swept]);
  return { report: sweep.report(), runs: swept.runs };
}

const breach = (message: string, more: Partial<Breach> = {}): Breach => ({
  ...{ invariant: 'findings', rule: 'B39', severity: 'error', message },
  ...more,
});

t.test(
  'places that only a run with a fault passes are failed in their turn, until none is left',
  async (t) => {
    const rollBack = write(2, 'a failure');
    const { report, runs } = await swept((faults) => ({
      passed: faults.length === 0 ? [write(1, '')] : [write(1, ''), rollBack],
    }));
    t.same(runs, ['', '', 'storeFails 1', 'storeFails 1+storeFails 2']);
    t.match(report.subjects, [{ sites: 1, newSites: 1, faults: 2, played: 2, unmet: 0 }]);
    t.match(report, { complete: true, ok: true, runs: 2, effects: { storeFails: 2 } });
  },
);

t.test('what one of the two runs without a fault shows is held against no fault', async (t) => {
  for (const run of [1, 2]) {
    const { report } = await swept((faults, now) => ({
      passed: [write(1, '')],
      breaches: faults.length > 0 || now === run ? [breach(`kept port ${now}`)] : [],
    }));
    t.same(report.mishandled, [], `run ${run}`);
  }
});

t.test('what breaks a rule without a fault excuses nothing else that breaks it', async (t) => {
  const { report } = await swept((faults) => ({
    passed: [write(1, '')],
    breaches: [breach('kept port 7'), ...(faults.length > 0 ? [breach('kept the NIC')] : [])],
  }));
  t.match(report, {
    ok: false,
    mishandled: [{ invariant: 'findings', rule: 'B39', message: 'kept the NIC', count: 1 }],
    subjects: [{ without: ['kept port 7'] }],
  });
  t.equal(report.mishandled.length, 1);
});

t.test('a defect that three faults show is one, and says so', async (t) => {
  const { report } = await swept(
    (faults) => ({
      passed: [1, 2, 3].map((nth) => write(nth, `course ${nth}`)),
      breaches: faults.map((fault) => breach(`kept port ${fault.slice(-1)}`)),
    }),
    { attempts: 3 },
  );
  t.match(report.mishandled, [
    {
      only: 'storeFails:store#1',
      count: 3,
      others: ['storeFails:store#2', 'storeFails:store#3'],
    },
  ]);
  t.equal(report.mishandled.length, 1);
});

t.test('a sweep that its budget ends says that faults are left', async (t) => {
  const play: Play = () => ({ passed: [1, 2].map((nth) => write(nth, `course ${nth}`)) });
  t.match((await swept(play, { maxRuns: 1 })).report, {
    ...{ complete: false, ok: true, runs: 1 },
    subjects: [{ faults: 2, played: 1 }],
  });
  t.match((await swept(play)).report, { complete: true, runs: 2 });
});

t.test(
  'a defect is told as it shows, with what is left: a sweep that is killed has said it',
  async (t) => {
    const told: SweepReport[] = [];
    await swept(
      (faults) => ({
        passed: [1, 2, 3].map((nth) => write(nth, `course ${nth}`)),
        breaches: faults.includes('storeFails 2') ? [breach('kept port 2')] : [],
      }),
      { interim: (report) => told.push(report) },
    );
    t.match(told, [
      {
        ...{ complete: false, ok: false, runs: 2, mishandled: [{ only: 'storeFails:store#2' }] },
        subjects: [{ faults: 3, played: 2 }],
      },
    ]);
    t.equal(told.length, 1);
  },
);

t.test('what is rejected where nobody looks is held against the fault of its run', async (t) => {
  const before = new Set(process.listeners('unhandledRejection'));
  const { report } = await swept((faults) => {
    // Those of the sweep alone: the test runner has its own.
    const listeners = process.listeners('unhandledRejection').filter((one) => !before.has(one));
    if (faults.length > 0) for (const tell of listeners) tell(new Error('lost'), Promise.resolve());
    return { passed: [write(1, '')] };
  });
  t.match(report.mishandled, [{ invariant: 'process', message: /lost/ }]);
  t.equal(report.mishandled.length, 1);
});

t.test('a rule is for one place, once: the number of the place, and no later one', (t) => {
  const site = { at: 'oid', extension: 'x', oid: 'OID_SWITCH_PORT_CREATE', nth: 3 } as const;
  t.same(ruleAt(site, 9, 'veto'), {
    ...site,
    ...{ times: 1, effect: 'status', status: 'NDIS_STATUS_DATA_NOT_ACCEPTED' },
  });
  t.end();
});

t.test('calls fail; a capturing extension vetoes nothing, and lacks nothing (A17)', (t) => {
  const known = (type: 'capture' | 'filter') => () => ({ type, isWitness: false }) as const;
  const call = { at: 'call', extension: 'x', call: 'referencePort', nth: 1 } as const;
  t.ok(effectsAt(call, known('filter')).includes('callFails'));
  const oid = { at: 'oid', extension: 'x', oid: 'OID_SWITCH_PORT_CREATE', nth: 1 } as const;
  const refusals = (type: 'capture' | 'filter') =>
    effectsAt(oid, known(type)).filter((effect) => effect === 'veto' || effect === 'resources');
  t.same(refusals('filter'), ['veto', 'resources']);
  t.same(refusals('capture'), []);
  t.end();
});
