import { structure } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
  NicParameters,
  OidRequest,
  PortParameters,
  SwitchContext,
} from '../../src/sdk/extension.ts';

export const PORT_CLASS = 'Fabrikam_PortCustomSettingData';
export const SWITCH_CLASS = 'Fabrikam_SwitchCustomSettingData';

const PORT = structure('NDIS_SWITCH_PORT_PARAMETERS');
const NIC = structure('NDIS_SWITCH_NIC_PARAMETERS');
const PORT_PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
const PORT_DELETE = structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS');
const SWITCH_PROPERTY = structure('NDIS_SWITCH_PROPERTY_PARAMETERS');
const SWITCH_DELETE = structure('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS');

/** What an extension believes about its switch: one line a port, NIC and custom property. */
export type View = ReadonlyMap<string, string>;

const portLine = (name: string, isValidationPort: boolean): string =>
  isValidationPort ? `${name} (validation)` : name;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/**
 * An extension as the documents want it: it learns what is there by queries when it comes (rules J11, J12), takes a change for
 * done when its completion says so (rules B29, C39, E37), and forgets a port's properties with the port (rule E38).
 */
export class Observer {
  readonly definition: ExtensionDefinition;
  /** By switch name. */
  readonly views = new Map<string, Map<string, string>>();

  constructor(
    options: Pick<ExtensionDefinition, 'id' | 'name'> & { readonly type: ExtensionType },
    handlers: (sw: SwitchContext) => ExtensionHandlers = () => ({}),
  ) {
    this.definition = {
      ...options,
      vendor: 'Observer',
      version: '1.0',
      attach: (sw) => this.#attach(sw, handlers(sw)),
    };
  }

  #attach(sw: SwitchContext, more: ExtensionHandlers): ExtensionHandlers {
    const view = new Map<string, string>();
    this.views.set(sw.name, view);
    return {
      ...more,
      restart: () => {
        if (sw.parameters().isActive) catchUp(sw, view);
        return more.restart?.();
      },
      activate: () => {
        catchUp(sw, view);
        more.activate?.();
      },
      detach: () => {
        this.views.delete(sw.name);
        more.detach?.();
      },
      oidRequestComplete: (request) => {
        if (request.status === NdisStatus.SUCCESS) commit(view, request);
        more.oidRequestComplete?.(request);
      },
    };
  }
}

function catchUp(sw: SwitchContext, view: Map<string, string>): void {
  view.clear();
  for (const entry of sw.switchProperties(SWITCH_CLASS)) {
    view.set(`switch property ${entry.propertyInstanceId}`, hex(entry.raw));
  }
  const nics = sw.nics();
  for (const port of sw.ports()) {
    if (port.state !== 'created') continue;
    addPort(view, port);
    for (const entry of sw.portProperties(port.portId, PORT_CLASS)) {
      view.set(`port ${port.portId} property ${entry.propertyInstanceId}`, hex(entry.raw));
    }
  }
  for (const nic of nics) addNic(view, nic);
}

function addPort(view: Map<string, string>, port: PortParameters): void {
  view.set(`port ${port.portId}`, portLine(port.friendlyName, port.isValidationPort));
}

function addNic(view: Map<string, string>, nic: NicParameters): void {
  const { portId, index, state, mtu, friendlyName, vfAssigned } = nic;
  view.set(
    `port ${portId} NIC ${index}`,
    `${friendlyName} ${state} ${mtu}${vfAssigned ? ' VF' : ''}`,
  );
}

const NIC_STATES = ['', 'created', 'connected', 'disconnected', 'deleted'];

function commit(view: Map<string, string>, request: OidRequest): void {
  const { bytes, oidName, property } = request;
  switch (oidName.slice('OID_SWITCH_'.length)) {
    case 'PORT_CREATE':
    case 'PORT_UPDATED': {
      const port = PORT.view(bytes, 0);
      const line = portLine(port.PortFriendlyName, port.IsValidationPort);
      view.set(`port ${port.PortId}`, line);
      return;
    }
    case 'PORT_DELETE': {
      const { PortId } = PORT.view(bytes, 0);
      for (const key of [...view.keys()]) {
        if (`${key} `.startsWith(`port ${PortId} `)) view.delete(key);
      }
      return;
    }
    case 'NIC_CREATE':
    case 'NIC_CONNECT':
    case 'NIC_UPDATED':
    case 'NIC_DISCONNECT': {
      const nic = NIC.view(bytes, 0);
      const vf = nic.VFAssigned ? ' VF' : '';
      const state = NIC_STATES[nic.NicState];
      view.set(
        `port ${nic.PortId} NIC ${nic.NicIndex}`,
        `${nic.NicFriendlyName} ${state} ${nic.MTU}${vf}`,
      );
      return;
    }
    case 'NIC_DELETE': {
      const nic = NIC.view(bytes, 0);
      view.delete(`port ${nic.PortId} NIC ${nic.NicIndex}`);
      return;
    }
    case 'PORT_PROPERTY_ADD':
    case 'PORT_PROPERTY_UPDATE': {
      if (property?.propertyType !== 'custom') return;
      const { PortId, PropertyInstanceId } = PORT_PROPERTY.view(bytes, 0);
      view.set(`port ${PortId} property ${PropertyInstanceId}`, hex(property.raw));
      return;
    }
    case 'PORT_PROPERTY_DELETE': {
      const { PortId, PropertyInstanceId } = PORT_DELETE.view(bytes, 0);
      view.delete(`port ${PortId} property ${PropertyInstanceId}`);
      return;
    }
    case 'PROPERTY_ADD':
    case 'PROPERTY_UPDATE':
      if (property === undefined) return;
      view.set(
        `switch property ${SWITCH_PROPERTY.view(bytes, 0).PropertyInstanceId}`,
        hex(property.raw),
      );
      return;
    case 'PROPERTY_DELETE':
      view.delete(`switch property ${SWITCH_DELETE.view(bytes, 0).PropertyInstanceId}`);
      return;
    default:
  }
}
