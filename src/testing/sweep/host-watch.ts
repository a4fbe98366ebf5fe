import type { Finding } from '../../../switch/environment.ts';
import type { SwitchObserver } from '../../../switch/observer.ts';
import type {
  FabricEvent,
  FabricInterface,
  ObserverFactory,
  TraceEntry,
} from '../../policy/api.ts';
import type { FaultSite } from '../../policy/faults-api.ts';
import { RULE_CHECKS } from '../../verifier/checks/index.ts';
import { Verifier } from '../../verifier/verifier.ts';
import { HostTrace } from '../simulation/trace-checks.ts';
import { type Breach, type Invariant, ofFinding } from './breach.ts';
import { watchingCompletions } from './completion-watch.ts';
import type { SweepFault } from './fault.ts';

export type Complain = (breach: Breach) => void;

/** Findings that say an extension refused what was to come back: then the world is not what was stored until a restart. */
const LOSS =
  /was to be connected again|made again|stays as it is|stays on the synthetic path|stays stored|kept with the VM/;
/** One that an extension refused to undo: those above it were told that it stays (rule E17). */
const TAKEN_BACK = /to take back/;

/** Rules D40, D42, and Driver Verifier's name of the first. */
const ENDS_LIKE_ITS_OWN = /^(D40|D42|NdisOidComplete)$/;

/** One process of a host, watched: what its extensions do, what its trace and its events say. */
export class HostWatch {
  readonly #complain: Complain;
  /** Extension id → type; grows with what is installed. */
  readonly #types = new Map<string, string>();
  readonly #trace = new HostTrace(this.#types);
  #seen = 0;
  #heard = 0;
  readonly #checks: (() => void)[] = [];
  /** Names of the switches that were made since the trace was looked at: also of those that were refused before they were active. */
  readonly #made: string[] = [];
  /** An extension refused an undo: what is shown is not what is stored, and what others believe is not what is shown. */
  isLossy = false;

  readonly #isRefusalRun: boolean;
  /** Who is made to refuse, if that is the last fault; the one refusal is taken out when it has been told. */
  readonly #refusals: FaultSite[];
  /** Calls of nicRequest that are made to fail, and whose original has not ended in the same way yet. */
  readonly #unsent: FaultSite[];

  constructor(chain: readonly SweepFault[], complain: Complain) {
    this.#complain = complain;
    const last = chain.at(-1);
    const isRefusal = last?.effect === 'veto' || last?.effect === 'resources';
    this.#isRefusalRun = isRefusal;
    this.#refusals = isRefusal ? [last.at.site] : [];
    this.#unsent = chain.flatMap((fault) =>
      fault.effect === 'callFails' && fault.at.site.call === 'nicRequest' ? [fault.at.site] : [],
    );
  }

  /** What watches the extensions of the world to be opened. */
  readonly observer: ObserverFactory = (host) =>
    this.watching(new Verifier({ ...host, checks: RULE_CHECKS }));

  /** The same with a verifier of somebody's own. */
  watching(verifier: Verifier): SwitchObserver {
    const watch = watchingCompletions(verifier, this.#complain, (name) => this.#made.push(name));
    this.#checks.push(() => watch.check());
    return watch;
  }

  /** Takes what is new. */
  gather(fabric: FabricInterface): void {
    for (const { id, type } of fabric.extensions.list()) this.#types.set(id, type);
    if (hasOneThatRefuses(fabric)) this.isLossy = true;
    const entries: readonly TraceEntry[] = fabric.trace.entries({ afterSeq: this.#seen });
    this.#seen = entries.at(-1)?.seq ?? this.#seen;
    const events = fabric.events.after(this.#heard);
    this.#heard = events.at(-1)?.seq ?? this.#heard;
    this.#trace.add(entries, this.#made.splice(0), this.#said);
    for (const event of events) if (event.type === 'finding') this.#finding(event);
  }

  /** The process has ended: each request of it must have. `sendsByHand`: some were such as no switch sends, in any order. */
  end(sendsByHand = false): void {
    if (!sendsByHand) this.#trace.check(this.#said);
    for (const check of this.#checks) check();
  }

  readonly #said = (invariant: string, message: string): void =>
    this.#complain({ invariant: invariant as Invariant, severity: 'error', message });

  /**
   * Rule D38: who redirects a request may not forward the original and has to complete it when its own request of the same OID
   * completes. One that could not be sent has completed with a failure, so the original has to fail, which D40 and D42 forbid:
   * of the same extension and OID, once for each call that failed, and not its alteration (`offset`), which nothing asks for.
   */
  #endsLikeItsOwn({ rule, extensionId, oid, offset }: Finding): boolean {
    if (!ENDS_LIKE_ITS_OWN.test(rule) || offset !== undefined) return false;
    return wasTaken(this.#unsent, (site) => site.extension === extensionId && site.oid === oid);
  }

  /**
   * Rules E17, D19, D22: what is refused is a failed change, also when it was to be undone, and management says so. Who refuses that
   * does wrong unless the refusal is the fault: one, of that extension. Some findings do not say whose refusal it was.
   */
  #isInjectedRefusal({ extensionId }: Finding): boolean {
    if (extensionId === undefined) return this.#isRefusalRun;
    return wasTaken(this.#refusals, ({ extension }) => extension === extensionId);
  }

  #finding({ data }: FabricEvent): void {
    const finding = data as unknown as Finding & { readonly injected?: true };
    if (LOSS.test(finding.message) || TAKEN_BACK.test(finding.message)) {
      // What management says when what it wants back is refused: it says so, and that is right.
      this.isLossy = true;
      if (finding.severity !== 'error' || this.#isInjectedRefusal(finding)) return;
    }
    if (this.#endsLikeItsOwn(finding)) return;
    if (finding.injected !== true) this.#complain(ofFinding(finding));
  }
}

/** Takes one that fits out of the list: a fault happens once, and has each consequence once. */
function wasTaken(sites: FaultSite[], fits: (site: FaultSite) => boolean): boolean {
  const found = sites.findIndex(fits);
  if (found < 0) return false;
  sites.splice(found, 1);
  return true;
}

/** OP-31: an extension that could not learn what is there may refuse to run; what it was to do it does not do then. */
function hasOneThatRefuses(fabric: FabricInterface): boolean {
  for (const { id } of fabric.switches.list()) {
    for (const { enabled, running, problem } of fabric.switches.get(id).extensions.list()) {
      if (enabled && !running && problem !== undefined) return true;
    }
  }
  return false;
}
