import { OIDS } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const b25: RuleCheck = {
  rule: 'B25',
  what: 'It issues OID_SWITCH_PORT_CREATE, PORT_UPDATED, PORT_TEARDOWN or PORT_DELETE itself.',
  why: 'Modules below take it for a change of the switch: they make or drop a port that the switch and everybody above know otherwise.',
  mend: 'Only the protocol edge makes and ends ports. To keep packets from a port, drop them; to learn which ports there are, query OID_SWITCH_PORT_ARRAY.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.attached > 0,
  exercise: 'enable the extension on a switch',
  breaks: {
    about: 'issues PORT_DELETE for the port whose NIC was disconnected',
    type: 'filter',
    attach: (sw) => ({
      deleteNic(_nic, request) {
        sw.request('set', OIDS.OID_SWITCH_PORT_DELETE.code, request.bytes.slice(0, 1056));
        return 'forward';
      },
    }),
  },
  close: {
    about: 'queries which ports are left when a NIC goes',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
      deleteNic() {
        sw.ports();
        return 'forward';
      },
    }),
  },
};
