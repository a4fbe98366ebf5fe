import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionDefinition,
  ExtensionType,
  NicParameters,
  OidRequest,
  PortParameters,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import { readNicParameters, readPortParameters } from '../../switch/parameters.ts';
import type { Port, PropertyOwner } from '../../switch/ports.ts';
import type { SwitchState } from '../../switch/switch-state.ts';
import { extension } from './switch-world.ts';

const PORT_CLASS = 'Fabrikam_PortSettingData';
const SWITCH_CLASS = 'Fabrikam_SwitchSettingData';

/** What an extension knows of its switch: ports, NICs and custom properties, as plain data that compares deeply. */
export class ExtensionView {
  readonly ports = new Map<number, PortParameters>();
  readonly nics = new Map<string, NicParameters>();
  /** `<port id or -1>/<instance id>` → vendor bytes. */
  readonly properties = new Map<string, string>();

  /** Takes a completed OID in; what failed changes nothing. */
  listen(request: OidRequest): void {
    if (request.status !== NdisStatus.SUCCESS) return;
    const name = request.oidName.slice('OID_SWITCH_'.length);
    if (/^PORT_(CREATE|UPDATED|TEARDOWN)$/.test(name))
      this.#port(readPortParameters(request.bytes));
    else if (name === 'PORT_DELETE') this.#deletePort(readPortParameters(request.bytes).portId);
    else if (/^NIC_(CREATE|CONNECT|UPDATED|DISCONNECT)$/.test(name)) {
      const nic = readNicParameters(request.bytes);
      this.nics.set(`${nic.portId}/${nic.index}`, nic);
    } else if (name === 'NIC_DELETE') {
      const { portId, index } = readNicParameters(request.bytes);
      this.nics.delete(`${portId}/${index}`);
    } else if (request.property !== undefined) this.#property(request);
  }

  /** S1 step 9, S13 step 5: forgets everything and asks what there is. */
  catchUp(sw: SwitchContext): void {
    this.ports.clear();
    this.nics.clear();
    this.properties.clear();
    sw.parameters();
    for (const { propertyInstanceId, raw } of sw.switchProperties(SWITCH_CLASS)) {
      this.properties.set(`-1/${propertyInstanceId}`, raw.join());
    }
    for (const port of sw.ports()) {
      this.#port(port);
      // Rule B36: a port that is being torn down cannot be referenced, so nothing can be asked of it.
      if (port.state !== 'created') continue;
      for (const { propertyInstanceId, raw } of sw.portProperties(port.portId, PORT_CLASS)) {
        this.properties.set(`${port.portId}/${propertyInstanceId}`, raw.join());
      }
    }
    for (const nic of sw.nics()) this.nics.set(`${nic.portId}/${nic.index}`, nic);
  }

  #port(port: PortParameters): void {
    this.ports.set(port.portId, port);
    if (port.state === 'teardown') this.#forgetProperties(port.portId);
  }

  #deletePort(portId: number): void {
    this.ports.delete(portId);
    this.#forgetProperties(portId);
  }

  /** OP-7: a port's properties end with it; no OID says so. */
  #forgetProperties(portId: number): void {
    for (const key of [...this.properties.keys()]) {
      if (key.startsWith(`${portId}/`)) this.properties.delete(key);
    }
  }

  #property({ oidName, property }: OidRequest): void {
    if (property === undefined) return;
    const owner = 'portId' in property ? property.portId : -1;
    const key = `${owner}/${property.propertyInstanceId}`;
    if (oidName.endsWith('_DELETE')) this.properties.delete(key);
    else this.properties.set(key, property.raw.join());
  }

  /** Sorted, so that two views are equal when they know the same. */
  facts(): unknown {
    const sorted = <K, V>(map: ReadonlyMap<K, V>): [string, V][] =>
      [...map]
        .map(([key, value]): [string, V] => [String(key), value])
        .sort(([a], [b]) => (a < b ? -1 : 1));
    // Flags are of the OID that told it, not of the NIC.
    return [sorted(this.ports), sorted(this.nics), sorted(this.properties)];
  }
}

/** What a view must know, from the switch's own tables: ids and states of ports and NICs, MTUs, bytes of properties. */
export function tablesOf(state: SwitchState): unknown {
  const ports = [...state.ports.values()];
  const stored = ({ portId, properties }: PropertyOwner): [string, string][] =>
    [...properties.values()].map(({ id, codec, settings }) => {
      const bytes = new Uint8Array(codec.size(settings));
      codec.write(settings, bytes, 0);
      return [`${portId}/${id}`, bytes.join()];
    });
  const nics = (port: Port): [string, string, number][] =>
    [...port.nics.values()].map((nic) => [`${port.portId}/${nic.index}`, nic.state, nic.mtu]);
  return {
    ports: ports.map(({ portId, state: s, friendlyName }) => [portId, s, friendlyName]).sort(),
    nics: ports.flatMap(nics).sort(),
    properties: [state, ...ports.filter((port) => port.state === 'created')].flatMap(stored).sort(),
  };
}

/** The same of a view. */
export function tablesOfView(view: ExtensionView): unknown {
  return {
    ports: [...view.ports.values()]
      .map(({ portId, state, friendlyName }) => [
        portId,
        state === 'teardown' ? 'tearingDown' : state,
        friendlyName,
      ])
      .sort(),
    nics: [...view.nics].map(([key, { state, mtu }]) => [key, state, mtu]).sort(),
    properties: [...view.properties].sort(),
  };
}

/** An extension that listens and, whenever it restarts on an active switch, asks again. */
export function viewer(
  type: ExtensionType,
  name: string,
  options: { readonly asks: boolean },
): { readonly view: ExtensionView; readonly definition: ExtensionDefinition } {
  const view = new ExtensionView();
  const definition = extension(
    type,
    (sw) => ({
      oidRequestComplete: (request) => view.listen(request),
      restart: () => {
        if (options.asks && sw.parameters().isActive) view.catchUp(sw);
      },
      activate: () => {
        if (options.asks) view.catchUp(sw);
      },
    }),
    name,
  );
  return { view, definition };
}
