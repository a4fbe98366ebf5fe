import {
  defineExtension,
  type ExtensionHandlers,
  type FeatureStatusQuery,
  NdisStatus,
  type NicOidRequest,
  type NicParameters,
  type PortProperty,
  type SwitchContext,
  type SwitchProperty,
  type Verdict,
} from '../../src/sdk/index.ts';
import { MacTable, readMac } from './mac-table.ts';

/** UUIDs and version of the classes in policy.mof. */
const ADDRESS_CLASS = '6a8c0f7d-1e43-4b92-ad58-e2b7f0936202';
const STATUS_CLASS = '6a8c0f7d-1e43-4b92-ad58-e2b7f0936203';
const CLASS_VERSION = 0x0100;
/** NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1 (rule E10). */
const SERIALIZATION_VERSION = 1;
/** ntddndis.h. */
const OID_NIC_SWITCH_ALLOCATE_VF = 0x00010245;
/** NdisSwitchPortVlanModeAccess. */
const VLAN_ACCESS = 1;

/** One switch on which only listed source addresses may send. */
class MacForward implements ExtensionHandlers {
  readonly #sw: SwitchContext;
  readonly #table = new MacTable();

  constructor(sw: SwitchContext) {
    this.#sw = sw;
  }

  // --- the switch policy: a forwarding extension completes what is its own (rule E29) ----------------------------------

  addSwitchProperty(property: SwitchProperty): Verdict {
    if (!isOwn(property) || !isKnownVersion(property)) return 'forward';
    return this.#allow(property);
  }

  updateSwitchProperty(property: SwitchProperty): Verdict {
    if (!isOwn(property)) return 'forward';
    // Rule E27: a version or an instance it does not hold.
    if (!isKnownVersion(property) || !this.#table.has(property.propertyInstanceId)) {
      return NdisStatus.INVALID_PARAMETER;
    }
    return this.#allow(property);
  }

  deleteSwitchProperty(property: SwitchProperty): Verdict {
    if (!isOwn(property)) return 'forward';
    // Rule E27, OP-5: a delete carries no version, the instance decides.
    if (!this.#table.has(property.propertyInstanceId)) return NdisStatus.INVALID_PARAMETER;
    this.#table.disallow(property.propertyInstanceId);
    return NdisStatus.SUCCESS;
  }

  #allow(property: SwitchProperty): Verdict {
    const { propertyInstanceId: id } = property;
    const address = readMac(property.settings);
    if ('malformed' in address) return this.#veto(id, address.malformed);
    if (this.#table.isTaken(address.mac, id)) {
      return this.#veto(id, `${address.mac} is allowed by another property already`);
    }
    this.#table.allow(id, address.mac);
    return NdisStatus.SUCCESS;
  }

