import type { RuleCheck } from '../../rule-check.ts';

/** NDIS_SWITCH_NIC_PARAMETERS: Flags u32 at 4 (bit 0: NIC_INITIALIZING), MTU u32 at 2104. */
const FLAGS = 4;
const MTU = 2104;

export const c20: RuleCheck = {
  rule: 'C20',
  what: 'It raises the MTU of a NIC, or changes it in another request than the NIC_CREATE that initializes the NIC.',
  why: 'The guest has been told its MTU. Frames that are larger than an adapter below can send are dropped there, and nobody says so.',
  mend: 'Change MTU only in createNic, only while NIC_INITIALIZING is set, and only downwards, by the room your encapsulation needs.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_CREATE') > 0,
  exercise: 'start a VM while the extension is enabled',
  breaks: {
    about: 'makes room for its headers by raising MTU',
    type: 'filter',
    attach: () => ({
      createNic(nic, request) {
        const { bytes } = request;
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(MTU, nic.mtu + 50, true);
        return 'forward';
      },
    }),
  },
  close: {
    about: 'lowers MTU by 50 bytes when the NIC initializes',
    type: 'filter',
    attach: () => ({
      createNic(nic, request) {
        const { bytes } = request;
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        if ((view.getUint32(FLAGS, true) & 1) === 1) view.setUint32(MTU, nic.mtu - 50, true);
        return 'forward';
      },
    }),
  },
};
