import { type Breach, breachKey, defectKey } from './breach.ts';
import { effectsAt, LAWFUL_EFFECTS, type SweepEffect } from './effects.ts';
import { chainName, faultName, type PassedSite, type SweepFault, siteKind } from './fault.ts';
import { bySeverity, OTHERS_SHOWN } from './joined-reports.ts';
import { StrayErrors } from './stray-errors.ts';
import type { Played, SweepSubject } from './subject.ts';
import type { ListedFault, MishandledFault, SweepReport, SweptSubject } from './sweep-report.ts';

/** How a sweep goes; the same for scenarios and extensions. */
export interface SweepOptions {
  /** Default: all that rules allow. */
  readonly effects?: readonly SweepEffect[];
  /** Only places whose name has this in it. */
  readonly site?: string;
  /** Only this fault, as a report names it. */
  readonly only?: string;
  /** Of places of one kind (the same request at the same module after the same other one), so many; default 2. */
  readonly attempts?: number;
  /** Real milliseconds after which no further run begins; default: none. */
  readonly budgetMs?: number;
  /** Runs with a fault after which no further one begins; default: none. */
  readonly maxRuns?: number;
  /** Seeds for the order of turns; default 4. */
  readonly orders?: number;
  /** Called before each run with a fault. */
  readonly progress?: (state: SweepProgress) => void;
  /**
   * Called with what is known so far, so that a sweep that is killed leaves it: when a defect shows that was not seen before, and
   * every 10 real seconds.
   */
  readonly interim?: (report: SweepReport) => void;
}

export interface SweepProgress {
  readonly subject: string;
  /** Name of the fault. */
  readonly fault: string;
  /** Faults played, and known so far: of all subjects. */
  readonly played: number;
  readonly known: number;
  readonly mishandled: number;
  /** Real milliseconds that the known ones will take; `undefined` before the first is played. */
  readonly leftMs: number | undefined;
}

