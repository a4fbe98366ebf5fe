import type { UnseenRule } from '../rule-check.ts';

/** Chapter E: policies. */
export const UNSEEN_E: readonly UnseenRule[] = [
  {
    rule: 'E23',
    because: 'elsewhere',
    reason: 'seen as E24 and E25: what a wrong decision about ownership does',
  },
  { rule: 'E31', because: 'packets', reason: 'whether VLAN is enforced shows in packets only' },
  { rule: 'E33', because: 'may', reason: 'a permission: standard properties may be failed' },
  { rule: 'E35', because: 'inside', reason: 'what a driver could not allocate is its own' },
  { rule: 'E48', because: 'elsewhere', reason: 'seen as B30, B33 and B38' },
  {
    rule: 'E49',
    because: 'may',
    reason: 'a permission: the enumeration of switch properties needs no reference',
  },
  { rule: 'E50', because: 'elsewhere', reason: 'seen as A70' },
  { rule: 'E51', because: 'inside', reason: 'what a driver reads of a newer property is its own' },
  {
    rule: 'E52',
    because: 'inside',
    reason:
      'how a driver keeps an enumeration and a change apart is its own; what it loses shows as J11',
  },
];
