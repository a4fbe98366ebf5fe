import { isErrorStatus, NdisStatus } from '../core/status.ts';
import type {
  ExtensionHandlers,
  OidRequest,
  PortProperty,
  SwitchContext,
  Verdict,
} from '../sdk/extension.ts';

/*
 * Handlers that several samples share: what a driver with one port policy and one switch policy keeps of them.
 */

const OWN = 'Sample_LimitSettingData';
const OWN_OF_SWITCH = 'Sample_SwitchSettingData';
/** Size of the structure of both classes, bytes. */
const SIZE = 4;

/** Forwards a property that is long enough (rule E34). */
export function fits(raw: Uint8Array, request: OidRequest): Verdict {
  if (raw.length >= SIZE) return 'forward';
  request.bytesNeeded = SIZE;
  return NdisStatus.INVALID_LENGTH;
}

/** Handler of an extension that has its port policy and looks at nothing but the length of it (rule E34). */
export const forwardsWhole = ({ feature, raw, request }: PortProperty): Verdict =>
  feature === OWN ? fits(raw, request) : 'forward';

/** One limit for each port, of a forwarding extension; taken only when the whole structure is there (rules D11, E34). */
export function limits(): ExtensionHandlers {
  const held = new Map<number, number>();
  const take = ({ feature, portId, settings, request }: PortProperty): Verdict => {
    if (feature !== OWN) return 'forward';
    if (settings === undefined) {
      request.bytesNeeded = SIZE;
      return NdisStatus.INVALID_LENGTH;
    }
    held.set(portId, Number(settings['Limit']));
    return NdisStatus.SUCCESS;
  };
  return {
    addPortProperty: take,
    updatePortProperty: take,
    deletePortProperty({ feature, portId }) {
      if (feature !== OWN) return 'forward';
      held.delete(portId);
      return NdisStatus.SUCCESS;
    },
  };
}

/** The instances of its port policy that it holds (rule J11: also those before its time); updates of others are refused. */
export function portTable(sw: SwitchContext): ExtensionHandlers {
  const held = new Set<string>();
  const learn = (): void => {
    if (!sw.parameters().isActive) return;
    for (const { portId } of sw.ports()) {
      for (const { propertyInstanceId } of sw.portProperties(portId, OWN)) {
        held.add(propertyInstanceId);
      }
    }
  };
  return {
    restart: learn,
    activate: learn,
    addPortProperty(property) {
      const verdict = forwardsWhole(property);
      if (verdict === 'forward') held.add(property.propertyInstanceId);
      return verdict;
    },
    updatePortProperty: ({ feature, propertyInstanceId }) =>
      feature === OWN && !held.has(propertyInstanceId) ? NdisStatus.INVALID_PARAMETER : 'forward',
    deletePortProperty({ propertyInstanceId }) {
      held.delete(propertyInstanceId);
      return 'forward';
    },
  };
}

/**
 * The instances of its switch policy that it holds (rule J11: also those before its time); what it does not hold is refused
 * (rule E27).
 */
export function switchTable(sw: SwitchContext): ExtensionHandlers {
  const held = new Set<string>();
  const isOwn = (feature: string | undefined): boolean => feature === OWN_OF_SWITCH;
  const learn = (): void => {
    if (!sw.parameters().isActive) return;
    for (const { propertyInstanceId } of sw.switchProperties(OWN_OF_SWITCH)) {
      held.add(propertyInstanceId);
    }
  };
  return {
    restart: learn,
    activate: learn,
    addSwitchProperty({ feature, propertyInstanceId, raw, request }) {
      if (!isOwn(feature)) return 'forward';
      if (raw.length >= SIZE) held.add(propertyInstanceId);
      return fits(raw, request);
    },
    updateSwitchProperty: ({ feature, propertyInstanceId }) =>
      isOwn(feature) && !held.has(propertyInstanceId) ? NdisStatus.INVALID_PARAMETER : 'forward',
    deleteSwitchProperty({ feature, propertyInstanceId }) {
      if (!isOwn(feature) || held.delete(propertyInstanceId)) return 'forward';
      return NdisStatus.INVALID_PARAMETER;
    },
  };
}

/** One policy of its own for each port; `watches` whether a component below refused it (rule E37). */
export function onePerPort(watches: boolean): ExtensionHandlers {
  const ports = new Set<number>();
  /** Numbers of the requests that set them. */
  const asked = new Map<number, number>();
  return {
    addPortProperty({ feature, portId, raw, request }) {
      if (feature !== OWN) return 'forward';
      if (raw.length < SIZE) return fits(raw, request);
      if (ports.has(portId)) return NdisStatus.DATA_NOT_ACCEPTED;
      ports.add(portId);
      asked.set(request.id, portId);
      return 'forward';
    },
    oidRequestComplete({ id, status }) {
      const portId = asked.get(id);
      asked.delete(id);
      if (watches && portId !== undefined && isErrorStatus(status)) ports.delete(portId);
    },
    deletePortProperty({ feature, portId }) {
      if (feature === OWN) ports.delete(portId);
      return 'forward';
    },
    deletePort({ portId }) {
      ports.delete(portId);
      return 'forward';
    },
  };
}

/** Instance ids of its policies; `forgets` those of a port with the port (rule E38). */
export function instances(forgets: boolean): ExtensionHandlers {
  const portOf = new Map<string, number>();
  const validation = new Set<number>();
  return {
    createPort({ portId, isValidationPort }) {
      if (isValidationPort) validation.add(portId);
      else validation.delete(portId);
      return 'forward';
    },
    addPortProperty({ feature, portId, propertyInstanceId, raw, request }) {
      if (feature !== OWN || validation.has(portId)) return 'forward';
      if (raw.length < SIZE) return fits(raw, request);
      if (portOf.has(propertyInstanceId)) return NdisStatus.DATA_NOT_ACCEPTED;
      portOf.set(propertyInstanceId, portId);
      return 'forward';
    },
    deletePortProperty({ propertyInstanceId }) {
      portOf.delete(propertyInstanceId);
      return 'forward';
    },
    deletePort({ portId }) {
      if (!forgets) return 'forward';
      for (const [id, on] of portOf) if (on === portId) portOf.delete(id);
      return 'forward';
    },
  };
}

/** Refuses ports it does not know; asks `sw` for them when it is enabled (rule J11). */
export function knownPorts(sw?: SwitchContext): ExtensionHandlers {
  const known = new Set<number>();
  const learn = (): void => {
    if (sw?.parameters().isActive !== true) return;
    for (const { portId } of sw.ports()) known.add(portId);
  };
  return {
    restart: learn,
    activate: learn,
    createPort({ portId }) {
      known.add(portId);
      return 'forward';
    },
    createNic: ({ portId }) => (known.has(portId) ? 'forward' : NdisStatus.INVALID_PARAMETER),
    updatePortProperty: ({ portId }) =>
      known.has(portId) ? 'forward' : NdisStatus.INVALID_PARAMETER,
  };
}