const DEFAULT_ATTEMPTS = 2;
const DEFAULT_ORDERS = 4;
/** Real milliseconds between two reports on the way. */
const INTERIM_MS = 10_000;
/** What is made to happen at places that only a run with a fault passes: they fail. */
const FAILING: ReadonlySet<SweepEffect> = new Set([
  'veto',
  'resources',
  'callFails',
  'storeFails',
  'messageLost',
  'answerLost',
  'crash',
  'crashAnswered',
]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Sweeps subjects one after the other. */
export class Sweep {
  readonly #options: SweepOptions;
  readonly #effects: ReadonlySet<SweepEffect>;
  readonly #strays = new StrayErrors();
  readonly #found = new Map<string, Mutable<MishandledFault>>();
  readonly #runsByEffect: Partial<Record<SweepEffect, number>> = {};
  readonly #target: SweepReport['target'];
  readonly #swept: SubjectSweep[] = [];
  readonly #begun = performance.now();
  #toldAt = this.#begun;
  #begunPlaying = 0;
  #runs = 0;
  #known = 0;

  constructor(target: SweepReport['target'], options: SweepOptions) {
    this.#target = target;
    this.#options = options;
    this.#effects = new Set(options.effects ?? LAWFUL_EFFECTS);
  }

  /** Every fault of a subject that its run without one shows. */
  async list(subject: SweepSubject): Promise<readonly ListedFault[]> {
    const clean = await this.#run(subject, []);
    return this.#firstFaults(subject, clean.passed).map(({ name, fault }) => ({
      subject: subject.name,
      only: nameIn(subject, name),
      effect: fault.effect,
      site: fault.effect === 'reorder' ? fault.seed : name.slice(fault.effect.length + 1),
    }));
  }

  /** Plays all of them without a fault first: how much there is to do is known then. */
  async subjects(subjects: readonly SweepSubject[]): Promise<void> {
    const surveyed: Surveyed[] = [];
    for (const subject of subjects) {
      const { only } = this.#options;
      if (only?.startsWith(nameIn(subject, '')) === false) continue;
      const one = await this.#survey(subject);
      surveyed.push(one);
      this.#swept.push(one.job);
      this.#known += one.queue.length;
    }
    this.#begunPlaying = performance.now();
    for (const one of surveyed) await this.#play(one);
  }

  async #survey(subject: SweepSubject): Promise<Surveyed> {
    const { only } = this.#options;
    const clean = await this.#run(subject, []);
    const again = await this.#run(subject, []);
    const first = this.#firstFaults(subject, clean.passed);
    const queue = only === undefined ? first : await this.#only(subject, only, first);
    const job = new SubjectSweep(subject, clean, sameWay(clean, again));
    job.faults = queue.length;
    const baseline = new Set([...clean.breaches, ...again.breaches].map(breachKey));
    return { subject, baseline, job, queue };
  }

  async #play({ subject, baseline, job, queue }: Surveyed): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.#isSpent()) break;
      const { chain, name, fault } = next;
      this.#tell(subject, name);
      const played = await this.#run(subject, chain);
      this.#runs += 1;
      this.#runsByEffect[fault.effect] = (this.#runsByEffect[fault.effect] ?? 0) + 1;
      job.took(played);
      const found = this.#found.size;
      for (const breach of played.breaches) {
        if (!baseline.has(breachKey(breach))) this.#note(subject, next, breach);
      }
      if (this.#options.only === undefined && fault.effect !== 'reorder') {
        const more = this.#furtherFaults(subject, job, next, played);
        queue.push(...more);
        job.faults += more.length;
        this.#known += more.length;
      }
      this.#tellInterim(this.#found.size > found);
    }
  }

  #tellInterim(hasFound: boolean): void {
    const now = performance.now();
    if (!hasFound && now - this.#toldAt < INTERIM_MS) return;
    this.#toldAt = now;
    this.#options.interim?.(this.#soFar());
  }

  #tell({ title }: SweepSubject, fault: string): void {
    const played = this.#runs;
    const known = this.#known;
    const each = (performance.now() - this.#begunPlaying) / played;
    this.#options.progress?.({
      subject: title,
      fault,
      played,
      known,
      mishandled: this.#found.size,
      leftMs: played === 0 ? undefined : each * (known - played),
    });
  }

  /** Throws `RangeError` when the one fault that was asked for is none. */
  report(): SweepReport {
    const { only } = this.#options;
    if (only !== undefined && this.#swept.every(({ faults }) => faults === 0)) {
      throw new RangeError(`no fault is called ${JSON.stringify(only)} here`);
    }
    return this.#soFar();
  }

  #soFar(): SweepReport {
    const mishandled = bySeverity([...this.#found.values()].map((one) => ({ ...one })));
    const subjects = this.#swept.map((job) => job.outcome());
    return {
      target: this.#target,
      ok: mishandled.every(({ severity }) => severity !== 'error'),
      complete: subjects.every(({ faults, played }) => faults === played),
      mishandled,
      subjects,
      effects: { ...this.#runsByEffect },
      runs: this.#runs,
    };
  }

  #isSpent(): boolean {
    const { budgetMs, maxRuns } = this.#options;
    if (maxRuns !== undefined && this.#runs >= maxRuns) return true;
    return budgetMs !== undefined && performance.now() - this.#begun > budgetMs;
  }

  async #run(subject: SweepSubject, chain: readonly SweepFault[]): Promise<Played> {
    this.#strays.begin();
    try {
      const played = await subject.play(chain);
      // What is rejected is told after a turn of the event loop.
      await new Promise((done) => setImmediate(done));
      return { ...played, breaches: [...played.breaches, ...this.#strays.take()] };
    } finally {
      this.#strays.end();
    }
  }

  // --- which faults there are ----------------------------------------------------------------------------------------

  /** Of the run without a fault: what is new of its kind first, so that a budget is spent on what differs. */
  #firstFaults(subject: SweepSubject, passed: readonly PassedSite[]): Job[] {
    const { attempts = DEFAULT_ATTEMPTS, orders = DEFAULT_ORDERS } = this.#options;
    const seen = new Map<string, number>();
    const ranked: { readonly rank: number; readonly job: Job }[] = [];
    for (const at of passed) {
      for (const effect of effectsAt(at.site, (name) => subject.extension(name))) {
        const job = this.#job(subject, [], { effect, at });
        if (job === undefined) continue;
        const kind = `${effect}|${siteKind(at)}`;
        const rank = (seen.get(kind) ?? 0) + 1;
        seen.set(kind, rank);
        if (rank <= attempts || this.#options.only !== undefined) ranked.push({ rank, job });
      }
    }
    ranked.sort((a, b) => a.rank - b.rank);
    const jobs = ranked.map(({ job }) => job);
    for (let i = 1; i <= orders; i += 1) {
      const job = this.#job(subject, [], { effect: 'reorder', seed: String(i) });
      if (job !== undefined) jobs.push(job);
    }
    return jobs;
  }

  /** At places of a kind that nothing has passed so far: in a roll-back, a compensation, a second attempt. */
  #furtherFaults(
    subject: SweepSubject,
    known: SubjectSweep,
    { chain }: Pick<Job, 'chain'>,
    { passed }: Played,
  ): Job[] {
    const jobs: Job[] = [];
    for (const at of passed) {
      if (!known.isNew(at)) continue;
      for (const effect of effectsAt(at.site, (name) => subject.extension(name))) {
        if (!FAILING.has(effect)) continue;
        const job = this.#job(subject, chain, { effect, at });
        if (job !== undefined) jobs.push(job);
      }
    }
    return jobs;
  }

  #job(subject: SweepSubject, before: readonly SweepFault[], fault: SweepFault): Job | undefined {
    const { only, site } = this.#options;
    if (only === undefined && !this.#effects.has(fault.effect)) return undefined;
    const called = (extension: string): string => subject.called(extension);
    const own = faultName(fault, called);
    if (site !== undefined && !own.slice(fault.effect.length + 1).includes(site)) return undefined;
    const chain = [...before, fault];
    return { chain, fault, name: chainName(chain, called) };
  }

  /** The one fault that is asked for; of a chain, each is looked for among those that the ones before it bring. */
  async #only(subject: SweepSubject, only: string, first: readonly Job[]): Promise<Job[]> {
    const prefix = nameIn(subject, '');
    if (!only.startsWith(prefix)) return [];
    const wanted = only.slice(prefix.length).split('+');
    let jobs = first;
    let found: Job | undefined;
    for (const [depth] of wanted.entries()) {
      const name = wanted.slice(0, depth + 1).join('+');
      const job = jobs.find((each) => each.name === name);
      if (job === undefined) return [];
      found = job;
      if (depth + 1 === wanted.length) break;
      const { passed } = await this.#run(subject, job.chain);
      jobs = passed.flatMap((at) =>
        effectsAt(at.site, (name) => subject.extension(name)).flatMap(
          (effect) => this.#job(subject, job.chain, { effect, at }) ?? [],
        ),
      );
    }
    return found === undefined ? [] : [found];
  }

  // --- what was found ------------------------------------------------------------------------------------------------

  #note(subject: SweepSubject, { name, fault }: Job, breach: Breach): void {
    const key = defectKey(breach);
    const only = nameIn(subject, name);
    const known = this.#found.get(key);
    if (known !== undefined) {
      if (known.only === only || known.others.includes(only)) return;
      known.count += 1;
      if (known.others.length < OTHERS_SHOWN) known.others = [...known.others, only];
      return;
    }
    const { extension, rule, oid, bytes, offset, route, invariant, severity, message } = breach;
    const last = name.slice(name.lastIndexOf('+') + 1);
    this.#found.set(key, {
      subject: subject.name,
      seed: subject.seed,
      only,
      effect: fault.effect,
      site: last.slice(fault.effect.length + 1),
      invariant,
      severity,
      message,
      ...(rule === undefined ? {} : { rule }),
      ...(extension === undefined ? {} : { extension: subject.called(extension) }),
      ...(oid === undefined ? {} : { oid }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(offset === undefined ? {} : { offset }),
      ...(route === undefined ? {} : { route: route.map((id) => subject.called(id)) }),
      count: 1,
      others: [],
    });
  }
}

