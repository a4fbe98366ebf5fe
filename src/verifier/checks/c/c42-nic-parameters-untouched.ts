import type { RuleCheck } from '../../rule-check.ts';

/** NDIS_SWITCH_NIC_PARAMETERS: a byte of NicFriendlyName. */
const FRIENDLY_NAME = 528;

export const c42: RuleCheck = {
  rule: 'C42',
  what: 'It changes bytes of NDIS_SWITCH_NIC_PARAMETERS in a NIC request, other than MTU where that is allowed.',
  why: 'The buffer is the one the switch itself uses: modules below, and the switch on the way back, see another NIC than was made.',
  mend: 'Copy what you want to change. Names, addresses and states of a NIC are read only, on the way down and on the way up.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_NIC_CREATE') > 0,
  exercise: 'start a VM while the extension is enabled',
  breaks: {
    about: 'writes its own name into the friendly name of a NIC',
    type: 'filter',
    attach: () => ({
      connectNic(_nic, request) {
        request.bytes[FRIENDLY_NAME] = 0x58;
        return 'forward';
      },
    }),
  },
  close: {
    about: 'reads every byte and changes a copy',
    type: 'filter',
    attach: () => ({
      connectNic(_nic, request) {
        request.bytes.slice().fill(0);
        return 'forward';
      },
    }),
  },
};
