import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { TraceEntry } from '../../src/policy/api.ts';
import type { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionHandlers, SwitchContext, Verdict } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Act } from './acts.ts';
import type { Observer } from './observer.ts';
import { libraryStage } from './run.ts';
import { SEQUENCES, type Sequence, stackOf } from './sequences.ts';
import { type Snapshot, snapshot } from './snapshot.ts';

/*
 * Veto and rollback at every step of every sequence. A clean run of the sequence finds every request that the protocol edge
 * sends and every extension it passes; then the sequence runs again for each of them, with that one extension failing that one
 * request in each of the ways below. Afterwards world, store and the other extensions are exactly as before the act (when it
 * was refused) or exactly as after it (when it was not).
 */

interface Fault {
  readonly name: string;
  readonly transientRetries: number;
  /** What the extension does the n-th time it meets the request, from 0. */
  fail(meeting: number, pend: () => { later(status: NdisStatus): Verdict }): Verdict;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'DATA_NOT_ACCEPTED',
    transientRetries: 0,
    fail: () => NdisStatus.DATA_NOT_ACCEPTED,
  },
  { name: 'RESOURCES', transientRetries: 0, fail: () => NdisStatus.RESOURCES },
  {
    name: 'RESOURCES once, asked again',
    transientRetries: 1,
    fail: (meeting) => (meeting === 0 ? NdisStatus.RESOURCES : 'forward'),
  },
  {
    name: 'RESOURCES each time it is asked',
    transientRetries: 2,
    fail: () => NdisStatus.RESOURCES,
  },
  {
    name: 'an exception',
    transientRetries: 0,
    fail: () => {
      throw new Error('broken on purpose');
    },
  },
  {
    name: 'a late DATA_NOT_ACCEPTED',
    transientRetries: 0,
    fail: (_meeting, pend) => pend().later(NdisStatus.DATA_NOT_ACCEPTED),
  },
];

/** One request of a clean run. */
interface Site {
  readonly act: number;
  /** Which request of the protocol edge in that act, from 0. */
  readonly request: number;
  readonly entry: TraceEntry;
  readonly module: number;
}

interface CleanRun {
  readonly sites: readonly Site[];
  readonly after: readonly Snapshot[];
}

const isOwn = (entry: TraceEntry): boolean =>
  entry.origin === 'protocolEdge' && entry.oid.startsWith('OID_');

async function cleanRun(sequence: Sequence): Promise<CleanRun> {
  const observers = stackOf(sequence);
  const store = new MemoryStore();
  const stage = await libraryStage(definitions(observers), { ...sequence.options, store });
  const { fabric } = stage;
  for (const act of sequence.setup) await stage.perform(act);
  const sites: Site[] = [];
  const after: Snapshot[] = [];
  for (const [index, act] of sequence.acts.entries()) {
    const afterSeq = fabric.events.lastSeq;
    await stage.perform(act);
    after.push(snapshot(fabric, store, observers));
    const own = fabric.trace.entries({ afterSeq }).filter(isOwn);
    for (const [request, entry] of own.entries()) {
      for (const [module, { definition }] of observers.entries()) {
        if (entry.route.some((step) => step.module === definition.id)) {
          sites.push({ act: index, request, entry, module });
        }
      }
    }
  }
  await stage.close();
  return { sites, after };
}

const definitions = (observers: readonly Observer[]) =>
  observers.map(({ definition }) => definition);

/** What the switch may ask again (rules B18, C24, E18). */
const RETRIED = /_(PORT_CREATE|NIC_CREATE|PROPERTY_ADD|PROPERTY_UPDATE)$/;

/** Fails the chosen request in one extension. */
class Saboteur {
  readonly #fault: Fault;
  isArmed = false;
  #left = 0;
  #oid = '';
  meetings = 0;

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  /** From now on the `request`-th request from the protocol edge is the one. */
  arm(request: number, oid: string): void {
    this.isArmed = true;
    this.#left = request;
    this.#oid = oid;
  }

  wrap(handlers: ExtensionHandlers, sw: SwitchContext): ExtensionHandlers {
    return {
      ...handlers,
      oidRequest: (request) => {
        if (!this.isArmed) return 'forward';
        if (this.#left > 0) {
          this.#left -= 1;
          return 'forward';
        }
        // Retries are fresh requests right after the failed one (OP-29); what comes then is another matter.
        const meeting = this.meetings;
        const retries = RETRIED.test(this.#oid) ? this.#fault.transientRetries : 0;
        if (meeting > retries || request.oidName !== this.#oid) return 'forward';
        this.meetings += 1;
        return this.#fault.fail(meeting, () => ({
          later: (status) => {
            const pended = request.pend();
            sw.after(1, () => request.complete(status));
            return pended;
          },
        }));
      },
    };
  }
}

