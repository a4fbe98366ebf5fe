import { OIDS, oidName } from '../../../abi/index.ts';
import type { RuleCheck } from '../../rule-check.ts';

const PARAMETERS = OIDS.OID_SWITCH_PARAMETERS.code;

export const a69: RuleCheck = {
  rule: 'A69',
  what: 'Its first request on a switch is not OID_SWITCH_PARAMETERS.',
  why: 'Only that answer says whether the switch is active, and how many ports to expect; every other query may be refused before it.',
  mend: 'Query OID_SWITCH_PARAMETERS first, after each attach; go on by IsActive.',
  by: 'watch',
  stages: ['whole-life'],
  watch({ report }) {
    let isFirst = true;
    return {
      issued(request) {
        if (!isFirst) return;
        isFirst = false;
        if (request.oid === PARAMETERS) return;
        const message = `issued ${oidName(request.oid)} first; OID_SWITCH_PARAMETERS has to be before it`;
        report({ message, request });
      },
    };
  },
  exercised: (activity) => activity.issues('OID_') > 0,
  exercise: 'let the extension issue a request',
  breaks: {
    about: 'asks for the ports at once',
    type: 'filter',
    attach: (sw) => ({
      activate() {
        sw.ports();
      },
    }),
  },
  close: {
    about: 'asks for the switch, then for the ports',
    type: 'filter',
    attach: (sw) => ({
      activate() {
        if (sw.parameters().isActive) sw.ports();
      },
    }),
  },
};
