import { oidName } from '../src/abi/index.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { isErrorStatus, NdisStatus, statusName } from '../src/core/status.ts';
import type { Pended } from '../src/sdk/extension.ts';
import { changedByte, changeText, keepLoweredMtu, restoreBytes } from './allowed-changes.ts';
import type { Finding, SwitchEnvironment } from './environment.ts';
import { whenSettled } from './extension-promise.ts';
import {
  completeTwice,
  type Injection,
  inject,
  injectedMark,
  type RequestFate,
  stoodIn,
  thrown,
} from './fault-points.ts';
import type { FilterModule } from './filter-module.ts';
import { describe, evidenceOf, heldTooLong, ofCounters } from './finding-text.ts';
import { goesOnWithout, mustForward } from './must-forward.ts';
import { judgeEnding, judgeForwarding } from './nic-request-endings.ts';
import type { SwitchObserver } from './observer.ts';
import { type OidRequest, PENDED } from './oid-request.ts';
import { endRule } from './oid-rules.ts';

/** What a module's handler came to: pass on, keep, or a status that ends the request here. */
const FORWARD = -1;
const PEND = -2;
const PORT_CREATE = 0x10278;
const NIC_CREATE = 0x1027a;

/** The bottom of the stack: completes what no extension completed (rule A6). */
export interface MiniportEdge {
  complete(request: OidRequest): NdisStatus;
}

/**
 * The way of an OID request down the stack and of its completion back up (rules D1, D2, D5-D8, D18, D19, D21).
 *
 * Synchronous: {@link start} returns with `request.done` set unless a module pended the request or holds another one
 * (then it waits in that module's queue). A handler that throws, answers nonsense, completes twice or changes bytes it
 * may not change is contained here and reported; the switch goes on.
 */
export class Pipeline {
  readonly #environment: SwitchEnvironment;
  readonly #switchName: string;
  readonly #miniport: MiniportEdge;
  readonly #observer: SwitchObserver | undefined;
  /** Requests issued and not done, by id: what `!ndiskd.oid` shows. */
  readonly inFlight = new Map<number, OidRequest>();
  #lastId = 0;
  #closed = false;
  /** Modules that became free and have requests waiting; worked off in a loop, not by recursion. */
  readonly #free: FilterModule[] = [];
  #draining = false;

  constructor(environment: SwitchEnvironment, switchName: string, miniport: MiniportEdge) {
    this.#environment = environment;
    this.#switchName = switchName;
    this.#miniport = miniport;
    this.#observer = environment.observer;
  }

  /** Sends `request` from below `request.origin` down `modules`. */
  start(request: OidRequest, modules: readonly FilterModule[]): void {
    this.#lastId += 1;
    request.id = this.#lastId;
    request.issuedAt = this.#environment.clock.now();
    request.modules = modules;
    request.position = request.origin + 1;
    if (request.type === 12) request.methodInput = request.buffer.slice(0, request.inputLength);
    if (this.#observer !== undefined && request.origin >= 0) {
      const issuer = modules[request.origin] as FilterModule;
      this.#observer.issued(this.#switchName, issuer, request);
    }
    this.#walk(request);
    if (!request.done) this.inFlight.set(request.id, request);
  }

  #walk(request: OidRequest): void {
    const modules = request.modules;
    while (request.position < modules.length) {
      const module = modules[request.position] as FilterModule;
      // Rule D1: one request at a time in one module; the next waits until that one has completed.
      if (module.current !== undefined) {
        module.queue.push(request);
        return;
      }
      module.current = request;
      this.#observer?.arrived(this.#switchName, module, request);
      const verdict = this.#call(module, request);
      if (this.#observer !== undefined) this.#tell(this.#observer, module, request, verdict);
      if (verdict === PEND) return;
      if (request.pristine !== undefined) this.#checkBytes(module, request, verdict !== FORWARD);
      if (verdict !== FORWARD) {
        this.#finish(request, module, verdict as NdisStatus);
        return;
      }
      if (request.encapsulated !== undefined) this.#forwarded(module, request, false);
      request.position += 1;
    }
    // Rule D5: the counters are those of whoever completes the request.
    request.bytesRead = request.bytesWritten = request.bytesNeeded = 0;
    this.#finish(request, undefined, this.#atEdge(request));
  }

