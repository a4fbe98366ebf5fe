import { OIDS } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

const NIC_ARRAY = OIDS.OID_SWITCH_NIC_ARRAY.code;

export const d4: RuleCheck = {
  rule: 'D4',
  what: 'It writes into the buffer of a request that it received.',
  why: 'The buffer belongs to whoever issued the request, and every module below reads it too: they act on what was never asked.',
  mend: 'Copy what you want to change. To ask something else, issue a request of your own.',
  by: 'runtime',
  stages: ['whole-life'],
  exercised: (activity) => activity.arrivals('OID_') > 0,
  exercise: 'let any request reach the extension',
  breaks: {
    about: 'clears the flags of a query that another driver asked',
    type: 'filter',
    attach: () => ({
      oidRequest(request) {
        if (request.oid === NIC_ARRAY) request.bytes[4] = 0xff;
        return 'forward';
      },
    }),
  },
  close: {
    about: 'reads every request and writes into copies only',
    type: 'filter',
    attach: () => ({
      oidRequest(request) {
        request.bytes.slice().fill(0xff);
        return 'forward';
      },
    }),
  },
};
