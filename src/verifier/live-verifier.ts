import type { FabricOptions, VerifierMode } from '../policy/api.ts';
import { RULE_CHECKS } from './checks/index.ts';
import { Verifier } from './verifier.ts';

/**
 * What to give `Fabric.open` for a world in which every extension is verified while it works. Findings go to events, trace, log
 * and counters, with the offending request's bytes and the modules it had passed.
 *
 * ```ts
 * const fabric = await Fabric.open({ ...liveVerifier('enforce'), extensions: [filter] });
 * ```
 */
export function liveVerifier(mode: VerifierMode): Pick<FabricOptions, 'observer' | 'enforce'> {
  if (mode === 'off') return {};
  const enforce = mode === 'enforce';
  return {
    observer: (host) => new Verifier({ ...host, checks: RULE_CHECKS, enforce }),
    enforce,
  };
}
