import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

export const j15: RuleCheck = {
  rule: 'J15',
  what: 'It answers a configuration query that an extension above has issued.',
  why: 'The extension above gets the list of somebody who knows less than the switch, and works with it.',
  mend: 'Forward OID_SWITCH_PARAMETERS, PORT_ARRAY, NIC_ARRAY and the property enumerations.',
  by: 'runtime',
  stages: ['toggle-with-ports', 'service-restart'],
  exercised: (activity) => activity.arrivals('OID_SWITCH_PORT_ARRAY') > 0,
  exercise: 'enable an extension above on a switch with ports',
  breaks: {
    about: 'fails queries it has no answer to',
    type: 'filter',
    attach: () => ({
      oidRequest: (request) =>
        request.oid === OIDS.OID_SWITCH_PORT_ARRAY.code ? NdisStatus.NOT_SUPPORTED : 'forward',
    }),
  },
  close: {
    about: 'watches the queries of others',
    type: 'filter',
    attach: (sw) => ({
      oidRequest(request) {
        if (request.requestType === 'query') sw.log(request.oidName);
        return 'forward';
      },
    }),
  },
};