  #tell(
    observer: SwitchObserver,
    module: FilterModule,
    request: OidRequest,
    verdict: number,
  ): void {
    const answer =
      verdict === FORWARD ? 'forward' : verdict === PEND ? 'pend' : (verdict as NdisStatus);
    observer.answered(this.#switchName, module, request, answer);
  }

  #call(module: FilterModule, request: OidRequest): number {
    const { faults } = this.#environment;
    if (faults !== undefined) {
      const fate = faults.request(this.#switchName, module, request);
      if (fate !== undefined) return this.#suffer(module, request, fate);
    }
    return this.#handle(module, request);
  }

  /** Runs the module's handlers for this request. */
  #handle(module: FilterModule, request: OidRequest): number {
    let answer: unknown;
    request.running = module;
    try {
      answer = module.dispatch(request, this);
    } catch (error) {
      request.running = undefined;
      return this.#threw(module, request, error);
    }
    request.running = undefined;
    if (answer === 'forward' || answer === undefined) {
      if (request.holder === undefined) return FORWARD;
      if (answer === undefined) return this.#keep(module, request);
      return this.#pendedAndAnswered(module, request, FORWARD);
    }
    return this.#judge(module, request, answer);
  }

  #judge(module: FilterModule, request: OidRequest, answer: unknown): number {
    if (answer === PENDED || answer === NdisStatus.PENDING) {
      if (request.holder === undefined) request.holder = module;
      return this.#keep(module, request);
    }
    if (typeof answer === 'number') {
      if (request.holder !== undefined) return this.#pendedAndAnswered(module, request, answer);
      return this.#judgeStatus(module, request, answer);
    }
    const byHand = request.holder !== undefined;
    const isPromised = whenSettled(
      answer,
      (late) => this.#settlePromise(module, request, late, byHand),
      (error) => this.#rejectPromise(module, request, error),
    );
    if (isPromised) {
      request.holder = module;
      return this.#keep(module, request);
    }
    request.holder = undefined;
    request.early = undefined;
    this.#find(module, request, {
      rule: 'D6',
      severity: 'error',
      message: `answered ${describe(answer)}: a verdict is 'forward', an NdisStatus or pend(request); forwarded`,
    });
    return FORWARD;
  }

  /** Only what the OID allows ends it here (rule book D.3); the rest is a violation and the sequence goes on (OP-28). */
  #judgeStatus(module: FilterModule, request: OidRequest, status: number): number {
    if (!Number.isInteger(status) || status < 0 || status > 0xffffffff) {
      this.#find(module, request, {
        rule: 'D6',
        severity: 'error',
        message: `completed with ${status}, which is no NDIS_STATUS; taken as NDIS_STATUS_FAILURE`,
      });
      return this.#judgeStatus(module, request, NdisStatus.FAILURE);
    }
    if (request.encapsulated !== undefined) {
      const { stands, finding } = judgeEnding(module, request.encapsulated, status);
      if (finding !== undefined) this.#find(module, request, finding);
      return stands ? status : FORWARD;
    }
    const end = endRule(request.oidIndex);
    const failed = isErrorStatus(status);
    // Rules D19, E16: only SUCCESS is success.
    if (!failed && status !== NdisStatus.SUCCESS && end.by !== 'never') {
      this.#find(module, request, {
        rule: 'D19',
        severity: 'error',
        message: `completed ${oidName(request.oid)} with ${statusName(status)}, which is neither success nor an error; taken as NDIS_STATUS_FAILURE`,
      });
      return this.#judgeStatus(module, request, NdisStatus.FAILURE);
    }
    if (end.by === 'never') return this.#mustForward(module, request, status, end.rule);
    if (end.by === 'veto' && !failed) {
      this.#find(module, request, {
        rule: end.rule,
        severity: 'error',
        message: `completed ${oidName(request.oid)} with ${statusName(status)}; it must forward it or fail it`,
      });
      module.desynchronizeBelow(request);
      return NdisStatus.SUCCESS;
    }
    // Rules A17, E36: a capturing extension never vetoes; the error counts all the same (rule D19).
    if (failed && module.type === 'capture' && end.by !== 'owner') {
      this.#find(module, request, {
        rule: request.oid === PORT_CREATE || request.oid === NIC_CREATE ? 'A17' : 'E36',
        severity: 'error',
        message: `a capturing extension failed ${oidName(request.oid)} with ${statusName(status)}`,
      });
    }
    if (end.by === 'property' && !failed && module.type !== 'forward') {
      this.#find(module, request, {
        rule: 'E28',
        severity: module.type === 'capture' ? 'error' : 'warning',
        message: `a ${module.type} extension completed ${oidName(request.oid)} with success instead of forwarding it`,
      });
      // OP-28: whoever is below has missed it.
      module.desynchronizeBelow(request);
    }
    if (failed && mustForward(request)) {
      return this.#mustForward(module, request, status, 'C37');
    }
    return status;
  }

  #mustForward(module: FilterModule, request: OidRequest, status: number, rule: string): number {
    this.#find(module, request, {
      rule,
      severity: 'error',
      message: `completed ${oidName(request.oid)} with ${statusName(status)}; it must forward it`,
    });
    // A query that is not answered below would be answered with nothing: pass it on. A set goes on as if it succeeded.
    if (request.type !== 1) return FORWARD;
    module.desynchronizeBelow(request);
    return NdisStatus.SUCCESS;
  }

  #threw(module: FilterModule, request: OidRequest, error: unknown): number {
    request.holder = undefined;
    request.early = undefined;
    this.#find(module, request, {
      rule: ofCounters(error) ? 'D5' : 'D6',
      severity: 'error',
      message: `threw in its handler of ${oidName(request.oid)}: ${describe(error)}`,
    });
    // Rule D38: what it sent in the request's place has happened; sending the original as well would do it twice.
    const replacement = request.encapsulated?.replacement;
    if (replacement?.by === module && replacement.status !== NdisStatus.PENDING) {
      return replacement.status;
    }
    // Rule D23: what may not fail goes on; everything else fails here.
    return mustForward(request) ? FORWARD : NdisStatus.FAILURE;
  }

  // --- injected faults -----------------------------------------------------------------------------------------------

  #atEdge(request: OidRequest): NdisStatus {
    const fate = this.#environment.faults?.request(this.#switchName, undefined, request);
    if (fate?.effect !== 'status') return this.#miniport.complete(request);
    inject(request, { rule: fate.rule, module: undefined, effect: 'status', excuses: false });
    return fate.status;
  }

  #suffer(module: FilterModule, request: OidRequest, fate: RequestFate): number {
    const { rule, effect } = fate;
    const injection = inject(request, { rule, module, effect, excuses: effect !== 'twice' });
    switch (effect) {
      case 'status':
        return stoodIn(module, fate.status, this.#judgeStatus(module, request, fate.status));
      case 'throw':
        return stoodIn(module, NdisStatus.FAILURE, this.#threw(module, request, thrown()));
      case 'hang':
        request.holder = module;
        return this.#keep(module, request);
      case 'delay':
        return this.#delay(module, request, fate.delayMs, injection);
      case 'twice':
        return this.#handle(module, request);
    }
  }

  /** Held as by its own `pend` (rule D6), unless it may hold nothing any more. */
  #delay(module: FilterModule, request: OidRequest, delayMs: number, injection: Injection): number {
    if (this.#closed || module.leaving) {
      injection.excuses = false;
      return this.#handle(module, request);
    }
    const timer = this.#environment.clock.after(delayMs, () => {
      module.timers.delete(timer);
      if (request.done || request.holder !== module) return;
      request.timer?.cancel();
      request.timer = undefined;
      request.holder = undefined;
      // From here on it does all by itself.
      injection.excuses = false;
      const verdict = this.#handle(module, request);
      if (verdict !== PEND) this.#resume(module, request, verdict);
    });
    module.timers.add(timer);
    request.holder = module;
    return this.#keep(module, request);
  }

  // --- pending -------------------------------------------------------------------------------------------------------

  /** `pend(request)`: legal only while the module's own handler for it runs. */
  pend(request: OidRequest, module: FilterModule): Pended {
    if (request.running !== module || request.status !== NdisStatus.PENDING) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${oidName(request.oid)} can be pended only inside the handler that received it`,
        { rule: 'D6', oid: oidName(request.oid), extensionId: module.id },
      );
    }
    request.holder = module;
    return PENDED;
  }

  #keep(module: FilterModule, request: OidRequest): number {
    request.stops ??= [];
    request.stops.push({ module, verdict: 'pend' });
    // Completed before the handler returned (NdisFOidRequestComplete inside FilterOidRequest): nothing to keep.
    const early = request.early;
    if (early !== undefined) {
      request.early = undefined;
      request.holder = undefined;
      return early === 'forward'
        ? this.#stopForward(module, request)
        : this.#judgeStatus(module, request, early);
    }
    if (this.#closed || module.leaving) {
      request.holder = undefined;
      return this.#closed || !goesOnWithout(request)
        ? NdisStatus.REQUEST_ABORTED
        : this.#stopForward(module, request);
    }
    const { clock, oidTimeoutMs } = this.#environment;
    request.endsAt = clock.now() + oidTimeoutMs;
    const timedOut = (): void => {
      for (const found of heldTooLong(request, oidTimeoutMs, module.wantsRestart)) {
        this.#find(module, request, found);
      }
      // Rule D23 again: what must be forwarded is forwarded for it, the rest is aborted.
      const verdict = mustForward(request) ? FORWARD : NdisStatus.REQUEST_ABORTED;
      if (injectedMark(request, module).injected === true) stoodIn(module, undefined, verdict);
      this.#resume(module, request, verdict);
    };
    request.timer = clock.after(oidTimeoutMs, timedOut, true);
    module.onHeld?.();
    return PEND;
  }

  #stopForward(module: FilterModule, request: OidRequest): number {
    request.stops?.push({ module, verdict: 'forward' });
    return FORWARD;
  }

  #pendedAndAnswered(module: FilterModule, request: OidRequest, answer: number): number {
    request.holder = undefined;
    request.early = undefined;
    this.#find(module, request, {
      rule: 'D8',
      severity: 'error',
      message: `pended ${oidName(request.oid)} and answered it as well; the answer counts`,
    });
    return answer === FORWARD ? FORWARD : this.#judgeStatus(module, request, answer);
  }

  /** `complete(status)` or `forward()` on a request handle. */
  completePended(request: OidRequest, module: FilterModule, verdict: number | 'forward'): void {
    if (request.done || request.holder !== module || request.early !== undefined) {
      this.#find(module, request, {
        rule: request.done || request.early !== undefined ? 'NdisOidDoubleComplete' : 'D8',
        severity: 'error',
        message: request.done
          ? `completed ${oidName(request.oid)} again after it had completed with ${statusName(request.status)}`
          : `completed ${oidName(request.oid)}, which it does not hold: it never pended it, or ended it already`,
      });
      return;
    }
    if (verdict === NdisStatus.PENDING) {
      this.#find(module, request, {
        rule: 'D6',
        severity: 'error',
        message: `completed ${oidName(request.oid)} with NDIS_STATUS_PENDING; taken as NDIS_STATUS_FAILURE`,
      });
      verdict = NdisStatus.FAILURE;
    }
    if (request.running === module) {
      request.early = verdict;
      return;
    }
    if (verdict === 'forward') this.#forwarded(module, request, true);
    this.#resume(
      module,
      request,
      verdict === 'forward'
        ? this.#stopForward(module, request)
        : this.#judgeStatus(module, request, verdict),
    );
  }

  /** `byHand`: the handler had called `pend()` itself, so that a promise of nothing leaves the request to its handle. */
  #settlePromise(module: FilterModule, request: OidRequest, late: unknown, byHand: boolean): void {
    if (late === PENDED || (byHand && late === undefined)) return;
    if (request.done || request.holder !== module) {
      if (this.#closed) return;
      this.#find(module, request, {
        rule: 'NdisOidDoubleComplete',
        severity: 'error',
        message: `settled its promise for ${oidName(request.oid)} after the request had ended`,
      });
      return;
    }
    if (late === undefined || late === 'forward') {
      this.#forwarded(module, request, true);
      this.#resume(module, request, this.#stopForward(module, request));
      return;
    }
    const status = typeof late === 'number' && late !== NdisStatus.PENDING ? late : Number.NaN;
    this.#resume(module, request, this.#judgeStatus(module, request, status));
  }

  /** What a module that forwards a NIC_REQUEST may have broken. */
  #forwarded(module: FilterModule, request: OidRequest, isLate: boolean): void {
    if (request.encapsulated === undefined) return;
    const finding = judgeForwarding(module, request.encapsulated, isLate);
    if (finding !== undefined) this.#find(module, request, finding);
  }

  #rejectPromise(module: FilterModule, request: OidRequest, error: unknown): void {
    if (request.holder !== module) return;
    this.#resume(module, request, this.#threw(module, request, error));
  }

  #resume(module: FilterModule, request: OidRequest, verdict: number): void {
    request.holder = undefined;
    request.timer?.cancel();
    request.timer = undefined;
    if (this.#observer !== undefined) this.#tell(this.#observer, module, request, verdict);
    if (request.pristine !== undefined) this.#checkBytes(module, request, verdict !== FORWARD);
    if (verdict === FORWARD) {
      request.position += 1;
      this.#walk(request);
    } else {
      this.#finish(request, module, verdict as NdisStatus);
    }
    module.onReleased?.();
  }

  // --- completion ----------------------------------------------------------------------------------------------------

  /** Completes upwards in reverse order (rules D5, D14, D21): lower modules learn first, then everybody's queue moves on. */
  #finish(request: OidRequest, completer: FilterModule | undefined, status: NdisStatus): void {
    const { brokenBy } = request;
    const isEnforced = brokenBy !== undefined && status === NdisStatus.SUCCESS;
    request.status = isEnforced ? NdisStatus.FAILURE : status;
    request.completedBy = isEnforced ? brokenBy : completer;
    // From here on the answer is what nobody may change.
    if (request.pristine !== undefined) request.pristine = request.buffer.slice(0, request.length);
    const modules = request.modules;
    let waiting = false;
    for (
      let i = completer === undefined ? modules.length - 1 : request.position;
      i > request.origin;
      i -= 1
    ) {
      const module = modules[i] as FilterModule;
      if (module !== completer) {
        if (module.seesCompletions) this.#completeCallback(module, request);
        this.#observer?.returned(this.#switchName, module, request);
      }
      module.current = undefined;
      if (module.queue.length > 0) {
        waiting = true;
        this.#free.push(module);
      }
    }
    request.done = true;
    if (this.inFlight.size > 0) this.inFlight.delete(request.id);
    this.#environment.trace.record(this.#switchName, request);
    if (request.injected !== undefined) completeTwice(request, this);
    const onComplete = request.onComplete;
    if (onComplete !== undefined) onComplete(request);
    if (waiting) this.#drain();
  }

  /** Lets waiting requests go on, the lowest module's first. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (;;) {
      const module = this.#free.shift();
      if (module === undefined) break;
      if (module.current !== undefined) continue;
      const request = module.queue.shift();
      if (request !== undefined) this.#walk(request);
    }
    this.#draining = false;
  }

  #completeCallback(module: FilterModule, request: OidRequest): void {
    const report = (error: unknown): void =>
      this.#find(module, request, {
        rule: ofCounters(error) ? 'D5' : 'D14',
        severity: 'error',
        message: `threw in oidRequestComplete of ${oidName(request.oid)}: ${describe(error)}`,
      });
    request.running = module;
    try {
      const result: unknown = module.oidRequestComplete(request, this);
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
    request.running = undefined;
    if (request.pristine !== undefined) this.#checkBytes(module, request, false);
  }

  /** What `module` issued itself and has not completed. */
  issuedBy(module: FilterModule): OidRequest[] {
    return [...this.inFlight.values()].filter(
      (request) => request.origin >= 0 && request.modules[request.origin] === module,
    );
  }

  /**
   * Ends what `held` holds, also what comes to it from now on (rule A63): what must be forwarded goes on (rule D23), the
   * rest ends with REQUEST_ABORTED. Returns what it held.
   */
  abortHeldBy(held: FilterModule): OidRequest[] {
    held.leaving = true;
    return this.#abort((holder) => holder === held, true);
  }

  /** Ends everything in flight with REQUEST_ABORTED and lets nobody hold a request any more (reset, close). */
  close(): void {
    this.#closed = true;
    this.#abort(() => true, false);
  }

  #abort(matches: (holder: FilterModule) => boolean, sparing: boolean): OidRequest[] {
    const aborted: OidRequest[] = [];
    for (const request of [...this.inFlight.values()]) {
      const { holder } = request;
      if (holder === undefined || !matches(holder)) continue;
      aborted.push(request);
      const goesOn = sparing && goesOnWithout(request);
      this.#resume(holder, request, goesOn ? FORWARD : NdisStatus.REQUEST_ABORTED);
    }
    return aborted;
  }

  // --- containment ---------------------------------------------------------------------------------------------------

  /** Rules D4, B26, C42, E22, F10: what a handler scribbled is put back and reported with its place. */
  #checkBytes(module: FilterModule, request: OidRequest, answered: boolean): void {
    const pristine = request.pristine;
    if (pristine === undefined) return;
    const change = changedByte(request, pristine, answered);
    if (change !== undefined) {
      this.#find(module, request, {
        rule: change.rule,
        severity: 'error',
        offset: change.offset,
        message: `changed ${changeText(change, request)}; put back`,
      });
      restoreBytes(request, pristine, answered);
    }
    keepLoweredMtu(request, pristine);
  }

  #find(
    module: FilterModule,
    request: OidRequest,
    finding: Omit<Finding, 'extensionId' | 'oid' | 'request'>,
  ): void {
    const mark = injectedMark(request, module);
    const isHeldAgainst = finding.severity === 'error' && mark.injected === undefined;
    if (this.#environment.enforce === true && isHeldAgainst) request.brokenBy ??= module;
    const found = request.note({
      ...finding,
      message: `${module.name} ${finding.message}`,
      extensionId: module.id,
      oid: oidName(request.oid),
      request: request.id,
      ...mark,
      ...(this.#observer === undefined ? {} : evidenceOf(request)),
    });
    this.#environment.finding(this.#switchName, found);
  }
}