  #veto(instanceId: string, reason: string): Verdict {
    this.#sw.log(`property ${instanceId} refused: ${reason}`);
    return NdisStatus.DATA_NOT_ACCEPTED;
  }

  // --- standard port policies ----------------------------------------------------------------------------------------

  /** Rule E31: it does not enforce VLAN, so it refuses it. Security (rule E32) and everything else passes. */
  addPortProperty(property: PortProperty): Verdict {
    return property.propertyType === 'vlan' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
  }

  updatePortProperty(property: PortProperty): Verdict {
    return property.propertyType === 'vlan' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
  }

  // --- NICs: all of these must be forwarded (rule C40) -----------------------------------------------------------------

  connectNic(nic: NicParameters): Verdict {
    this.#table.connect(nic);
    return 'forward';
  }

  /** Rule C29: the current address may have changed. */
  updateNic(nic: NicParameters): Verdict {
    this.#table.connect(nic);
    return 'forward';
  }

  disconnectNic(nic: NicParameters): Verdict {
    this.#table.disconnect(nic);
    return 'forward';
  }

  // --- virtual functions: their traffic would pass by (rule H16) -------------------------------------------------------

  /** Rules D41, D43: it must see what every VM sends. */
  nicRequest(request: NicOidRequest): Verdict {
    return request.oid === OID_NIC_SWITCH_ALLOCATE_VF ? NdisStatus.FAILURE : 'forward';
  }

  /** Rules H8, H9, H11, H12, H15: takes away what a NIC was given before this extension came. */
  #removeVf(nic: NicParameters): void {
    const { portId, index: nicIndex } = nic;
    if (this.#sw.referenceNic(portId, nicIndex) !== NdisStatus.SUCCESS) return;
    this.#sw.indicateNicStatus({
      destination: { portId, nicIndex },
      statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF,
    });
    this.#sw.dereferenceNic(portId, nicIndex);
  }

  // --- status --------------------------------------------------------------------------------------------------------

  querySwitchFeatureStatus(query: FeatureStatusQuery): Verdict {
    if (query.featureStatusId !== STATUS_CLASS) return 'forward';
    return query.respond({ PortIds: this.#table.sendingPorts() });
  }

  // --- life cycle ----------------------------------------------------------------------------------------------------

  /** Rule J11: past requests are not told again. A switch it cannot serve it refuses to run on (OP-31). */
  restart(): void {
    // Rules A69, A70: on an inactive switch nothing else may be asked.
    if (!this.#sw.parameters().isActive) return;
    const problems = this.#catchUp();
    if (problems.length > 0) throw new Error(`cannot serve the switch: ${problems.join('; ')}`);
  }

  /** Rule J12. Cannot refuse (rule A72): what it cannot enforce is logged. */
  activate(): void {
    try {
      for (const problem of this.#catchUp()) this.#sw.log(`not enforced: ${problem}`);
    } catch (error) {
      // A question of its own was not answered, or not at once: a fault of the moment that must not come out of here.
      this.#sw.log(`could not learn what is there: ${String(error)}`);
    }
  }

  detach(): void {
    this.#table.clear();
  }

  /** Learns addresses and NICs. Answers with what it cannot enforce: malformed addresses, and VLANs in force on ports. */
  #catchUp(): string[] {
    const problems: string[] = [];
    this.#table.clear();
    for (const { propertyInstanceId, settings } of this.#sw.switchProperties(ADDRESS_CLASS)) {
      const address = readMac(settings);
      if ('malformed' in address) problems.push(`${propertyInstanceId}: ${address.malformed}`);
      else this.#table.allow(propertyInstanceId, address.mac);
    }
    // Rule J13: created but not connected NICs do not count yet.
    for (const nic of this.#sw.nics()) {
      if (nic.state === 'connected') this.#table.connect(nic);
      if (nic.vfAssigned) this.#removeVf(nic);
    }
    for (const { portId, state } of this.#sw.ports()) {
      // Rules B36, E48: a port in teardown cannot be asked.
      if (state === 'created' && this.#hasVlan(portId)) {
        problems.push(`port ${portId} has a VLAN, which is not enforced here`);
      }
    }
    return problems;
  }

  /** Rule E45: the enumeration gives the value in force; access mode with VLAN 0 is none. */
  #hasVlan(portId: number): boolean {
    return this.#sw
      .portProperties(portId, 'vlan')
      .some(
        ({ settings }) =>
          settings?.['OperationMode'] !== VLAN_ACCESS || settings['AccessVlanId'] !== 0,
      );
  }
}

/** Rule E23. A switch property is always custom (rule E2). */
function isOwn(property: SwitchProperty): boolean {
  return property.propertyId === ADDRESS_CLASS;
}

/** Rule E51: newer versions of the class are fine, their additional members are not looked at. */
function isKnownVersion(property: SwitchProperty): boolean {
  return (
    property.serializationVersion === SERIALIZATION_VERSION &&
    property.propertyVersion >= CLASS_VERSION
  );
}

/**
 * MAC forward: a forwarding extension with one switch policy, the source addresses that may send. It decides and reports
 * who may; see README.md for the behaviour rule by rule and for what Microsoft's sample does otherwise.
 */
export default defineExtension({
  id: '6a8c0f7d-1e43-4b92-ad58-e2b7f0936201',
  name: 'MAC Forward',
  vendor: 'extswitch',
  version: '1.0',
  type: 'forward',
  mof: ['./policy.mof'],
  attach: (sw) => new MacForward(sw),
});
