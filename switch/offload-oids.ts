import type { OffloadOid } from '../src/abi/index.ts';

/**
 * What an extension's failing of an encapsulated request comes to.
 *
 * - `veto`: a forwarding extension may fail it with any error (rule D41).
 * - `discouraged`: it counts, with a warning (OP-41).
 * - `never`: it is a violation; the request goes on without the failure (rules D23, D40, D42; OP-28).
 */
export interface Failing {
  readonly by: 'veto' | 'discouraged' | 'never';
  readonly rule: string;
}

const VETO: Failing = { by: 'veto', rule: 'D41' };
/** Driver Verifier's name of rule D40: it lists the releases and the statuses they may end with. */
export const RELEASE_RULE = 'NdisOidComplete';
/** Rules D40, D42 with OP-41: free, clear and complete never; ADD_SA, ADD_SA_EX and MOVE_FILTER with a warning. */
const RELEASE: Failing = { by: 'never', rule: RELEASE_RULE };
const MOVE_FILTER: Failing = { by: 'discouraged', rule: 'D40' };
const ADD_SA: Failing = { by: 'discouraged', rule: 'D42' };
const IPSEC: Failing = { by: 'never', rule: 'D42' };
/** Multicast lists, resets, queries: outside the vetoable set and named by no other rule. */
const OTHER: Failing = { by: 'never', rule: 'D23' };

/** What failing this OID comes to; `undefined` is an OID that is neither hardware offload nor multicast. */
export function failingOf(oid: OffloadOid | undefined): Failing {
  if (oid === undefined) return OTHER;
  if (oid.class === 'ipsec') return oid.kind === 'allocate' ? ADD_SA : IPSEC;
  switch (oid.kind) {
    case 'allocate':
      return VETO;
    case 'release':
    case 'complete':
      return RELEASE;
    default:
      return oid.name === 'OID_RECEIVE_FILTER_MOVE_FILTER' ? MOVE_FILTER : OTHER;
  }
}
