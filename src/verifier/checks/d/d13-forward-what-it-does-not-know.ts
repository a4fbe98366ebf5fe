import { OIDS } from '../../../abi/index.ts';
import { NdisStatus } from '../../../core/status.ts';
import type { RuleCheck } from '../../rule-check.ts';

const KNOWN: ReadonlySet<number> = new Set(Object.values(OIDS).map(({ code }) => code));

export const d13: RuleCheck = {
  rule: 'D13',
  what: 'It completes a request that it does not know instead of forwarding it.',
  why: 'The next version of the host, or a driver next to it, uses requests that are not in today’s header. With this driver in the stack they never arrive.',
  mend: 'In the default case of your switch over OIDs, forward; keep NDIS_STATUS_NOT_SUPPORTED for requests that are yours.',
  by: 'runtime',
  stages: ['unknown-oids'],
  exercised: (activity) => activity.arrivals('0x') > 0,
  exercise: 'send a request with a number that no header has',
  breaks: {
    about: 'answers what is not in its table with NDIS_STATUS_NOT_SUPPORTED',
    type: 'filter',
    attach: () => ({
      oidRequest: ({ oid }) => (KNOWN.has(oid) ? 'forward' : NdisStatus.NOT_SUPPORTED),
    }),
  },
  close: {
    about: 'notes what is not in its table and forwards it',
    type: 'filter',
    attach: (sw) => ({
      oidRequest({ oid, oidName }) {
        if (!KNOWN.has(oid)) sw.log(`${oidName} is not known`);
        return 'forward';
      },
    }),
  },
};
