import { isErrorStatus, NdisStatus } from '../core/status.ts';
import type { ExtensionHandlers, OidRequest, SwitchContext, Verdict } from '../sdk/extension.ts';

/*
 * Handlers that several samples share: what a driver with one port policy and one switch policy keeps of them.
 */

const OWN = 'Sample_LimitSettingData';
/** Size of the structure of both classes, bytes. */
const SIZE = 4;

/** Forwards a property that is long enough (rule E34). */
export function fits(raw: Uint8Array, request: OidRequest): Verdict {
  if (raw.length >= SIZE) return 'forward';
  request.bytesNeeded = SIZE;
  return NdisStatus.INVALID_LENGTH;
}

/** The instances of its switch policy that it holds; what it does not hold is refused (rule E27). */
export function switchTable(): ExtensionHandlers {
  const held = new Set<string>();
  const isOwn = (feature: string | undefined): boolean => feature === 'Sample_SwitchSettingData';
  return {
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
    addPortProperty({ feature, portId, propertyInstanceId }) {
      if (feature !== OWN || validation.has(portId)) return 'forward';
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
