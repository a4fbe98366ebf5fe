import type { FilterModule } from '../../../switch/filter-module.ts';
import type { Answer, SwitchObserver } from '../../../switch/observer.ts';
import type { OidRequest } from '../../../switch/oid-request.ts';
import { oidName } from '../../abi/index.ts';
import type { Breach } from './breach.ts';

/**
 * An observer before another one that looks whether each module that forwarded a request hears of its completion, once (rules
 * D14, D21): also when a module below refused it, and what had been done is undone. `made` hears the name of each switch.
 */
export function watchingCompletions(
  inner: SwitchObserver,
  complain: (breach: Breach) => void,
  made: (switchName: string) => void,
): SwitchObserver & { check(): void } {
  /** Request → modules that have forwarded it and not heard. */
  const open = new Map<OidRequest, Map<FilterModule, string>>();
  const say = (module: FilterModule, request: OidRequest, what: string): void =>
    complain({
      invariant: 'heard',
      rule: 'D14',
      severity: 'error',
      message: `${module.name} ${what} of ${oidName(request.oid)}, which it had forwarded`,
      oid: oidName(request.oid),
    });
  const watch: SwitchObserver & { check(): void } = {
    created: (machine) => {
      made(machine.state.name);
      inner.created(machine);
    },
    moved: (...of) => inner.moved(...of),
    arrived: (...of) => inner.arrived(...of),
    answered(switchName, module, request, answer: Answer) {
      if (answer === 'forward') {
        const waiting = open.get(request) ?? new Map<FilterModule, string>();
        waiting.set(module, switchName);
        open.set(request, waiting);
      }
      inner.answered(switchName, module, request, answer);
    },
    returned(switchName, module, request) {
      const waiting = open.get(request);
      if (waiting?.delete(module) !== true) say(module, request, 'heard a second completion');
      else if (waiting.size === 0) open.delete(request);
      inner.returned(switchName, module, request);
    },
    issued: (...of) => inner.issued(...of),
    referenced: (...of) => inner.referenced(...of),
    dereferenced: (...of) => inner.dereferenced(...of),
    indicated: (...of) => inner.indicated(...of),
    sawIndication: (...of) => inner.sawIndication(...of),
    check() {
      for (const [request, waiting] of open) {
        if (!request.done) continue;
        for (const module of waiting.keys()) {
          if (module.state !== 'detached') say(module, request, 'never heard the completion');
        }
      }
      open.clear();
    },
  };
  return watch;
}
