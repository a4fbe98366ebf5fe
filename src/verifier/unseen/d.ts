import type { UnseenRule } from '../rule-check.ts';

/** Chapter D: the OID path. */
export const UNSEEN_D: readonly UnseenRule[] = [
  {
    rule: 'D3',
    because: 'inside',
    reason: 'clones are made and passed on by the SDK',
  },
  {
    rule: 'D7',
    because: 'inside',
    reason:
      'the SDK gives a driver no handle of a request it originated, so it cannot complete one',
  },
  {
    rule: 'D9',
    because: 'inside',
    reason:
      'the switch cancels no requests; FilterCancelOidRequest is called for native drivers only',
  },
  {
    rule: 'D10',
    because: 'inside',
    reason: 'SupportedRevision is in NDIS_OID_REQUEST, which the SDK fills in',
  },
  {
    rule: 'D15',
    because: 'elsewhere',
    reason: 'who waits for a completion that has come already holds a request for ever: seen as D6',
  },
  {
    rule: 'D16',
    because: 'inside',
    reason: 'the SDK tells a request of its own from the clones a driver forwarded',
  },
  { rule: 'D17', because: 'inside', reason: 'IRQL is a matter of a native driver' },
  {
    rule: 'D37',
    because: 'may',
    reason: 'a permission: requests of a forwarding extension to adapters break nothing',
  },
  {
    rule: 'D43',
    because: 'inside',
    reason: 'whether a driver has to see all packets of a VM is its own affair',
  },
  { rule: 'D44', because: 'may', reason: 'a permission: what a driver keeps breaks nothing' },
];
