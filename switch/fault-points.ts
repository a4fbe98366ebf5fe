import { NdisStatus } from '../src/core/status.ts';
import type { FilterModule } from './filter-module.ts';
import type { OidRequest } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';

/** What an extension asks of its switch that may fail for want of resources, as NdisAllocate… does in a driver. */
export const FAILING_CALLS = ['referencePort', 'referenceNic', 'request', 'nicRequest'] as const;
export type FailingCall = (typeof FAILING_CALLS)[number];

/**
 * What befalls a request at one module in place of its handlers. `delay`: the module holds it for that many virtual milliseconds,
 * then the handlers run; `twice`: they run, and when the request has completed the module completes it again.
 */
export type RequestFate = {
  /** Id of the rule that says so. */
  readonly rule: string;
} & (
  | { readonly effect: 'status'; readonly status: NdisStatus }
  | { readonly effect: 'throw' | 'hang' | 'twice' }
  | { readonly effect: 'delay'; readonly delayMs: number }
);

/** What a call is about: what it names. */
export interface CallSubject {
  readonly portId?: number;
  /** Code of the OID of a `request` or `nicRequest`. */
  readonly oid?: number;
}

/**
 * Where a switch asks whether something is to fail. Calls are synchronous, in the order of the switch; without one nothing is
 * asked.
 */
export interface FaultPoints {
  /** A request is about to reach the handlers of `module`; `undefined` stands for the miniport edge, where only a status can befall it. */
  request(
    switchName: string,
    module: FilterModule | undefined,
    request: OidRequest,
  ): RequestFate | undefined;
  /** A module calls its switch; a status: the call fails with it. */
  call(
    switchName: string,
    module: FilterModule,
    call: FailingCall,
    subject: CallSubject,
  ): NdisStatus | undefined;
}

/** What befell a request at one module, or a call that the module made while it had the request. */
export interface Injection {
  /** Id of the rule. */
  readonly rule: string;
  /** `undefined` stands for the miniport edge. */
  readonly module: FilterModule | undefined;
  /** An effect of {@link RequestFate}, or the name of an act. */
  readonly effect: string;
  readonly call?: FailingCall;
  /** It stands in for what the module does: what is found now is its doing. Not while the module's own handlers run. */
  excuses: boolean;
}

/** A fault as a trace entry tells it. */
export interface TraceFault {
  /** Id of the rule. */
  readonly rule: string;
  /** Id of the extension, or `miniportEdge`. */
  readonly module: string;
  /** `status`, `throw`, `hang`, `delay`, `twice`, or the name of an act. */
  readonly effect: string;
  /** The call of the extension that failed, while it had the request. */
  readonly call?: FailingCall;
}

/**
 * For a finding: what a fault that was injected did is not held against the module. Without a request: what the module has just
 * now, or what it missed before because a fault stood in for a handler that it must run.
 */
export function injectedMark(
  request: OidRequest | undefined,
  module: FilterModule,
): { readonly injected?: true } {
  const { injected } = request ?? module.current ?? {};
  const isInjected =
    injected?.some((one) => one.excuses && one.module === module) === true ||
    (request === undefined && module.missedByFault);
  return isInjected ? { injected: true } : {};
}

/** Writes down what befalls the request: its trace entry tells. */
export function inject(request: OidRequest, injection: Injection): Injection {
  request.injected ??= [];
  request.injected.push(injection);
  return injection;
}

/**
 * The verdict with which a request goes on for whose handlers a fault stood in, to end it with `status`. When it is not ended (a
 * negative verdict, or success all the same) it is one that the module ought to have handled.
 */
export function stoodIn(
  module: FilterModule,
  status: NdisStatus | undefined,
  verdict: number,
): number {
  if (verdict < 0 || (verdict === NdisStatus.SUCCESS && status !== NdisStatus.SUCCESS)) {
    module.missedByFault = true;
  }
  return verdict;
}

/** What a handler throws that is made to. */
export const thrown = (): Error => new Error('a fault was injected');

/** Each module that is to complete the request twice does; what is found meanwhile is not its doing. */
export function completeTwice(request: OidRequest, pipeline: Pipeline): void {
  for (const injection of request.injected ?? []) {
    const { module, effect } = injection;
    if (effect !== 'twice' || module === undefined) continue;
    injection.excuses = true;
    pipeline.completePended(request, module, request.status);
    injection.excuses = false;
  }
}
