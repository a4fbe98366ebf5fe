import { OIDS } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const e21: RuleCheck = {
  rule: 'E21',
  what: 'It issues OID_SWITCH_PORT_PROPERTY_ADD, UPDATE or DELETE, or those of the switch, itself.',
  why: 'Extensions below take a policy that nobody configured and that is in no store: it is gone at the next restart, and no tool shows it.',
  mend: 'Policies come from management only. Keep what you decide yourself in your own tables.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.attached > 0,
  exercise: 'enable the extension on a switch',
  breaks: {
    about: 'deletes a policy it does not like',
    type: 'filter',
    attach: (sw) => ({
      oidRequestComplete(request) {
        if (request.oid !== OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code) return;
        void sw.request(
          'set',
          OIDS.OID_SWITCH_PORT_PROPERTY_DELETE.code,
          request.bytes.slice(0, 48),
        );
      },
    }),
  },
  close: {
    about: 'reads the policies of a port when one was added',
    type: 'filter',
    attach: (sw) => ({
      restart() {
        sw.parameters();
      },
      oidRequestComplete(request) {
        if (request.oid !== OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code) return;
        for (const { portId, state } of sw.ports()) {
          if (state === 'created') sw.portProperties(portId, 'security');
        }
      },
    }),
  },
};
