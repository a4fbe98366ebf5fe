import type { SwitchEnvironment } from './environment.ts';
import { injectedMark } from './fault-points.ts';
import type { Nic, Port } from './ports.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import type { Steps } from './steps.ts';
import type { SwitchState } from './switch-state.ts';

/**
 * Waits until nobody references a port or NIC (rules B21, B35, C31, C56), at most as long as an OID may pend: a leak is
 * reported with `rule`, of each module that has one, and does not block for ever. Operations on other ports go on meanwhile.
 */
export function* unreferenced(
  edge: ProtocolEdge,
  environment: SwitchEnvironment,
  state: SwitchState,
  held: Port | Nic,
  what: string,
  rule: string,
): Steps<void> {
  // A switch that stops waits for nobody: its extensions give everything back when they detach.
  if (held.references === 0 || state.isStopping) return;
  const free = new Promise<void>((resolve) => {
    const giveUp = (): void => {
      for (const module of edge.holding(held)) {
        const count = module.references.get(held);
        environment.finding(state.name, {
          rule,
          severity: 'error',
          message: `${module.name} kept ${count} reference(s) on ${what} for ${environment.oidTimeoutMs} ms; deleted all the same`,
          extensionId: module.id,
          ...injectedMark(undefined, module),
        });
      }
      resolve();
    };
    const timer = environment.clock.after(environment.oidTimeoutMs, giveUp, true);
    held.onUnreferenced = () => {
      timer.cancel();
      resolve();
    };
  });
  yield* edge.waitAside(free);
  held.onUnreferenced = undefined;
}
