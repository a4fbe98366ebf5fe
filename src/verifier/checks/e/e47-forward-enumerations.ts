import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const e47: RuleCheck = {
  rule: 'E47',
  what: 'It completes a property enumeration that an extension above has issued.',
  why: 'The extension above gets the list of somebody who does not have it, and enforces half of the policies.',
  mend: 'Forward OID_SWITCH_PORT_PROPERTY_ENUM and OID_SWITCH_PROPERTY_ENUM.',
  by: 'runtime',
  stages: ['toggle-with-ports', 'service-restart'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_PROPERTY_ENUM') > 0,
  exercise: 'enable an extension above on a switch with ports',
  breaks: {
    about: 'refuses enumerations of types it does not know',
    type: 'filter',
    attach: () => ({
      oidRequest: (request) =>
        request.oid === OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code
          ? NdisStatus.NOT_SUPPORTED
          : 'forward',
    }),
  },
  close: {
    about: 'watches enumerations of others',
    type: 'filter',
    attach: (sw) => ({
      oidRequest(request) {
        if (request.oid === OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code) sw.log(`${request.id}`);
        return 'forward';
      },
    }),
  },
};