/** A subject before any fault: played twice, with the faults that it is known to have. */
interface Surveyed {
  readonly subject: SweepSubject;
  /** What it breaks without a fault. */
  readonly baseline: ReadonlySet<string>;
  readonly job: SubjectSweep;
  readonly queue: Job[];
}

/** One run to come. */
interface Job {
  readonly chain: readonly SweepFault[];
  /** The last of them. */
  readonly fault: SweepFault;
  readonly name: string;
}

/** The sweep of one subject, so far. */
class SubjectSweep {
  readonly #subject: SweepSubject;
  readonly #kinds: Set<string>;
  readonly #clean: Played;
  readonly #isRepeatable: boolean;
  faults = 0;
  played = 0;
  #unmet = 0;
  #newSites = 0;

  constructor(subject: SweepSubject, clean: Played, isRepeatable: boolean) {
    this.#subject = subject;
    this.#clean = clean;
    this.#isRepeatable = isRepeatable;
    this.#kinds = new Set(clean.passed.map(siteKind));
  }

  took({ met }: Played): void {
    this.played += 1;
    if (!met) this.#unmet += 1;
  }

  /** Of a kind that was not passed so far; from now on it was. */
  isNew(at: PassedSite): boolean {
    const kind = siteKind(at);
    if (this.#kinds.has(kind)) return false;
    this.#kinds.add(kind);
    this.#newSites += 1;
    return true;
  }

  outcome(): SweptSubject {
    const { name, title, seed } = this.#subject;
    const without = new Map(this.#clean.breaches.map((one) => [breachKey(one), one.message]));
    return {
      name,
      title,
      seed,
      sites: this.#clean.passed.length,
      newSites: this.#newSites,
      faults: this.faults,
      played: this.played,
      unmet: this.#unmet,
      without: [...without.values()],
      notes: this.#isRepeatable
        ? []
        : [
            'two runs without a fault took different ways: it is not the same each time it is played',
          ],
    };
  }
}

const nameIn = ({ name }: SweepSubject, fault: string): string =>
  name === '' ? fault : `${name}/${fault}`;

function sameWay(one: Played, other: Played): boolean {
  const way = ({ passed }: Played): string =>
    passed.map(({ host, life, site }) => JSON.stringify([host, life, site])).join('\n');
  return way(one) === way(other);
}
