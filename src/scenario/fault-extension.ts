import { statusName } from '../core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  OidRequest,
  SwitchContext,
  Verdict,
} from '../sdk/extension.ts';
import type { HostFaults, OidFault } from './faults.ts';

/**
 * The extension with faults before its handlers: an OID that meets none is handled as ever. The definition keeps
 * everything else it has, also what `defineExtension` noted about where it lies.
 */
export function withFaults(
  definition: ExtensionDefinition,
  alias: string,
  faults: HostFaults,
): ExtensionDefinition {
  const members = Object.getOwnPropertyDescriptors(definition);
  const attach = (sw: SwitchContext): ExtensionHandlers =>
    intercepted(definition.attach(sw), sw, alias, faults);
  return Object.freeze(
    Object.defineProperties({}, { ...members, attach: { value: attach, enumerable: true } }),
  ) as ExtensionDefinition;
}

/** A proxy, since handlers may be an object of a class: they are called on the object they belong to. */
function intercepted(
  handlers: ExtensionHandlers,
  sw: SwitchContext,
  alias: string,
  faults: HostFaults,
): ExtensionHandlers {
  const oidRequest = (request: OidRequest): Verdict => {
    const fault = faults.meetOid(alias, sw.name, request.oidName, request.requestType);
    const own = (): Verdict => handlers.oidRequest?.(request);
    return fault === undefined ? own() : suffer(fault, request, sw);
  };
  return new Proxy(handlers, {
    get(target, name) {
      if (name === 'oidRequest') return oidRequest;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function suffer(fault: OidFault, request: OidRequest, sw: SwitchContext): Verdict {
  switch (fault.effect) {
    case 'veto':
      sw.log(`scenario: ${request.oidName} vetoed with ${statusName(fault.status)}`);
      return fault.status;
    case 'throw':
      throw new Error(`scenario: a fault was injected into ${request.oidName}`);
    case 'hang':
      return request.pend();
    case 'delay':
      sw.after(fault.delayMs, () => request.forward());
      return request.pend();
  }
}
