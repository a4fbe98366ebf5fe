import { OIDS } from '../../../abi/index.ts';
import type { OidRequest } from '../../../sdk/extension.ts';
import type { RuleCheck } from '../../rule-check.ts';

const ARRAY = OIDS.OID_SWITCH_PORT_ARRAY.code;

export const a63: RuleCheck = {
  rule: 'A63',
  what: 'It is detached while it holds a request, or one it issued is outstanding.',
  why: 'The completion arrives in a driver that is not there any more: the host stops.',
  mend: 'In pause, or before detach returns, complete or forward what you hold and wait for what you issued.',
  by: 'runtime',
  stages: ['held-at-detach'],
  exercised: (activity) => activity.pended > 0 && activity.paused > 0,
  exercise: 'disable the extension while it holds a request',
  breaks: {
    about: 'holds a query of another driver and is disabled meanwhile',
    type: 'filter',
    attach: () => ({
      oidRequest: (request) => (request.oid === ARRAY ? request.pend() : 'forward'),
    }),
  },
  close: {
    about: 'holds queries for a while, and lets them go when it is paused',
    type: 'filter',
    attach(sw) {
      const held = new Set<OidRequest>();
      const release = (request: OidRequest): void => {
        if (held.delete(request)) request.forward();
      };
      return {
        oidRequest(request) {
          if (request.oid !== ARRAY) return 'forward';
          held.add(request);
          sw.after(100, () => release(request));
          return request.pend();
        },
        pause() {
          for (const request of held) release(request);
        },
      };
    },
  },
};
