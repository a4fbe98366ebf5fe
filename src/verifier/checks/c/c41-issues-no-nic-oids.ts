import { OIDS } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const c41: RuleCheck = {
  rule: 'C41',
  what: 'It issues OID_SWITCH_NIC_CREATE, NIC_CONNECT, NIC_UPDATED, NIC_DISCONNECT or NIC_DELETE itself.',
  why: 'Modules below take it for a change of the switch: they connect or drop a NIC that the switch and everybody above know otherwise.',
  mend: 'Only the protocol edge makes and ends connections. To cut a VM off, drop its packets.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.attached > 0,
  exercise: 'enable the extension on a switch',
  breaks: {
    about: 'disconnects a NIC that it does not like',
    type: 'filter',
    attach: (sw) => ({
      oidRequestComplete(request) {
        if (request.oid !== OIDS.OID_SWITCH_NIC_CONNECT.code) return;
        sw.request('set', OIDS.OID_SWITCH_NIC_DISCONNECT.code, request.bytes.slice());
      },
    }),
  },
  close: {
    about: 'queries the NICs when one has connected',
    type: 'filter',
    attach: (sw) => ({
      oidRequestComplete(request) {
        if (request.oid !== OIDS.OID_SWITCH_NIC_CONNECT.code) return;
        if (sw.parameters().isActive) sw.nics();
      },
    }),
  },
};
