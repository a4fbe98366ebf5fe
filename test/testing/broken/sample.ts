import {
  defineExtension,
  type ExtensionDefinition,
  type ExtensionHandlers,
  isErrorStatus,
  NdisStatus,
  type NicParameters,
  type OidRequest,
  type PortFeatureStatusQuery,
  type PortParameters,
  type PortProperty,
  type SwitchContext,
  type Verdict,
} from '../../../src/sdk/index.ts';

export const LIMIT_CLASS = 'Sample_LimitSettingData';
const STATUS_CLASS = 'Sample_LimitStatus';

/**
 * A filter that does everything right and is strict: it refuses a NIC on a port it does not know, a NIC it knows already, and a
 * change of a policy it does not hold. Each broken extension beside this file is this one with a single mistake.
 */
export class Sample implements ExtensionHandlers {
  protected readonly sw: SwitchContext;
  /** Port id → NIC indexes on it. */
  protected ports = new Map<number, Set<number>>();
  /** Property instance id → port id. */
  protected limits = new Map<string, number>();
  /** Number of a forwarded request → what to do when it succeeded, and when it failed (rules B29, C39, E37). */
  /** Whether it has asked what is there; before that it takes whatever comes (rules A65, A73). */
  protected isReady = false;
  protected readonly endings = new Map<number, (succeeded: boolean) => void>();

  constructor(sw: SwitchContext) {
    this.sw = sw;
  }

  protected onSuccess(request: OidRequest, act: () => void): Verdict {
    this.endings.set(request.id, (succeeded) => {
      if (succeeded) act();
    });
    return 'forward';
  }

  oidRequestComplete(request: OidRequest): void {
    this.endings.get(request.id)?.(!isErrorStatus(request.status));
    this.endings.delete(request.id);
  }

  createPort(port: PortParameters, request: OidRequest): Verdict {
    return this.onSuccess(request, () => this.ports.set(port.portId, new Set()));
  }

  deletePort({ portId }: PortParameters, request: OidRequest): Verdict {
    return this.onSuccess(request, () => {
      this.ports.delete(portId);
      for (const [id, owner] of this.limits) if (owner === portId) this.limits.delete(id);
    });
  }

  createNic(nic: NicParameters, request: OidRequest): Verdict {
    const nics = this.ports.get(nic.portId);
    const isWrong = nics === undefined || nics.has(nic.index);
    if (this.isReady && isWrong) return NdisStatus.DATA_NOT_ACCEPTED;
    return this.onSuccess(request, () => this.ports.get(nic.portId)?.add(nic.index));
  }

  /** Rule C40: whatever it thinks of it. */
  connectNic(_nic: NicParameters, _request: OidRequest): Verdict {
    return 'forward';
  }

  disconnectNic(_nic: NicParameters, _request: OidRequest): Verdict {
    return 'forward';
  }

  deleteNic(nic: NicParameters, request: OidRequest): Verdict {
    return this.onSuccess(request, () => this.ports.get(nic.portId)?.delete(nic.index));
  }

  addPortProperty(property: PortProperty): Verdict {
    if (property.feature !== LIMIT_CLASS) return 'forward';
    const { propertyInstanceId, portId } = property;
    return this.onSuccess(property.request, () => this.limits.set(propertyInstanceId, portId));
  }

  updatePortProperty(property: PortProperty): Verdict {
    if (property.feature !== LIMIT_CLASS) return 'forward';
    const isHeld = this.limits.has(property.propertyInstanceId);
    return isHeld || !this.isReady ? 'forward' : NdisStatus.INVALID_PARAMETER;
  }

  deletePortProperty(property: PortProperty): Verdict {
    if (property.feature !== LIMIT_CLASS) return 'forward';
    const id = property.propertyInstanceId;
    if (this.isReady && !this.limits.has(id)) return NdisStatus.INVALID_PARAMETER;
    return this.onSuccess(property.request, () => this.limits.delete(id));
  }

  queryPortFeatureStatus(query: PortFeatureStatusQuery): Verdict {
    if (query.feature !== STATUS_CLASS) return 'forward';
    return query.respond({ Limits: this.limits.size });
  }

  /** Rules J11, J12. */
  protected catchUp(): void {
    this.isReady = true;
    this.ports.clear();
    this.limits.clear();
    for (const { portId, state } of this.sw.ports()) {
      this.ports.set(portId, new Set());
      if (state !== 'created') continue;
      for (const { propertyInstanceId } of this.sw.portProperties(portId, LIMIT_CLASS)) {
        this.limits.set(propertyInstanceId, portId);
      }
    }
    for (const { portId, index } of this.sw.nics()) this.ports.get(portId)?.add(index);
  }

  restart(): void | Promise<void> {
    if (this.sw.parameters().isActive) this.catchUp();
  }

  activate(): void {
    this.catchUp();
  }

  detach(): void {}
}

/** An extension whose handlers `attach` makes: a new one each time, with state of its own outside of switches. */
export function sampleExtension(
  name: string,
  attach: (sw: SwitchContext) => ExtensionHandlers,
): ExtensionDefinition {
  return defineExtension({
    id: 'B20C4E10-6D31-4A8F-9C07-51E2F3A40001',
    name,
    vendor: 'Sample',
    version: '1.0',
    type: 'filter',
    mof: ['./policy.mof'],
    attach,
  });
}

/** Without a mistake. */
export const honest = (): ExtensionDefinition => sampleExtension('Honest', (sw) => new Sample(sw));

/** Rule A74, as Microsoft's sample and Open vSwitch do it: what needs its lists is held until it has asked for them. */
export const patient = (): ExtensionDefinition =>
  sampleExtension(
    'Patient',
    (sw) =>
      new (class extends Sample {
        #held: (() => void)[] = [];
        override createNic(nic: NicParameters, request: OidRequest): Verdict {
          if (this.isReady) return super.createNic(nic, request);
          this.#held.push(() => {
            if (super.createNic(nic, request) === 'forward') request.forward();
            else request.complete(NdisStatus.DATA_NOT_ACCEPTED);
          });
          return request.pend();
        }
        protected override catchUp(): void {
          super.catchUp();
          const held = this.#held;
          this.#held = [];
          for (const go of held) go();
        }
      })(sw),
  );
