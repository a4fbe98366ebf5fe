import { NdisStatus } from '../../../core/status.ts';
import type { NicAddress, SwitchContext } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';

const STATISTICS = 0x20106;

export const c46: RuleCheck = {
  rule: 'C46',
  what: 'It starts a request or an indication on behalf of a NIC after it has handled its NIC_DISCONNECT.',
  why: 'The partition behind the NIC is being taken away; what names it arrives at nobody, or at the next VM.',
  mend: 'In disconnectNic end what you do for the NIC, then forward. What you must finish, guard with a reference taken before.',
  by: 'runtime',
  stages: ['teamed-uplink'],
  exercised: (activity) =>
    activity.issues('OID_SWITCH_NIC_REQUEST') > 0 &&
    activity.arrivals('OID_SWITCH_NIC_DISCONNECT') > 0,
  exercise: 'stop a VM on whose behalf the extension sends requests to an adapter',
  breaks: {
    about: 'asks the adapter for statistics of a NIC when it is deleted',
    type: 'forward',
    attach: (sw) => ({
      deleteNic({ portId, index, type }) {
        if (type === 'synthetic') askAdapter(sw, { portId, nicIndex: index });
        return 'forward';
      },
    }),
  },
  close: {
    about: 'asks the adapter for statistics of a NIC while it is connected',
    type: 'forward',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
      updatePortProperty() {
        const nic = sw
          .nics()
          .find(({ type, state }) => type === 'synthetic' && state === 'connected');
        if (nic !== undefined) askAdapter(sw, { portId: nic.portId, nicIndex: nic.index });
        return 'forward';
      },
    }),
  },
};

/** One query to the first adapter, on behalf of a VM's NIC; both referenced as they have to be (rules D33, D34). */
function askAdapter(sw: SwitchContext, source: NicAddress): void {
  const adapter = sw.nics().find(({ type, index }) => type === 'external' && index > 0);
  if (adapter?.state !== 'connected') return;
  const destination = { portId: adapter.portId, nicIndex: adapter.index };
  if (sw.referenceNic(destination.portId, destination.nicIndex) !== NdisStatus.SUCCESS) return;
  const isReferenced = sw.referenceNic(source.portId, source.nicIndex) === NdisStatus.SUCCESS;
  void sw.nicRequest({
    source,
    destination,
    requestType: 'query',
    oid: STATISTICS,
    outputLengthBytes: 8,
  });
  if (isReferenced) sw.dereferenceNic(source.portId, source.nicIndex);
  sw.dereferenceNic(destination.portId, destination.nicIndex);
}
