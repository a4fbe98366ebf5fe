import {
  defineExtension,
  type ExtensionHandlers,
  isErrorStatus,
  NdisStatus,
  type NicAddress,
  type NicOidRequest,
  type NicParameters,
  type NicStatusIndication,
  type OidResult,
  type SwitchContext,
  type Verdict,
} from '../../src/sdk/index.ts';
import { Team } from './team.ts';

/** MediaConnectState of NDIS_LINK_STATE: u32 at 4; MediaConnectStateConnected. */
const MEDIA_CONNECT_STATE = 4;
const CONNECTED = 1;
/** Its code in ntddndis.h, and the size of what it answers. */
const OID_GEN_LINK_STATE = 0x00010207;
const LINK_STATE_SIZE = 40;

/** One switch whose external NIC is a team of adapters. */
class TeamingProvider implements ExtensionHandlers {
  readonly #sw: SwitchContext;
  readonly #team = new Team();

  constructor(sw: SwitchContext) {
    this.#sw = sw;
  }

  // --- the team: all of these must be forwarded (rule C40) --------------------------------------------------------------

  connectNic(nic: NicParameters): Verdict {
    this.#learn(nic);
    return 'forward';
  }

  disconnectNic(nic: NicParameters): Verdict {
    if (nic.type !== 'external') this.#team.unpin({ portId: nic.portId, nicIndex: nic.index });
    else if (nic.index > 0) this.#team.leave(nic.index);
    return 'forward';
  }

  #learn(nic: NicParameters): void {
    if (nic.type === 'external' && nic.index > 0) this.#team.join(nic.portId, nic.index);
  }

  // --- requests for the external NIC go to one of its adapters (S16) -----------------------------------------------------

  nicRequest(request: NicOidRequest): Verdict {
    const { portId, nicIndex } = request.destination;
    // What is for inspection (rule D27) or names an adapter already is nobody's to redirect.
    if (portId === 0 || portId !== this.#team.portId || nicIndex !== 0) return 'forward';
    return this.#tryEach(request, this.#team.choices(request.source));
  }

  /** Sends the request to the first adapter that does not refuse it; the original ends as the last one did (rule D38). */
  #tryEach(
    request: NicOidRequest,
    [index, ...others]: readonly number[],
    refused?: NdisStatus,
  ): Verdict {
    if (index === undefined) return refused ?? 'forward';
    const tried = this.#redirect(request, { portId: this.#team.portId, nicIndex: index });
    if (tried === undefined) return this.#tryEach(request, others, refused);
    const ended = ({ status }: OidResult): Verdict => {
      if (isErrorStatus(status)) return this.#tryEach(request, others, status);
      this.#team.pin(request.source, index);
      return status;
    };
    // Nothing is below but the miniport edge, and that does not pend.
    return tried instanceof Promise ? NdisStatus.FAILURE : ended(tried);
  }

  /**
   * The same request with that destination and the original source (rules D30-D32); both NICs are referenced while it is
   * under way (rules D33, D34). `undefined`: no reference, so it may not be sent there (rule C58).
   */
  #redirect(
    request: NicOidRequest,
    destination: NicAddress,
  ): ReturnType<SwitchContext['nicRequest']> | undefined {
    const { source, requestType, oid, data } = request;
    const named = source.portId === 0 ? [destination] : [destination, source];
    const held = named.filter((nic) => this.#reference(nic));
    try {
      if (held.length < named.length) return undefined;
      return this.#sw.nicRequest({
        source,
        destination,
        requestType,
        oid,
        input: data,
        outputLengthBytes: data.length,
      });
    } finally {
      for (const { portId, nicIndex } of held) this.#sw.dereferenceNic(portId, nicIndex);
    }
  }

  #reference({ portId, nicIndex }: NicAddress): boolean {
    return this.#sw.referenceNic(portId, nicIndex) === NdisStatus.SUCCESS;
  }

  // --- status of the adapters becomes status of the team (rules H6, H7, H9) -----------------------------------------------

  nicStatus({ source, statusCode, data }: NicStatusIndication): 'forward' | 'drop' {
    if (source.portId !== this.#team.portId || source.nicIndex === 0) return 'forward';
    if (statusCode !== NdisStatus.LINK_STATE || data.length < MEDIA_CONNECT_STATE + 4)
      return 'forward';
    const connected = data[MEDIA_CONNECT_STATE] === CONNECTED;
    // Drivers above see one adapter (rule C5): its link changes with the last one to go and the first one to come.
    if (!this.#team.setLink(source.nicIndex, connected)) return 'drop';
    const { portId } = source;
    if (!this.#reference({ portId, nicIndex: 0 })) return 'forward';
    this.#sw.indicateNicStatus({ source: { portId, nicIndex: 0 }, statusCode, data });
    this.#sw.dereferenceNic(portId, 0);
    return 'drop';
  }

  // --- life cycle ----------------------------------------------------------------------------------------------------

  /** Rule J11: on a live switch the team is there already. */
  restart(): void {
    // Rules A69, A70: on an inactive switch nothing else may be asked.
    if (this.#sw.parameters().isActive) this.#catchUp();
  }

  /** Cannot refuse (rule A72). */
  activate(): void {
    try {
      this.#catchUp();
    } catch (error) {
      // A question of its own was not answered, or not at once: a fault of the moment that must not come out of here.
      this.#sw.log(`could not learn what is there: ${String(error)}`);
    }
  }

  detach(): void {
    this.#team.clear();
  }

  /** Which adapters there are, and by a query of its own (rule D37) which of them have a link. */
  #catchUp(): void {
    for (const nic of this.#sw.nics()) {
      if (nic.state !== 'connected' || nic.type !== 'external' || nic.index === 0) continue;
      this.#learn(nic);
      this.#team.setLink(nic.index, this.#hasLink({ portId: nic.portId, nicIndex: nic.index }));
    }
  }

  #hasLink(destination: NicAddress): boolean {
    if (!this.#reference(destination)) return false;
    const asked = this.#sw.nicRequest({
      destination,
      requestType: 'query',
      oid: OID_GEN_LINK_STATE,
      outputLengthBytes: LINK_STATE_SIZE,
    });
    this.#sw.dereferenceNic(destination.portId, destination.nicIndex);
    if (asked instanceof Promise || isErrorStatus(asked.status)) return false;
    return asked.output[MEDIA_CONNECT_STATE] === CONNECTED;
  }
}

/**
 * Teaming provider: a forwarding extension for a switch team. It sends encapsulated requests to one of the adapters below
 * the external NIC and shows their links as one; see README.md for the behaviour rule by rule.
 */
export default defineExtension({
  id: '3d5e8c41-7f20-4b96-a1d8-90c2e6b7f514',
  name: 'Teaming Provider',
  vendor: 'extswitch',
  version: '1.0',
  type: 'forward',
  attach: (sw) => new TeamingProvider(sw),
});