/** The module sees only requests that come from above and are not its own: those of the protocol edge and of modules above. */
async function runWithFault(
  sequence: Sequence,
  clean: CleanRun,
  site: Site,
  fault: Fault,
): Promise<string | undefined> {
  const saboteur = new Saboteur(fault);
  const roles = ['capture', 'filter', 'forward'] as const;
  const role = roles[site.module] as (typeof roles)[number];
  const own = sequence[role] ?? (() => ({}));
  const sabotaged: Sequence = {
    ...sequence,
    [role]: (sw: SwitchContext) => saboteur.wrap(own(sw), sw),
  };
  const observers = stackOf(sabotaged);
  const store = new MemoryStore();
  const behaviour = { ...sequence.options?.behaviour, transientRetries: fault.transientRetries };
  const options = { ...sequence.options, store, behaviour };
  const stage = await libraryStage(definitions(observers), options);
  const { fabric } = stage;
  try {
    for (const act of sequence.setup) await stage.perform(act);
    for (const act of sequence.acts.slice(0, site.act)) await stage.perform(act);
    const before = snapshot(fabric, store, observers);
    const afterSeq = fabric.events.lastSeq;
    // Queries of extensions and requests that pass the module in other acts do not count.
    saboteur.arm(countBefore(clean, site), site.entry.oid);
    const act = sequence.acts[site.act] as Act;
    const error = await perform(act, fabric);
    const now = snapshot(fabric, store, observers);
    if (saboteur.meetings === 0) return 'the fault was not met';
    if (fabric.pending().length > 0) return 'something is still pending';
    const findings = fabric.events.after(afterSeq).filter(({ type }) => type === 'finding');
    const expected = error === undefined ? (clean.after[site.act] as Snapshot) : before;
    const outcome = error === undefined ? 'was not refused' : `was refused (${error})`;
    return difference(expected, now, observers, site.module, findings.length > 0, outcome);
  } finally {
    await stage.close();
  }
}

/** Requests of the same act that reach the module before this one. */
function countBefore(clean: CleanRun, site: Site): number {
  return clean.sites.filter(
    (other) =>
      other.act === site.act && other.module === site.module && other.request < site.request,
  ).length;
}

async function perform(act: Act, fabric: Fabric): Promise<string | undefined> {
  let ended = false;
  const done = act
    .library(fabric)
    .then(
      () => undefined,
      (error: unknown) => String(error),
    )
    .finally(() => {
      ended = true;
    });
  // What an act sets going may go on behind it: a link that goes down has a VF removed.
  for (let quiet = 0; !ended || fabric.pending().length > 0 || quiet < 3; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    fabric.clock.advance(1);
  }
  return done;
}

/**
 * An extension that ended a request which it must forward has broken a rule: it, and those below it, did not see that the request
 * went through (OP-28). What they believe is not looked at; the finding must be there.
 */
function difference(
  expected: Snapshot,
  now: Snapshot,
  observers: readonly Observer[],
  saboteur: number,
  hasFinding: boolean,
  outcome: string,
): string | undefined {
  if (stripped(now.world) !== stripped(expected.world)) {
    return `${outcome}: the world differs\n${firstLine(expected.world, now.world)}`;
  }
  if (now.store !== expected.store) {
    return `${outcome}: the store differs\n${firstLine(expected.store, now.store)}`;
  }
  for (const [index, { definition }] of observers.entries()) {
    if (hasFinding && index >= saboteur) continue;
    const was = expected.views[definition.name] ?? '';
    const is = now.views[definition.name] ?? '';
    if (was !== is)
      return `${outcome}: what ${definition.name} believes differs\n${firstLine(was, is)}`;
  }
  return undefined;
}

/** Without the mark that an extension has missed something, which is what OP-28 asks for. */
const stripped = (world: string): string => world.replaceAll(/"desynchronized": (true|false)/g, '');

function firstLine(expected: string, found: string): string {
  const was = expected.split('\n');
  const is = found.split('\n');
  const at = was.findIndex((line, i) => line !== is[i]);
  const from = at < 0 ? was.length : at;
  return `- ${was.slice(from, from + 3).join(' | ')}\n+ ${is.slice(from, from + 3).join(' | ')}`;
}

for (const sequence of SEQUENCES) {
  t.test(
    `${sequence.name}: each extension fails each request in each way; before or after, nothing between (D18, D19, D21, E16, E17, OP-28, OP-29)`,
    async (t) => {
      const clean = await cleanRun(sequence);
      let runs = 0;
      for (const site of clean.sites) {
        for (const fault of FAULTS) {
          const problem = await runWithFault(sequence, clean, site, fault);
          runs += 1;
          if (problem === undefined) continue;
          const role = ['capture', 'filter', 'forward'][site.module];
          t.fail(
            `${fault.name} by ${role} at request ${site.request} (${site.entry.oid}) of "${sequence.acts[site.act]?.title}": ${problem}`,
          );
        }
      }
      t.ok(runs > 0 || clean.sites.length === 0, `${runs} runs`);
    },
  );
}
