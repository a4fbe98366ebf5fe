import { NdisStatus } from '../core/status.ts';
import type {
  ExtensionHandlers,
  NicAddress,
  NicParameters,
  NicStatusOptions,
  SwitchContext,
} from '../sdk/extension.ts';
import { addressOf, asksFirst, vmNics, withReferences } from './sample-requests.ts';

/*
 * What samples with status indications share: as a teaming provider does it.
 */

/** NDIS_STATUS_RECEIVE_QUEUE_STATE (ntddndis.h). */
const QUEUE_STATE = 0x4002000d;
/** MediaConnectState of NDIS_LINK_STATE, and MediaConnectStateDisconnected. */
const MEDIA_CONNECT_STATE = 4;
const DISCONNECTED = 2;

/** Replaces each status by a copy in the name of another NIC; `change`: what is different in its data. */
export function ownCopy(
  sw: SwitchContext,
  nameOf: (source: NicAddress) => NicAddress,
  change: (data: Uint8Array) => void = () => undefined,
): ExtensionHandlers {
  return asksFirst(sw, {
    nicStatus({ source, statusCode, data }) {
      const name = nameOf(source);
      const copy = data.slice();
      change(copy);
      let verdict: 'forward' | 'drop' = 'forward';
      withReferences(sw, [name], () => {
        sw.indicateNicStatus({ source: name, statusCode, data: copy });
        verdict = 'drop';
      });
      return verdict;
    },
  });
}

/** Tells the NIC of each VM of the state of its queue when the link of an adapter changes. */
export function tellsVms(
  sw: SwitchContext,
  ends: (vm: NicAddress, adapter: NicAddress) => Partial<NicStatusOptions>,
): ExtensionHandlers {
  return asksFirst(sw, {
    nicStatus({ source, statusCode }) {
      if (statusCode !== NdisStatus.LINK_STATE) return;
      for (const vm of vmNics(sw).map(addressOf)) {
        withReferences(sw, [vm], () =>
          sw.indicateNicStatus({ ...ends(vm, source), statusCode: QUEUE_STATE }),
        );
      }
    },
  });
}

/** Takes virtual functions back when the link of an adapter goes down, as packets have to take another way. */
export function removesVfs(
  sw: SwitchContext,
  isMeant: (nic: NicParameters) => boolean,
  data: Uint8Array = new Uint8Array(0),
): ExtensionHandlers {
  return asksFirst(sw, {
    nicStatus({ statusCode, data: state }) {
      if (statusCode !== NdisStatus.LINK_STATE) return;
      if (state[MEDIA_CONNECT_STATE] !== DISCONNECTED) return;
      for (const destination of vmNics(sw).filter(isMeant).map(addressOf)) {
        withReferences(sw, [destination], () =>
          sw.indicateNicStatus({ destination, statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF, data }),
        );
      }
    },
  });
}
