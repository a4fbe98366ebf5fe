import { NdisStatus } from '../core/status.ts';
import type {
  ExtensionHandlers,
  NicAddress,
  NicOidRequest,
  NicParameters,
  NicRequestOptions,
  SwitchContext,
  Verdict,
} from '../sdk/extension.ts';

/*
 * What samples with a physical adapter share: as a teaming provider does it.
 */

/** OID_GEN_LINK_STATE and the size of what it answers. */
const LINK_STATE = 0x00010207;
const LINK_STATE_SIZE = 40;

/** Handlers of a driver that asks for the parameters of its switch before anything else (rule A69). */
export function asksFirst(sw: SwitchContext, handlers: ExtensionHandlers): ExtensionHandlers {
  return { restart: () => void sw.parameters(), ...handlers };
}

/** Does something while it holds references on these NICs (rules D33, D34, H9); nothing when it gets one of them not. */
export function withReferences(
  sw: SwitchContext,
  nics: readonly NicAddress[],
  act: () => void,
): void {
  const held = nics.filter(
    ({ portId, nicIndex }) => sw.referenceNic(portId, nicIndex) === NdisStatus.SUCCESS,
  );
  if (held.length === nics.length) act();
  for (const { portId, nicIndex } of held) sw.dereferenceNic(portId, nicIndex);
}

/** Sends the request to the first adapter in a request of its own (rules D31, D38); `change`: what is different in that. */
export function redirect(
  sw: SwitchContext,
  { source, destination, requestType, oid, data }: NicOidRequest,
  change: Partial<NicRequestOptions> = {},
): Verdict {
  const { portId } = destination;
  if (portId === 0) return 'forward';
  const adapter = { portId, nicIndex: 1 };
  let verdict: Verdict = 'forward';
  withReferences(sw, source.portId === 0 ? [adapter] : [adapter, source], () => {
    const sent = sw.nicRequest({
      source,
      destination: adapter,
      requestType,
      oid,
      input: data,
      outputLengthBytes: data.length,
      ...change,
    });
    verdict = sent instanceof Promise ? sent.then(({ status }) => status) : sent.status;
  });
  return verdict;
}

/** Options of a query for the link of an adapter. */
export function linkQuery(destination: NicAddress, source?: NicAddress): NicRequestOptions {
  return {
    ...(source === undefined ? {} : { source }),
    destination,
    requestType: 'query',
    oid: LINK_STATE,
    outputLengthBytes: LINK_STATE_SIZE,
  };
}

/** Connected NICs of VMs. */
export function vmNics(sw: SwitchContext): readonly NicParameters[] {
  return sw.nics().filter(({ type, state }) => type === 'synthetic' && state === 'connected');
}

/** The pair that names a NIC. */
export function addressOf({ portId, index }: NicParameters): NicAddress {
  return { portId, nicIndex: index };
}
