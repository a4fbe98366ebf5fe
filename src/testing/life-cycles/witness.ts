import { isErrorStatus, NdisStatus } from '../../core/status.ts';
import { defineExtension } from '../../sdk/define.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  NicParameters,
  OidRequest,
  PortParameters,
  PortProperty,
  SwitchContext,
  SwitchProperty,
  Verdict,
} from '../../sdk/extension.ts';
import { jsonText } from './json-text.ts';

/** What is on a switch, one line a port, NIC and custom property: key → value. */
export type View = Map<string, string>;

export const portKey = (portId: number): string => `port ${portId}`;
export const nicKey = (portId: number, index: number): string => `NIC ${portId}/${index}`;
export const propertyKey = (owner: string, id: string): string => `property ${id} of ${owner}`;

/** Classes a witness asks for when it comes. */
export interface WatchedClasses {
  readonly port: readonly string[];
  readonly switch: readonly string[];
}

/**
 * An extension beside the one under test that does what the documents want: it learns what is there by queries when it comes
 * (rules J11, J12) and takes a change for done when its completion says so (rules B29, C39, E37). So its view is what an
 * extension in its place can know.
 */
export class Witness {
  readonly definition: ExtensionDefinition;
  readonly #classes: () => WatchedClasses;
  readonly #views = new Map<string, View>();
  readonly #blind = new Map<string, string>();
  #refused: string | undefined;

  constructor(
    options: Pick<ExtensionDefinition, 'id' | 'name' | 'type'>,
    classes: () => WatchedClasses,
  ) {
    this.#classes = classes;
    this.definition = defineExtension({
      ...options,
      vendor: 'extswitch',
      version: '1.0',
      attach: (sw) => this.#attach(sw),
    });
  }

  /** What it believes of a switch; `undefined` when it does not run there. */
  viewOf(switchName: string): ReadonlyMap<string, string> | undefined {
    return this.#views.get(switchName);
  }

  /** Why it could not learn what is on a switch. */
  blindOn(switchName: string): string | undefined {
    return this.#blind.get(switchName);
  }

  /** It vetoes the next OID of this name, e.g. `OID_SWITCH_NIC_CREATE`; `undefined`: none. */
  refuseNext(oidName: string | undefined): void {
    this.#refused = oidName;
  }

  #attach(sw: SwitchContext): ExtensionHandlers {
    const view: View = new Map();
    this.#views.set(sw.name, view);
    this.#blind.delete(sw.name);
    /** Number of a forwarded request → what it means when it succeeds. */
    const meanings = new Map<number, () => void>();
    const learn = (): void => {
      try {
        catchUp(sw, view, this.#classes());
      } catch (error) {
        this.#blind.set(sw.name, String(error));
      }
    };
    return {
      ...watching(view, (request, meaning) => {
        meanings.set(request.id, meaning);
        return 'forward';
      }),
      oidRequest: (request) => {
        if (request.oidName !== this.#refused) return 'forward';
        this.#refused = undefined;
        return NdisStatus.DATA_NOT_ACCEPTED;
      },
      oidRequestComplete(request) {
        const meaning = meanings.get(request.id);
        meanings.delete(request.id);
        if (!isErrorStatus(request.status)) meaning?.();
      },
      restart: () => {
        if (sw.parameters().isActive) learn();
      },
      activate: learn,
      detach: () => {
        this.#views.delete(sw.name);
        this.#blind.delete(sw.name);
      },
    };
  }
}

/** Handlers that tell `forward` what each change will mean when it succeeds. */
function watching(
  view: View,
  forward: (request: OidRequest, meaning: () => void) => Verdict,
): ExtensionHandlers {
  const seePort = (port: PortParameters, request: OidRequest): Verdict =>
    forward(request, () => setPort(view, port));
  const seeNic = (nic: NicParameters, request: OidRequest): Verdict =>
    forward(request, () => setNic(view, nic));
  const seeProperty = (property: PortProperty | SwitchProperty): Verdict => {
    if (property.propertyType !== 'custom') return 'forward';
    const { settings } = property;
    // Who looks at the bytes makes the switch keep a copy.
    const value = settings === undefined ? `${property.raw.length} bytes` : jsonText(settings);
    return forward(property.request, () => view.set(keyOf(property), value));
  };
  const forgetProperty = (property: PortProperty | SwitchProperty): Verdict =>
    forward(property.request, () => view.delete(keyOf(property)));
  return {
    createPort: seePort,
    deletePort: (port, request) =>
      forward(request, () => {
        const key = portKey(port.portId);
        // Rule E38: its properties end with it.
        for (const known of [...view.keys()]) {
          if (known === key || known.endsWith(` of ${key}`)) view.delete(known);
        }
      }),
    createNic: seeNic,
    connectNic: seeNic,
    updateNic: seeNic,
    disconnectNic: seeNic,
    deleteNic: (nic, request) => forward(request, () => view.delete(nicKey(nic.portId, nic.index))),
    addPortProperty: seeProperty,
    updatePortProperty: seeProperty,
    deletePortProperty: forgetProperty,
    addSwitchProperty: seeProperty,
    updateSwitchProperty: seeProperty,
    deleteSwitchProperty: forgetProperty,
  };
}

function keyOf(property: PortProperty | SwitchProperty): string {
  const owner = 'portId' in property ? portKey(property.portId) : 'the switch';
  return propertyKey(owner, property.propertyInstanceId);
}

function setPort(view: View, { portId, type, isValidationPort }: PortParameters): void {
  view.set(portKey(portId), isValidationPort ? `${type}, for validation` : type);
}

function setNic(view: View, { portId, index, type, state }: NicParameters): void {
  view.set(nicKey(portId, index), `${type}, ${state}`);
}

/** S13 step 5: everything that is there. */
function catchUp(sw: SwitchContext, view: View, classes: WatchedClasses): void {
  view.clear();
  for (const name of classes.switch) {
    for (const { propertyInstanceId, settings } of sw.switchProperties(name)) {
      view.set(propertyKey('the switch', propertyInstanceId), jsonText(settings));
    }
  }
  for (const nic of sw.nics()) setNic(view, nic);
  for (const port of sw.ports()) {
    setPort(view, port);
    // Rules B36, E48: a port in teardown cannot be asked.
    if (port.state !== 'created') continue;
    for (const name of classes.port) {
      for (const { propertyInstanceId, settings } of sw.portProperties(port.portId, name)) {
        view.set(propertyKey(portKey(port.portId), propertyInstanceId), jsonText(settings));
      }
    }
  }
}
